//! Running programs: cargo as the person at the terminal would run it, and what to say when a
//! program fails.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::{self, available_parallelism};
use std::time::Duration;

use crate::report::Failure;

/// What one rustc or C compiler may need at its worst.
const MEMORY_PER_JOB: u64 = 1 << 30;

/// Some three times as long as the longest of our commands takes on two cores.
const LIMIT: Duration = Duration::from_secs(25 * 60);

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // Set by `cargo run`; a program started by hand is taken to stand in the root.
    env::var_os("CARGO_MANIFEST_DIR")
        .and_then(|package| Path::new(&package).parent().map(Path::to_owned))
        .unwrap_or_default()
}

/// The folder for built files.
pub(crate) fn target_dir() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The same cargo that runs this program, in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    build_as_at_a_terminal(&mut command);
    command
}

/// For cargo, and for a program that calls it.
pub(crate) fn build_as_at_a_terminal(command: &mut Command) {
    // Build scripts that watch these would otherwise run again after each change of hands between
    // `cargo xtask` and plain cargo.
    for (name, _) in env::vars_os() {
        if is_about_this_package(&name) {
            command.env_remove(name);
        }
    }
    if env::var_os("CARGO_BUILD_JOBS").is_none() {
        let cores = available_parallelism().map_or(1, usize::from);
        let jobs = jobs(cores, available_memory());
        if jobs < cores {
            command.env("CARGO_BUILD_JOBS", jobs.to_string());
        }
    }
}

fn is_about_this_package(variable: &OsStr) -> bool {
    let Some(name) = variable.to_str() else { return false };
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// As many jobs as cores, but no more than memory allows.
fn jobs(cores: usize, memory: Option<u64>) -> usize {
    let by_memory = memory.map_or(cores, |bytes| (bytes / MEMORY_PER_JOB) as usize);
    cores.min(by_memory).max(1)
}

/// Bytes that new processes may use, where Linux says so: the least of what the machine has free
/// and what the control group allows.
fn available_memory() -> Option<u64> {
    let free = fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text));
    let allowed = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    free.into_iter().chain(allowed).min()
}

/// What a program that failed may have lacked.
pub(crate) fn state_of_machine() -> String {
    let memory = available_memory().map(|bytes| format!("{} MiB of memory", bytes >> 20));
    let mut df = Command::new("df");
    let disk = output(df.args(["-Pm"]).arg(root())).ok().and_then(|table| free_disk(&table));
    let disk = disk.map(|mebibytes| format!("{mebibytes} MiB of disk"));
    let known: Vec<_> = memory.into_iter().chain(disk).collect();
    if known.is_empty() { "unknown".into() } else { known.join(", ") }
}

/// The fourth column of the last line of `df -P` (POSIX.1-2017, df, "STDOUT").
fn free_disk(table: &str) -> Option<u64> {
    table.lines().last()?.split_whitespace().nth(3)?.parse().ok()
}

fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The first program of that name in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    find_in(&env::var_os("PATH")?, program)
}

fn find_in(path: &OsStr, program: &str) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(program).with_extension(env::consts::EXE_EXTENSION))
        .find(|file| file.is_file())
}

/// Shows the command, runs it with this terminal, and fails as it fails. Where nobody can
/// interrupt it, it fails after [`LIMIT`], too.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    run_within(command, (!io::stdin().is_terminal()).then_some(LIMIT))
}

fn run_within(command: &mut Command, limit: Option<Duration>) -> Result<(), Failure> {
    let line = line(command);
    println!("$ {line}");
    let ended = match limit {
        Some(limit) => status_within(command, limit),
        None => command.status().map(Ok),
    };
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Failure(format!("`{line}` ended with {status}"))),
        Ok(Err(StillRunning)) => {
            let limit = limit.unwrap_or_default();
            Err(Failure(format!("`{line}` was still running after {limit:?}")))
        }
        Err(error) => Err(Failure(format!("`{line}` could not be started: {error}"))),
    }
}

struct StillRunning;

/// Runs the command in a process group of its own, and ends the group after that time.
fn status_within(
    command: &mut Command,
    limit: Duration,
) -> io::Result<Result<ExitStatus, StillRunning>> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let child = command.spawn()?;
    let id = child.id();
    let (ended, end) = mpsc::channel();
    let wait = |mut child: Child| child.wait();
    let waiter = thread::spawn(move || ended.send(wait(child)));
    let status = match end.recv_timeout(limit) {
        Ok(status) => Ok(status?),
        Err(_) => {
            end_group(id)?;
            Err(StillRunning)
        }
    };
    // The program has ended, one way or the other.
    let _ = waiter.join();
    Ok(status)
}

