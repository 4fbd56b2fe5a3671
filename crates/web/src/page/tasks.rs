//! Tasks of the page's event loop. A timer would do, but a page in the background slows its timers
//! down to one a second.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::js;

type Task = Box<dyn FnOnce()>;

struct Tasks {
    queue: Rc<RefCell<VecDeque<Task>>>,
    port: js::MessagePort,
    _closure: Closure<dyn FnMut(JsValue)>,
}

thread_local! {
    static TASKS: Tasks = Tasks::new();
}

impl Tasks {
    fn new() -> Self {
        let queue = Rc::<RefCell<VecDeque<Task>>>::default();
        let tasks = queue.clone();
        let closure = Closure::<dyn FnMut(JsValue)>::new(move |_message| {
            let task = tasks.borrow_mut().pop_front();
            if let Some(task) = task {
                task();
            }
        });
        let channel = js::MessageChannel::new();
        channel.port1().set_onmessage(closure.as_ref().unchecked_ref());
        Self { queue, port: channel.port2(), _closure: closure }
    }
}

/// HTML "queue a task".
pub(crate) fn queue_a_task(steps: impl FnOnce() + 'static) {
    TASKS.with(|tasks| {
        tasks.queue.borrow_mut().push_back(Box::new(steps));
        tasks.port.post_message(&JsValue::NULL);
    });
}
