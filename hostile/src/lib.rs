//! Whatever comes from outside goes through one of these targets: none panics, hangs, or keeps
//! more than it may.
//!
//! libFuzzer drives them from the folder `fuzz`, with nightly Rust. The runner of this crate
//! drives them on stable Rust with inputs that it makes itself, always the same ones:
//! `HOSTILE_SECONDS=50 cargo test -p hostile --test runner -- --ignored --nocapture`.

#![forbid(unsafe_code)]

mod mutation;
pub mod targets;

pub use mutation::Inputs;

/// Something that takes octets from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, the same in the folder `fuzz`.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
    /// Inputs that are as they should be.
    pub corpus: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "rtp", run: targets::rtp::packet, corpus: targets::rtp::packets },
    Target { name: "rtcp", run: targets::rtcp::compound, corpus: targets::rtcp::compounds },
    Target { name: "srtp", run: targets::srtp::unprotect, corpus: targets::srtp::protected },
    Target { name: "media", run: targets::media::receive, corpus: targets::media::packets },
    Target { name: "demux", run: targets::demux::route, corpus: targets::rtp::packets },
    Target { name: "payload", run: targets::payload::frames, corpus: targets::payload::payloads },
    Target { name: "sdp", run: targets::sdp::description, corpus: targets::sdp::descriptions },
    Target { name: "candidate", run: targets::sdp::candidate, corpus: targets::sdp::candidates },
    Target { name: "stun", run: targets::stun::message, corpus: targets::stun::messages },
    Target { name: "dtls", run: targets::dtls::records, corpus: targets::dtls::handshake },
    Target { name: "sctp", run: targets::sctp::packets, corpus: targets::sctp::chunks },
    Target {
        name: "recording",
        run: targets::recording::replay,
        corpus: targets::recording::recordings,
    },
];

/// Gives an input to the target of this name.
///
/// # Panics
/// Without a target of this name, and if the target is at fault.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of this name").run)(input);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// A few inputs of each target; the runner takes more.
    #[test]
    fn no_target_minds_what_it_is_given() {
        for target in TARGETS {
            for input in Inputs::new((target.corpus)()).take(2000) {
                (target.run)(&input);
            }
        }
    }

    #[test]
    fn inputs_are_the_same_each_time() {
        let inputs = || Inputs::new(vec![vec![1, 2, 3], vec![4; 40]]).take(100);
        assert!(inputs().eq(inputs()));
        let begin: Vec<_> = inputs().take(3).collect();
        assert_eq!(begin[..2], [vec![1, 2, 3], vec![4; 40]], "the corpus as it is");
        assert!(begin[2] != begin[0] && begin[2] != begin[1]);
    }

    #[test]
    fn libfuzzer_has_each_target() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        for Target { name, .. } in TARGETS {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            let program = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
            assert!(program.contains(&format!("hostile::run(\"{name}\", data)")), "{name}");
        }
    }
}