#[cfg(unix)]
fn end_group(leader: u32) -> io::Result<()> {
    // The shell has it built in; the program of that name is not on every machine.
    let kill = format!("kill -s KILL -- -{leader}");
    Command::new("sh").args(["-c", &kill]).status().map(drop)
}

#[cfg(not(unix))]
fn end_group(leader: u32) -> io::Result<()> {
    Command::new("taskkill").args(["/F", "/T", "/PID", &leader.to_string()]).status().map(drop)
}

/// What the command writes to its standard output; silent otherwise, unless it fails.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure(format!("`{line}` could not be started: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure(format!("`{line}` ended with {}\n{}", output.status, said.trim_end())));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure(format!("`{line}` wrote something that is not UTF-8")))
}

/// The command as one would type it, so that a failed step can be repeated alone.
pub(crate) fn line(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut words: Vec<String> =
        set.map(|(name, value)| format!("{}={}", name.display(), quoted(value))).collect();
    let program = Path::new(command.get_program());
    words.push(quoted(program.file_stem().unwrap_or(program.as_os_str())));
    words.extend(command.get_args().map(quoted));
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = OsString::from(word).to_string_lossy().into_owned();
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_machine_with_memory_uses_every_core() {
        assert_eq!(jobs(2, Some(8 * GIB)), 2);
        assert_eq!(jobs(8, None), 8);
    }

    #[test]
    fn a_machine_short_of_memory_builds_less_at_once_but_builds() {
        assert_eq!(jobs(8, Some(3 * GIB)), 3);
        assert_eq!(jobs(8, Some(GIB / 2)), 1);
    }

    #[test]
    fn available_memory_is_read_in_bytes() {
        let meminfo = "MemTotal:        4096 kB\nMemAvailable:    2048 kB\nBuffers:  1 kB\n";
        assert_eq!(mem_available(meminfo), Some(2 << 20));
        assert_eq!(mem_available("MemTotal: 4096 kB\n"), None);
        assert_eq!(mem_available("MemAvailable: lots\n"), None);
    }

    #[test]
    fn free_disk_is_what_others_may_still_write() {
        let table = "Filesystem 1048576-blocks Used Available Capacity Mounted on\n\
                     /dev/vda 257000 14000 79000 15% /\n";
        assert_eq!(free_disk(table), Some(79_000));
        assert_eq!(free_disk(""), None);
    }

    #[test]
    fn a_program_is_found_in_the_path_it_stands_in_only() {
        let this = env::current_exe().expect("a running program has a file");
        let folder = this.parent().expect("a file has a folder");
        let name = this.file_stem().and_then(OsStr::to_str).expect("cargo names tests in ASCII");
        let elsewhere = Path::new("no-such-folder");
        let path = env::join_paths([elsewhere, folder]).expect("folders without separators");
        assert_eq!(find_in(&path, name), Some(this.clone()));
        assert_eq!(find_in(elsewhere.as_os_str(), name), None);
    }

    #[test]
    fn a_command_is_shown_as_it_can_be_typed() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("LANG");
        assert_eq!(line(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn the_failure_of_a_program_names_it_and_how_it_ended() {
        let failure = run(cargo().arg("no-such-subcommand")).expect_err("cargo knows no such");
        assert!(failure.0.starts_with("`cargo no-such-subcommand` ended with "), "{failure}");
        let failure = run(&mut Command::new("no-such-program-anywhere")).expect_err("not there");
        assert!(failure.0.contains("could not be started"), "{failure}");
        let failure = output(cargo().arg("no-such-subcommand")).expect_err("cargo knows no such");
        assert!(failure.0.contains("no such command"), "what it said is kept: {failure}");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let limit = Duration::from_millis(200);
        // Its child holds the pipe that is read to its end below.
        let (mut end, pipe) = io::pipe().expect("a pipe");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]).stdout(pipe);
        let failure = run_within(&mut command, Some(limit)).expect_err("it hangs");
        assert_eq!(failure.0, "`sh -c 'sleep 600 & wait'` was still running after 200ms");
        drop(command);
        io::Read::read_to_end(&mut end, &mut Vec::new()).expect("nobody holds the pipe any more");
        let quick = run_within(Command::new("sh").args(["-c", "exit 3"]), Some(limit * 100));
        assert_eq!(quick, Err(Failure("`sh -c 'exit 3'` ended with exit status: 3".into())));
    }

    #[test]
    fn variables_about_this_package_are_told_from_settings_of_cargo() {
        assert!(is_about_this_package(OsStr::new("CARGO_PKG_VERSION")));
        assert!(is_about_this_package(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(!is_about_this_package(OsStr::new("CARGO_TARGET_DIR")));
        assert!(!is_about_this_package(OsStr::new("CARGO_HOME")));
    }
}
