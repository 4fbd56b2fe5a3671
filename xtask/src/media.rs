//! `cargo xtask media`: makes the synthetic media of the repository. They are committed, so that
//! nobody needs an encoder: this is how they came about.

use std::process::{Command, ExitCode};

use crate::report::{Failure, Outcome, Report};
use crate::tools;

/// Where the files are.
const FOLDER: &str = "crates/peerconnection/media";

/// A second of a test picture with a clock in it, as VP8: one key frame, then frames that depend
/// on the one before alone. No frame is hidden, and none refers to later ones.
const VIDEO: &[&str] = &[
    "-f",
    "lavfi",
    "-i",
    "testsrc=size=320x240:rate=10:duration=1",
    "-pix_fmt",
    "yuv420p",
    "-c:v",
    "libvpx",
    "-b:v",
    "50k",
    "-g",
    "100",
    "-deadline",
    "best",
    "-auto-alt-ref",
    "0",
    "-lag-in-frames",
    "0",
    "-error-resilient",
    "1",
    "-threads",
    "1",
    "-flags:v",
    "+bitexact",
];

/// A second of 440 Hz as Opus in packets of 20 ms. With what the encoder adds in front (312
/// samples) it fills 50 packets and has 440 whole periods, so that it can be repeated.
const AUDIO: &[&str] = &[
    "-f",
    "lavfi",
    "-i",
    "sine=frequency=440:sample_rate=48000:duration=1",
    "-af",
    "atrim=end_sample=47688",
    "-c:a",
    "libopus",
    "-b:a",
    "16k",
    "-frame_duration",
    "20",
    "-flags:a",
    "+bitexact",
];

pub(crate) fn make() -> ExitCode {
    let mut report = Report::new("cargo xtask media");
    report.step("video", || ffmpeg(VIDEO, "loop.ivf"));
    report.step("audio", || ffmpeg(AUDIO, "loop.ogg"));
    println!("\n{}", report.summary());
    if report.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ffmpeg(arguments: &[&str], name: &str) -> Result<Outcome, Failure> {
    if tools::find("ffmpeg").is_none() {
        return Err(Failure("FFmpeg with libvpx and libopus is needed".into()));
    }
    let mut command = Command::new("ffmpeg");
    command.current_dir(tools::root()).args(["-v", "error", "-y"]).args(arguments);
    command.args(["-fflags", "+bitexact"]).arg(format!("{FOLDER}/{name}"));
    tools::run(&mut command)?;
    Ok(Outcome::Passed)
}
