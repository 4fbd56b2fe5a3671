//! libnice's agent in a process of its own: `interop/peers/libnice/agent.c`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::Sender;

use crate::host::Input;

/// A running agent, which ends when this is dropped.
pub(crate) struct Libnice {
    child: Child,
    stdin: ChildStdin,
}

impl Libnice {
    /// What it says becomes input.
    pub(crate) fn start(arguments: &[&str], inputs: Sender<Input>) -> Self {
        let mut command = Command::new(program());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if inputs.send(Input::Said(line)).is_err() {
                    return;
                }
            }
        });
        Self { child, stdin }
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("it is there");
    }
}

impl Drop for Libnice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the program once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let flags = Command::new("pkg-config").args(["--cflags", "--libs", "nice"]).output();
        let flags = flags.expect("pkg-config");
        assert!(flags.status.success(), "libnice-dev is not installed");
        let flags = String::from_utf8(flags.stdout).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let source = source.join("../../interop/peers/libnice/agent.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libnice-agent");
        let mut compiler = Command::new("cc");
        compiler.arg("-o").arg(&program).arg(source).args(flags.split_whitespace());
        assert!(compiler.status().expect("cc").success());
        program
    })
}
