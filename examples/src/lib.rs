//! What the examples share with one another and with their tests.

pub mod browser;
mod real_stage;
pub mod restart;
pub mod samples;

pub use real_stage::RealStage;
