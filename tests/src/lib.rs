//! What tests with real browsers share, those of the examples among them.

#[cfg(unix)]
pub mod browser;
