use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Clone)]
struct Number(u32);

impl Fired for Number {
    type Target = ();
    type Payload = u32;
    const REMEMBERED: usize = 3;

    fn create((): (), payload: u32) -> Self {
        Self(payload)
    }
}

fn target() -> Option<()> {
    Some(())
}

/// A handler that writes down what it is called for.
fn recorder() -> (Arc<Mutex<Vec<u32>>>, Function<Number>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    (seen, Box::new(move |Number(number)| record.lock().unwrap().push(number)))
}

#[test]
fn what_is_set_when_nothing_will_be_fired_any_more_is_not_kept() {
    let captured = Arc::new(());
    let capturing = || -> Function<Number> {
        let captured = captured.clone();
        Box::new(move |_| drop(captured.clone()))
    };
    let handler = Handler::<Number>::new("test");
    assert!(!handler.set(capturing()));
    assert_eq!(Arc::strong_count(&captured), 2);
    handler.retire();
    assert_eq!(Arc::strong_count(&captured), 1, "dropped at the end");
    assert!(!handler.set(capturing()));
    assert_eq!(Arc::strong_count(&captured), 1, "dropped at once");

    // A missed event is delivered first.
    let handler = Handler::<Number>::new("test");
    handler.call(target, 1);
    handler.retire();
    let (seen, record) = recorder();
    let mut record = Some((record, captured.clone()));
    assert!(handler.set(Box::new(move |event| {
        if let Some((record, _captured)) = &mut record {
            record(event);
        }
    })));
    assert_eq!(Arc::strong_count(&captured), 2);
    handler.deliver_missed(target);
    assert_eq!(*seen.lock().unwrap(), [1]);
    assert_eq!(Arc::strong_count(&captured), 1);

    // After `end` nothing delivers a missed event.
    let handler = Handler::<Number>::new("test");
    handler.call(target, 1);
    handler.end();
    assert!(!handler.set(capturing()));
    assert_eq!(Arc::strong_count(&captured), 1);
}

#[test]
fn a_handler_may_replace_itself_while_it_runs() {
    let handler = Arc::new(Handler::<Number>::new("test"));
    let calls = Arc::new(AtomicU32::new(0));
    let (inner, count) = (handler.clone(), calls.clone());
    let missed = handler.set(Box::new(move |_| {
        let count = count.clone();
        let missed = inner.set(Box::new(move |_| {
            count.fetch_add(10, Ordering::Relaxed);
        }));
        assert!(!missed);
    }));
    assert!(!missed);
    handler.call(target, 1);
    handler.call(target, 2);
    handler.call(target, 3);
    assert_eq!(calls.load(Ordering::Relaxed), 20);
}

