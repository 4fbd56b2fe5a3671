//! Figures of peerconnection: what a connection costs, in time, processor and memory.
//!
//! `cargo run --release -p bench` measures over loopback UDP with both ends in one process. So do
//! the programs for other stacks that the figures are compared with (`spec-notes/performance.md`).
//! `cargo bench -p bench` measures without a network.
//!
//! - [`measures`]: one module a measure
//! - [`figure`]: what a measure finds, as a line of JSON or of a table
//! - [`pair`]: two connections on tokio, wired to each other
//! - [`memory`]: two connections on a virtual clock, without a network
//! - `tests::link` has a link with delay, loss, a rate and a queue
//! - `relay`: a TURN server to measure through, on Unix
//! - [`machine`]: what the process has used
#![forbid(unsafe_code)]

pub mod figure;
pub mod machine;
pub mod measures;
pub mod memory;
pub mod pair;
#[cfg(unix)]
pub mod relay;

/// Why a measure could not be taken.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
