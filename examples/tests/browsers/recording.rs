//! The example `record`: what a page sends is in files that other programs play.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tests::browser::Browser;
use tests::in_each_browser;
use tokio::process::Command;

use crate::example::Example;

in_each_browser! {
    what_a_page_sends_is_in_files_that_others_play,
}

/// How long the page sends.
const RECORDED: Duration = Duration::from_secs(4);
/// For the browser's start, and 30 s until a page that has gone without a word is given up.
const LIMIT: Duration = Duration::from_secs(100);

async fn what_a_page_sends_is_in_files_that_others_play(browser: Browser) {
    let name = format!("peerconnection-recording-{}-{browser}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let recorded = async {
        let mut recorder = Example::start("record", &[folder.to_str().expect("a name")]).await;
        let page = browser.open(&format!("http://{}/?start", recorder.authority));
        recorder.line_with("connection connected").await;
        tokio::time::sleep(RECORDED).await;
        drop(page);
        for _ in 0..2 {
            recorder.line_with(" frames").await;
        }
    };
    tokio::time::timeout(LIMIT, recorded).await.expect("the files are whole in time");
    let pictures = probe(folder.join("1.ivf")).await;
    assert_eq!(pictures["codec_name"], "vp8", "{pictures}");
    // Firefox sends fewer when the machine is busy.
    assert!(decoded(&pictures) > 20, "{pictures}");
    assert!(pictures["width"].as_u64().is_some_and(|width| width > 0), "{pictures}");
    let sound = probe(folder.join("1.ogg")).await;
    assert_eq!(sound["codec_name"], "opus", "{sound}");
    // One each 20 ms.
    assert!(decoded(&sound) > 100, "{sound}");
    std::fs::remove_dir_all(&folder).expect("a folder of ours");
}

/// The frames that were decoded.
fn decoded(stream: &Value) -> u64 {
    stream["nb_read_frames"].as_str().and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// What FFmpeg finds in a file, all of which it decodes without a complaint.
async fn probe(file: PathBuf) -> Value {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_frames", "-show_streams", "-of", "json"]).arg(&file);
    let output = command.output().await.expect("ffprobe of FFmpeg");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{}: {complaints}", file.display());
    let mut found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    found["streams"][0].take()
}
