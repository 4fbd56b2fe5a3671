//! What stories of two peers under traffic are made of, apart from where they are told: over real
//! sockets in the examples, over a simulated network in the tests.
//!
//! - `call`: two peers that are connected, and messages both ways
//! - `traffic`: numbered messages, and what became of them
//! - `log`: the events of both peers as they happen
//! - `timeline`: the same as a drawing
//! - `terminal`: a story over real sockets, with its command line

mod call;
mod log;
mod terminal;
mod timeline;
mod traffic;

pub use call::{Call, Failure, Peers, Settings, generation, selected_pair};
pub use log::{Entry, Log, States};
pub use terminal::{Told, tell};
pub use timeline::draw;
pub use traffic::{Arrival, Counts, Traffic};
