//! What the examples share with one another and with the tests.

pub mod browser;
pub mod restart;
pub mod samples;
