//! A browser as a peer for the tests in network namespaces. `tests::namespaced` says how to talk to
//! it.
//!
//! Its arguments are the name of the browser and the setup in JSON.

#[cfg(unix)]
mod bridge;

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    bridge::run()
}

/// Browsers are run with a shell.
#[cfg(not(unix))]
fn main() {}
