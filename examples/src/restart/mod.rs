//! The story that the example `restart_ice` tells, apart from where it is told: over real sockets
//! in the example, over a simulated network in the tests.
//!
//! - `scenario`: two peers, five restarts, one after another
//! - `traffic`: numbered messages both ways, and what became of them
//! - `log`: the events of both peers as they happen
//! - `report`: the summary
//! - `timeline`: the same as a drawing

mod log;
mod report;
mod scenario;
mod timeline;
mod traffic;

pub use log::{Entry, Log, States};
pub use report::{Report, Restart};
pub use scenario::{Failure, Peers, Settings, run};
pub use timeline::draw;
pub use traffic::{Arrival, Traffic};
