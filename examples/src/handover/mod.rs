//! The story that the example `handover` tells: interfaces go away under a call.
//!
//! - `scenario`: what is lost, and what takes over
//! - `report`: the summary

mod report;
mod scenario;

pub use report::{Handover, Report};
pub use scenario::run;
