//! The program, as people call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use peerconnection::recording::Recording;
use testkit::{Conditions, World};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("peerconnection-replay-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_peerconnection-replay");
    let Output { status, stdout, stderr } = Command::new(program)
        .args(arguments)
        .env_remove("RUST_LOG")
        .output()
        .expect("the program runs");
    let text = |octets| String::from_utf8(octets).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Records a connection that offers a channel to nobody.
fn record(file: &Path) {
    let mut world = World::new(1, Conditions::default());
    let addresses = vec!["10.9.8.7".parse().unwrap()];
    let recording = Recording::to_file(file).unwrap();
    let pc = world.add_recorded_peer(Default::default(), addresses, &recording);
    pc.create_data_channel("chat", None).unwrap();
    world.settle();
    world.run(pc.set_local_description(None)).unwrap();
    world.run_for(Duration::from_secs(1));
    pc.close();
    world.settle();
}

#[test]
fn a_recording_is_printed_and_a_copy_has_no_addresses() {
    let folder = Folder::new("whole");
    let [file, copy] = ["call.jsonl", "copy.jsonl"].map(|name| folder.file(name));
    record(&file);
    let [file, copy] = [&file, &copy].map(|path| path.to_str().unwrap());

    let (code, printed, errors) = run(&[file]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    for line in [
        "      0.000000  call      createDataChannel \"chat\"\n",
        "      0.000000  event     negotiationneeded\n",
        "      0.000000  event     signalingstatechange have-local-offer\n",
        "      0.000000  network   socket 1 at 10.9.8.7:20001 for transport 1\n",
        "      1.000000  call      close\n",
        "the recording ends with the connection: closed, closed\n",
    ] {
        assert!(printed.contains(line), "{line}{printed}");
    }
    let (code, quiet, _) = run(&["--quiet", file]);
    assert_eq!((code, quiet.lines().count()), (Some(0), 1));

    let (code, said, errors) = run(&["--redact", copy, file]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    let (code, printed, _) = run(&[copy]);
    assert_eq!(code, Some(0));
    assert!(printed.contains("192.0.2.1:20001") && !printed.contains("10.9.8.7"), "{printed}");
    assert!(!std::fs::read_to_string(copy).unwrap().contains("10.9.8.7"));
    let (code, _, errors) = run(&["--redact", copy, file]);
    assert_eq!(code, Some(1), "a copy is not overwritten: {errors}");
}

#[test]
fn what_differs_and_what_is_no_recording_is_told_with_exit_code_1() {
    let folder = Folder::new("changed");
    let [file, copy] = ["call.jsonl", "copy.jsonl"].map(|name| folder.file(name));
    record(&file);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("have-local-offer", "have-nothing", 1)).unwrap();
    let file = file.to_str().unwrap();
    let (code, printed, errors) = run(&[file]);
    assert_eq!(code, Some(1));
    assert!(printed.contains("negotiationneeded"), "what came before is printed: {printed}");
    assert!(errors.contains("the replay differs") && errors.contains("have-nothing"), "{errors}");
    let (code, _, errors) = run(&["--redact", copy.to_str().unwrap(), file]);
    assert_eq!(code, Some(1), "{errors}");
    assert!(!copy.exists(), "half a copy is none");

    std::fs::write(&copy, "a letter").unwrap();
    let (code, _, errors) = run(&[copy.to_str().unwrap()]);
    assert!(code == Some(1) && errors.contains("no recording"), "{errors}");
    let (code, ..) = run(&[folder.file("nothing").to_str().unwrap()]);
    assert_eq!(code, Some(1));
}

#[test]
fn help_is_printed_and_a_wrong_option_has_exit_code_2() {
    let (code, printed, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(printed.starts_with("Usage: peerconnection-replay "));
    for wrong in [&[][..], &["--loud"], &["a", "b"], &["--redact"]] {
        let (code, printed, errors) = run(wrong);
        assert_eq!((code, printed.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(errors.contains("Usage: "), "{errors}");
    }
}
