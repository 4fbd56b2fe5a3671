//! What tests share: with real browsers, those of the examples among them, with coturn, in network
//! namespaces, and over a link with loss, which `bench` has, too.

#[cfg(unix)]
pub mod authority;
#[cfg(unix)]
pub mod browser;
#[cfg(unix)]
pub mod coturn;
pub mod link;
pub mod namespaced;

/// The program that README.md shows runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
