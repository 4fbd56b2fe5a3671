//! The example `two_processes`, with the tests that it has.

#[path = "../two_processes.rs"]
#[expect(dead_code, reason = "nobody calls its main function")]
mod two_processes;
