//! What the examples share with one another and with their tests.

pub mod browser;
pub mod handover;
mod real_stage;
pub mod restart;
pub mod samples;
pub mod story;

pub use real_stage::RealStage;
