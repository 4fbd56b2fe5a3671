//! Connections through real networks: links that go down, NATs, firewalls, and a TURN server. Each
//! peer, ours or a browser, is a process in a network namespace.
//!
//! ```text
//! cargo test -p tests --test namespaces -- --ignored --nocapture
//! ```
//!
//! As root, with iproute2, nftables, coturn, openssl, Chromium and Firefox. `--nocapture` shows how
//! long things took.
#![cfg(target_os = "linux")]

mod beside_chromium;
mod browsers;
mod call;
mod expected;
mod internet;
mod lab;
mod links;
mod nats;
mod outages;
mod server;
