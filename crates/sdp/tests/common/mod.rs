//! The descriptions that browsers wrote; see `corpus/README.md`.

use std::fmt;
use std::io::Read;

use flate2::read::GzDecoder;

/// A recorded description and where it comes from.
#[derive(Clone)]
pub(crate) struct Recorded {
    pub(crate) origin: String,
    pub(crate) sdp: String,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// All 424 descriptions.
pub(crate) fn corpus() -> Vec<Recorded> {
    let files: [&[u8]; 2] = [
        include_bytes!("../corpus/chromium.jsonl.gz"),
        include_bytes!("../corpus/firefox.jsonl.gz"),
    ];
    let mut recorded = Vec::new();
    for file in files {
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).expect("the corpus is gzip");
        for line in text.lines() {
            let object: serde_json::Value =
                serde_json::from_str(line).expect("the corpus is one object a line");
            let field = |name: &str| object[name].as_str().expect("a string").to_owned();
            let origin = ["browser", "scenario", "step"].map(field).join(" / ");
            recorded.push(Recorded { origin, sdp: field("sdp") });
        }
    }
    recorded
}
