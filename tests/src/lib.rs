//! What tests share: with real browsers, those of the examples among them, with coturn, and in
//! network namespaces.

#[cfg(unix)]
pub mod authority;
#[cfg(unix)]
pub mod browser;
pub mod namespaced;
