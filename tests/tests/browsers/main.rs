//! A real browser as the peer: Chromium and Firefox, without a window.
//!
//! ```text
//! cargo test -p tests --test browsers -- --ignored [firefox]
//! ```
//!
//! The Rust half has the whole story, and tells an empty page what to do. Browsers are run with a
//! shell, so the tests run only where there is one.
#![cfg(unix)]

mod call;
mod certificates;
mod channels;
mod dtls_in_stun;
mod flow;
mod hub;
mod media;
mod names;
mod numbers;
mod over_a_link;
mod page;
mod sctp_init;
mod udp_mux;