#[test]
fn a_panic_in_a_handler_goes_no_further_and_the_handler_stays() {
    let handler = Handler::<Number>::new("test");
    let calls = Arc::new(AtomicU32::new(0));
    let count = calls.clone();
    let missed = handler.set(Box::new(move |Number(number)| {
        count.fetch_add(1, Ordering::Relaxed);
        assert_ne!(number, 1, "the panic that this test is about");
    }));
    assert!(!missed);
    handler.call(target, 1);
    handler.call(target, 2);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn the_first_handler_gets_the_latest_of_what_it_has_missed_in_order() {
    let handler = Handler::<Number>::new("test");
    for number in 1..=5 {
        handler.call(target, number);
    }
    let (seen, function) = recorder();
    assert!(handler.set(function));
    assert!(seen.lock().unwrap().is_empty(), "it is a task");
    // This event is fired before the task has run.
    handler.call(target, 6);
    handler.deliver_missed(target);
    handler.call(target, 7);
    assert_eq!(*seen.lock().unwrap(), [4, 5, 6, 7]);
}

#[test]
fn a_handler_that_was_cleared_misses_what_is_fired() {
    let handler = Handler::<Number>::new("test");
    let (seen, function) = recorder();
    assert!(!handler.set(function));
    handler.clear();
    handler.call(target, 1);
    let (later, function) = recorder();
    assert!(!handler.set(function), "the event is gone, as in a browser");
    handler.call(target, 2);
    assert_eq!((seen.lock().unwrap().len(), later.lock().unwrap().len()), (0, 1));
}

#[test]
fn a_retired_handler_is_dropped_once_it_has_got_what_it_has_missed() {
    let handler = Handler::<Number>::new("test");
    handler.call(target, 1);
    handler.retire();
    let (seen, function) = recorder();
    assert!(handler.set(function));
    handler.retire();
    handler.deliver_missed(target);
    assert_eq!(*seen.lock().unwrap(), [1]);
    handler.retire();
    assert_eq!(Arc::strong_count(&seen), 1);
}

/// Uses its handler when it is dropped, as the last handle of a connection does.
#[derive(Clone)]
struct Holds(Arc<Handler<Self>>);

impl Drop for Holds {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl Fired for Holds {
    type Target = ();
    type Payload = Self;
    const REMEMBERED: usize = 3;

    fn create((): (), payload: Self) -> Self {
        payload
    }
}

#[test]
fn what_is_not_worth_waiting_for_is_dropped_with_nothing_locked() {
    let (sender, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let handler = Arc::new(Handler::<Holds>::new("test"));
        handler.call(target, Holds(handler.clone()));
        handler.retain_missed(|_| false);
        sender.send(handler.forget()).unwrap();
    });
    let waits = done.recv_timeout(time::Duration::from_secs(20));
    assert_eq!(waits, Ok(false), "no deadlock");
}

#[test]
fn clearing_forgets_what_was_missed() {
    let handler = Handler::<Number>::new("test");
    handler.call(target, 1);
    let (seen, function) = recorder();
    assert!(handler.set(function));
    handler.clear();
    handler.deliver_missed(target);
    assert!(seen.lock().unwrap().is_empty());
    let (_, function) = recorder();
    assert!(!handler.set(function));
}

/// A list of what was called for which event, and what makes listeners that write into it.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Vec<String>>>);

impl Story {
    fn listener(&self, name: &'static str) -> Function<Number> {
        let story = self.clone();
        Box::new(move |Number(number)| story.0.lock().unwrap().push(format!("{name}{number}")))
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

/// HTML §8.1.8.1: the attribute has its place from when it is set until it is cleared.
#[test]
fn listeners_and_the_handler_are_called_in_the_order_in_which_they_came() {
    let (handler, story) = (Handler::<Number>::new("test"), Story::default());
    let (first, _) = handler.add(story.listener("a"));
    assert!(!handler.set(story.listener("on")));
    let _ = handler.add(story.listener("b"));
    handler.call(target, 1);
    assert_eq!(story.take(), "a1 on1 b1");

    assert!(!handler.set(story.listener("ON")), "it keeps the place");
    handler.remove(first);
    handler.call(target, 2);
    assert_eq!(story.take(), "ON2 b2");

    handler.clear();
    assert!(!handler.set(story.listener("on")), "now it is the last");
    handler.call(target, 3);
    assert_eq!(story.take(), "b3 on3");
}

/// DOM §2.9 "inner invoke" works on a copy of the list, and skips what was removed.
#[test]
fn what_is_added_while_an_event_is_fired_gets_the_next_one_and_what_is_removed_gets_none() {
    let (handler, story) = (Arc::new(Handler::<Number>::new("test")), Story::default());
    let (inner, added, doomed) = (handler.clone(), story.listener("new"), Arc::new(Mutex::new(0)));
    let (mut added, victim) = (Some(added), doomed.clone());
    let _ = handler.add(Box::new(move |_| {
        if let Some(added) = added.take() {
            let _ = inner.add(added);
            inner.remove(*victim.lock().unwrap());
        }
    }));
    *doomed.lock().unwrap() = handler.add(story.listener("doomed")).0;
    let _ = handler.add(story.listener("last"));
    handler.call(target, 1);
    assert_eq!(story.take(), "last1");
    handler.call(target, 2);
    assert_eq!(story.take(), "last2 new2");
}

#[test]
fn a_listener_may_remove_itself_and_is_dropped_when_it_returns() {
    let handler = Arc::new(Handler::<Number>::new("test"));
    let (captured, own) = (Arc::new(()), Arc::new(Mutex::new(0)));
    let (inner, held, id) = (handler.clone(), captured.clone(), own.clone());
    *own.lock().unwrap() = handler
        .add(Box::new(move |_| {
            inner.remove(*id.lock().unwrap());
            assert_eq!(Arc::strong_count(&held), 2, "it runs yet");
        }))
        .0;
    handler.call(target, 1);
    assert_eq!(Arc::strong_count(&captured), 1);
    assert!(!handler.is_set());
}

#[test]
fn a_panic_in_a_listener_does_not_keep_the_event_from_the_next() {
    let (handler, story) = (Handler::<Number>::new("test"), Story::default());
    let _ = handler.add(Box::new(|_| panic!("the panic that this test is about")));
    let _ = handler.add(story.listener("b"));
    handler.call(target, 1);
    assert_eq!(story.take(), "b1");
}

#[test]
fn a_listener_takes_nothing_of_what_waits_for_the_handler() {
    let (handler, story) = (Handler::<Number>::new("test"), Story::default());
    handler.call(target, 1);
    assert!(handler.add(story.listener("log")).1, "the first listener has missed it, too");
    // This one waits behind the first for the listener.
    handler.call(target, 2);
    handler.deliver_missed(target);
    assert_eq!(story.take(), "log1 log2");
    assert!(!handler.add(story.listener("late")).1, "the second listener begins with the next");
    handler.call(target, 3);
    assert_eq!(story.take(), "log3 late3");

    assert!(handler.set(story.listener("on")));
    handler.deliver_missed(target);
    assert_eq!(story.take(), "on1 on2 on3");
    handler.call(target, 4);
    assert_eq!(story.take(), "log4 late4 on4");
}

#[test]
fn nothing_is_kept_for_a_handler_that_has_been_set_while_listeners_go_on() {
    let (handler, story) = (Handler::<Number>::new("test"), Story::default());
    let _ = handler.add(story.listener("a"));
    handler.clear();
    handler.call(target, 1);
    assert!(!handler.set(story.listener("on")), "the event is gone, as in a browser");
    assert_eq!(story.take(), "a1");
}

#[test]
fn listeners_are_dropped_when_nothing_will_be_fired_any_more() {
    let (handler, story) = (Handler::<Number>::new("test"), Story::default());
    let _ = handler.add(story.listener("a"));
    assert_eq!(Arc::strong_count(&story.0), 2);
    handler.end();
    assert_eq!(Arc::strong_count(&story.0), 1);
    let (id, misses) = handler.add(story.listener("late"));
    assert!(!misses);
    assert_eq!(Arc::strong_count(&story.0), 1, "it is not kept");
    handler.remove(id);
}
