//! What tests with real browsers and with coturn share, those of the examples among them.

#[cfg(unix)]
pub mod browser;
pub mod coturn;
