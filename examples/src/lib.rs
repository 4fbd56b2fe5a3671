//! What the examples share with one another and with their tests.

pub mod browser;
pub mod restart;
pub mod samples;
