//! What the addon has of the JavaScript environment it is loaded in: one for the main thread, and
//! one for each worker.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, JsObjectValue, Object, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Error, Result, Status};
use napi_derive::napi;
use tokio::runtime::{Builder, Runtime};

type Exception = FunctionRef<FnArgs<(&'static str, String)>, Unknown<'static>>;
type RtcError = FunctionRef<FnArgs<(Unknown<'static>, String)>, Unknown<'static>>;
type Wake = ThreadsafeFunction<(), (), Vec<u32>, Status, false, true>;

/// `Hooks` of the JavaScript layer.
pub(crate) struct Environment {
    pub(crate) exception: Exception,
    pub(crate) rtc_error: RtcError,
    pub(crate) ready: Arc<Ready>,
}

thread_local! {
    static ENVIRONMENT: RefCell<Option<Rc<Environment>>> = const { RefCell::new(None) };
}

impl Environment {
    /// That of this thread.
    pub(crate) fn current() -> Result<Rc<Self>> {
        ENVIRONMENT.with_borrow(|environment| {
            let missing = || Error::new(Status::GenericFailure, "install() comes first");
            environment.clone().ok_or_else(missing)
        })
    }
}

/// The tasks to run, in the order in which they were queued, and the way to tell so.
pub(crate) struct Ready {
    /// Connection, number of tasks, and so on.
    tasks: Arc<Mutex<Vec<u32>>>,
    wake: Wake,
}

fn take(tasks: &Mutex<Vec<u32>>) -> Vec<u32> {
    std::mem::take(&mut *tasks.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Ready {
    fn take(&self) -> Vec<u32> {
        take(&self.tasks)
    }

    /// The connection has so many tasks more. From any thread.
    pub(crate) fn push(&self, connection: u32, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match tasks.as_mut_slice() {
            [.., last, of_last] if *last == connection => *of_last = of_last.saturating_add(count),
            _ => tasks.extend([connection, count]),
        }
        // Those before it have made the call that tells of this one too.
        let is_first = tasks.len() == 2;
        drop(tasks);
        if is_first {
            // It fails when the environment is being torn down: nothing is to be told then.
            let _ = self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// What `Hooks.wake` is about to be called with.
#[napi]
pub fn take_ready() -> Result<Vec<u32>> {
    Ok(Environment::current()?.ready.take())
}

/// Gives the addon what it needs of the JavaScript layer.
#[napi]
pub fn install(hooks: Object<'_>) -> Result<()> {
    let exception: Function<'_, FnArgs<(&'static str, String)>, Unknown<'static>> =
        hooks.get_named_property("exception")?;
    let rtc_error: Function<'_, FnArgs<(Unknown<'static>, String)>, Unknown<'static>> =
        hooks.get_named_property("rtcError")?;
    let wake: Function<'_, Vec<u32>, ()> = hooks.get_named_property("wake")?;
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let ready = tasks.clone();
    // Weak: connections that have nothing to do keep no process.
    let wake = wake
        .build_threadsafe_function::<()>()
        .weak::<true>()
        .build_callback(move |_| Ok(take(&ready)))?;
    let environment = Environment {
        exception: exception.create_ref()?,
        rtc_error: rtc_error.create_ref()?,
        ready: Arc::new(Ready { tasks, wake }),
    };
    ENVIRONMENT.set(Some(Rc::new(environment)));
    Ok(())
}

/// How many threads move the network of all connections of the process, beside those of JavaScript.
const NETWORK_THREADS: usize = 2;

/// The runtime of one of these threads, each in its turn. One with several threads would move a connection
/// from one to the other, and wake them both for every datagram.
pub(crate) fn network() -> Result<&'static Runtime> {
    static NETWORK: [OnceLock<std::io::Result<Runtime>>; NETWORK_THREADS] =
        [const { OnceLock::new() }; NETWORK_THREADS];
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed) % NETWORK_THREADS;
    let [first, ..] = &NETWORK;
    let runtime = NETWORK.get(turn).unwrap_or(first).get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("peerconnection")
            .enable_io()
            .enable_time()
            .build()
    });
    runtime.as_ref().map_err(|error| Error::new(Status::GenericFailure, error.to_string()))
}
