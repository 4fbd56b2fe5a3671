//! An example of pages in a process of its own.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The process, which ends with the test.
pub(crate) struct Example {
    lines: Lines<BufReader<ChildStdout>>,
    /// Host and port of its pages.
    pub(crate) authority: String,
    _process: Child,
}

impl Example {
    /// Starts it with these arguments, on a free port.
    ///
    /// # Panics
    /// If it was not built, or does not say where its pages are.
    pub(crate) async fn start(name: &str, arguments: &[&str]) -> Self {
        let tests = std::env::current_exe().expect("a path");
        let target = tests.ancestors().nth(2).expect("a folder");
        let program = target.join("examples").join(name);
        let mut command = Command::new(&program);
        command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| {
            let build = "`cargo build -p examples --examples` makes it";
            panic!("{}: {error}; {build}", program.display())
        });
        let stdout = process.stdout.take().expect("a pipe");
        let lines = BufReader::new(stdout).lines();
        let mut example = Self { lines, authority: String::new(), _process: process };
        let url = example.line_with("http://").await;
        let authority = url.trim_start_matches("http://").trim_end_matches('/');
        authority.clone_into(&mut example.authority);
        example
    }

    /// The next line that has this text.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.next_line().await.expect("text").expect("the example runs");
            if line.contains(text) {
                return line;
            }
        }
    }
}
