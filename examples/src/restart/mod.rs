//! The story that the example `restart_ice` tells.
//!
//! - `scenario`: two peers, five restarts, one after another
//! - `report`: the summary

mod report;
mod scenario;

pub use report::{Report, Restart};
pub use scenario::run;
