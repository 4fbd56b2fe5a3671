//! The identity of the page's objects. There is one Rust object for each, however often the page
//! hands it out.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use js_sys::{Function, WeakMap};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::js;

/// The Rust objects of the page's objects.
struct Objects {
    /// The number of an object, as long as the page has the object.
    numbers: WeakMap,
    last: Cell<u32>,
    objects: RefCell<HashMap<u32, Weak<dyn Any>>>,
    /// How many entries there may be until those without an object are removed.
    limit: Cell<usize>,
}

thread_local! {
    static OBJECTS: Objects = Objects {
        numbers: WeakMap::new(),
        last: Cell::new(0),
        objects: RefCell::default(),
        limit: Cell::new(64),
    };
}

/// A number for the page's object. No other object ever has it.
fn number(object: &JsValue) -> u32 {
    OBJECTS.with(|all| {
        let key: &js_sys::Object = object.unchecked_ref();
        if let Some(number) = all.numbers.get(key).as_f64() {
            return number as u32;
        }
        let number = all.last.get().wrapping_add(1);
        all.last.set(number);
        let _map = all.numbers.set(key, &number.into());
        number
    })
}

/// The Rust object of the page's object. Without one `make` makes it.
pub(crate) fn find_or_make<T: Any>(object: &JsValue, make: impl FnOnce() -> Rc<T>) -> Rc<T> {
    let number = number(object);
    let found = OBJECTS.with(|all| all.objects.borrow().get(&number).and_then(Weak::upgrade));
    if let Some(found) = found.and_then(|found| found.downcast().ok()) {
        return found;
    }
    let made = make();
    OBJECTS.with(|all| {
        let mut objects = all.objects.borrow_mut();
        if objects.len() >= all.limit.get() {
            objects.retain(|_, object| object.strong_count() > 0);
            all.limit.set(2 * objects.len() + 64);
        }
        let weak: Weak<dyn Any> = Rc::<T>::downgrade(&made);
        objects.insert(number, weak);
    });
    made
}

/// Listens to an event of the page until it is dropped.
pub(crate) struct Listening {
    target: js::EventTarget,
    name: &'static str,
    closure: Closure<dyn FnMut(js::Event)>,
}

impl Listening {
    pub(crate) fn new(
        target: &js::EventTarget,
        name: &'static str,
        listener: impl FnMut(js::Event) + 'static,
    ) -> Self {
        let closure = Closure::<dyn FnMut(js::Event)>::new(listener);
        let this = Self { target: target.clone(), name, closure };
        this.target.add_event_listener(name, this.function());
        this
    }

    fn function(&self) -> &Function {
        self.closure.as_ref().unchecked_ref()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.target.remove_event_listener(self.name, self.function());
    }
}

/// Handles compare by the identity of their object, and show one attribute for debugging.
macro_rules! identity {
    ($name:ident, $attribute:literal => $getter:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                std::rc::Rc::ptr_eq(&self.object, &other.object)
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.object_id().hash(state);
            }
        }

        impl $name {
            /// A number for the object, to use as a key in maps. Handles that are `==` share it;
            /// no other object has it as long as a handle exists.
            pub fn object_id(&self) -> usize {
                std::rc::Rc::as_ptr(&self.object).addr()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field($attribute, &self.$getter())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use identity;
