//! Connections through real networks: links that go down, NATs, firewalls, and a TURN server. Each
//! peer is a process in a network namespace of its own.
//!
//! ```text
//! cargo test -p tests --test namespaces -- --ignored --nocapture
//! ```
//!
//! As root, with iproute2, nftables, coturn and openssl. `--nocapture` shows how long things took.
#![cfg(target_os = "linux")]

mod browsers;
mod call;
mod internet;
mod lab;
mod links;
mod nats;
mod outages;
mod server;
