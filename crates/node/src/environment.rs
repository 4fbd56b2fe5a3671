//! The addon's state in the JavaScript environment that has loaded it. The main thread is one
//! environment, each worker another.

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
type CallReadable = ThreadsafeFunction<u32, (), u32, Status, false, true>;
type Request = FnArgs<(u32, Option<String>)>;
type CallRequested = ThreadsafeFunction<Request, (), Request, Status, false, true>;

/// `Hooks` of the JavaScript layer.
pub(crate) struct Environment {
    pub(crate) exception: Exception,
    pub(crate) rtc_error: RtcError,
    pub(crate) ready: Arc<Ready>,
    pub(crate) readable: Arc<Readable>,
    pub(crate) key_frame_requests: Arc<KeyFrameRequests>,
}

thread_local! {
    static ENVIRONMENT: RefCell<Option<Rc<Environment>>> = const { RefCell::new(None) };
}

impl Environment {
    /// The environment of this thread.
    pub(crate) fn current() -> Result<Rc<Self>> {
        ENVIRONMENT.with_borrow(|environment| {
            let missing = || Error::new(Status::GenericFailure, "install() comes first");
            environment.clone().ok_or_else(missing)
        })
    }
}

/// The tasks to run, in the order in which they were queued, and the function that wakes
/// JavaScript.
pub(crate) struct Ready {
    /// A connection, the number of its tasks, the next connection, and so on.
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

    /// Adds `count` tasks of a connection. May be called from any thread.
    pub(crate) fn push(&self, connection: u32, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match tasks.as_mut_slice() {
            [.., last, of_last] if *last == connection => *of_last = of_last.saturating_add(count),
            _ => tasks.extend([connection, count]),
        }
        // If others were waiting, JavaScript is being woken already.
        let is_first = tasks.len() == 2;
        drop(tasks);
        if is_first {
            // It fails while the environment is being torn down. No task will run then.
            let _ = self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// Tells JavaScript which `NativePackets` have something to read.
pub(crate) struct Readable(CallReadable);

impl Readable {
    /// May be called from any thread.
    pub(crate) fn notify(&self, reader: u32) {
        // It fails while the environment is being torn down, as does the one below.
        let _ = self.0.call(reader, ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// Tells JavaScript which `NativeTrackSource` a key frame is needed from.
pub(crate) struct KeyFrameRequests(CallRequested);

impl KeyFrameRequests {
    /// May be called from any thread.
    pub(crate) fn notify(&self, source: u32, rid: Option<String>) {
        let _ = self.0.call((source, rid).into(), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// Takes the tasks that `Hooks.wake` is about to be called with.
#[napi]
pub fn take_ready() -> Result<Vec<u32>> {
    Ok(Environment::current()?.ready.take())
}

/// Gives the addon the functions of the JavaScript layer that it calls.
#[napi]
pub fn install(hooks: Object<'_>) -> Result<()> {
    let exception: Function<'_, FnArgs<(&'static str, String)>, Unknown<'static>> =
        hooks.get_named_property("exception")?;
    let rtc_error: Function<'_, FnArgs<(Unknown<'static>, String)>, Unknown<'static>> =
        hooks.get_named_property("rtcError")?;
    let wake: Function<'_, Vec<u32>, ()> = hooks.get_named_property("wake")?;
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let ready = tasks.clone();
    // Weak, as those below: an idle connection does not keep the process alive.
    let wake = wake
        .build_threadsafe_function::<()>()
        .weak::<true>()
        .build_callback(move |_| Ok(take(&ready)))?;
    let readable: Function<'_, u32, ()> = hooks.get_named_property("readable")?;
    let readable = readable
        .build_threadsafe_function::<u32>()
        .weak::<true>()
        .build_callback(|call| Ok(call.value))?;
    let requested: Function<'_, Request, ()> = hooks.get_named_property("keyFrameRequested")?;
    let requested = requested
        .build_threadsafe_function::<Request>()
        .weak::<true>()
        .build_callback(|call| Ok(call.value))?;
    let environment = Environment {
        exception: exception.create_ref()?,
        rtc_error: rtc_error.create_ref()?,
        ready: Arc::new(Ready { tasks, wake }),
        readable: Arc::new(Readable(readable)),
        key_frame_requests: Arc::new(KeyFrameRequests(requested)),
    };
    ENVIRONMENT.set(Some(Rc::new(environment)));
    Ok(())
}

/// How many threads serve the network, for all connections of the process.
const NETWORK_THREADS: usize = 2;

/// The runtime for a new connection. Each network thread has a runtime of its own, and they take
/// turns. A runtime with several threads would move connections between them, and wake them all for
/// every datagram.
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
