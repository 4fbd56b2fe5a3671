//! Every description that a browser wrote is read without loss.

mod common;

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use peerconnection_sdp::{
    Candidate, Description, Direction, Error, ExtMap, Fingerprint, Fmtp, Line, Media, Msid, Rid,
    RtcpFb, RtpMap, Section, Setup, Simulcast, Ssrc, SsrcGroup,
};
use webrtc_sdp::attribute_type::{SdpAttribute, SdpAttributeType};

use common::{Recorded, corpus};

fn parse(recorded: &Recorded) -> Description {
    Description::parse(&recorded.sdp).unwrap_or_else(|error| panic!("{}: {error}", recorded.origin))
}

/// The text of a description, as a reader that knows nothing but lines would write it.
fn text_of<'a>(lines: impl Iterator<Item = Line<'a>>) -> String {
    lines.map(|line| format!("{line}\r\n")).collect()
}

fn lines(description: &Description) -> impl Iterator<Item = Line<'_>> {
    let media = description.media().iter().flat_map(|media| media.lines());
    description.session().lines().chain(media)
}

#[test]
fn all_descriptions_are_there() {
    assert_eq!(corpus().len(), 424);
}

#[test]
fn writing_gives_back_every_byte() {
    for recorded in corpus() {
        assert_eq!(parse(&recorded).to_string(), recorded.sdp, "{}", recorded.origin);
    }
}

#[test]
fn lines_have_the_numbers_of_the_text() {
    for recorded in corpus() {
        let description = parse(&recorded);
        let read: Vec<_> =
            lines(&description).map(|line| (line.number, line.to_string())).collect();
        let expected: Vec<_> =
            (1..).map(Some).zip(recorded.sdp.lines().map(str::to_owned)).collect();
        assert_eq!(read, expected, "{}", recorded.origin);
    }
}

#[test]
fn rebuilding_from_lines_gives_an_equal_description() {
    for recorded in corpus() {
        let description = parse(&recorded);
        let rebuilt = Description::parse(&text_of(lines(&description))).unwrap();
        assert_eq!(rebuilt, description, "{}", recorded.origin);

        let origin = description.origin();
        let mut built = Description::new(origin.session_id, origin.session_version);
        built.set_origin(origin);
        for line in description.session().lines().filter(|line| line.kind == 'a') {
            push(built.session_mut(), line);
        }
        for media in description.media() {
            let mut copy =
                Media::new(media.kind(), media.port(), media.protocol(), &media.formats());
            for line in media.lines().skip(1) {
                match line.kind {
                    'c' => copy.set_connection(line.value),
                    _ => push(copy.section_mut(), line),
                }
            }
            built.push_media(copy);
        }
        assert_eq!(built.to_string(), recorded.sdp, "{}", recorded.origin);
    }
}

fn push(section: &mut Section, line: Line<'_>) {
    let (name, value) = match line.value.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (line.value, None),
    };
    section.push_attribute(name, value);
}

#[test]
fn sections_begin_at_their_media_lines() {
    for recorded in corpus() {
        let description = parse(&recorded);
        let expected: Vec<(usize, &str)> =
            (1..).zip(recorded.sdp.lines()).filter(|(_, line)| line.starts_with("m=")).collect();
        assert_eq!(description.media().len(), expected.len(), "{}", recorded.origin);
        for (index, (media, (number, line))) in description.media().iter().zip(expected).enumerate()
        {
            assert_eq!(media.line_number(), number);
            let formats = media.formats().join(" ");
            let (kind, port, protocol) = (media.kind(), media.port(), media.protocol());
            assert_eq!(format!("m={kind} {port} {protocol} {formats}"), line);
            assert_eq!(media.is_data_channel(), kind == "application");
            assert_eq!(media.is_rtp(), kind != "application");
            let mid = media.mid().expect("browsers write mids");
            let (found, _) = description.media_by_mid(mid).expect("the mid is known");
            assert_eq!(found, index);
        }
    }
}

#[test]
fn every_known_line_is_a_value_that_writes_itself_back() {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut flags: BTreeMap<String, usize> = BTreeMap::new();
    for recorded in corpus() {
        let description = parse(&recorded);
        for line in lines(&description).filter(|line| line.kind == 'a') {
            let (name, value) = line.value.split_once(':').unwrap_or((line.value, ""));
            let mut rewritten = |name: &'static str, result: Result<String, Error>| {
                let result = result.unwrap_or_else(|e| panic!("{}: {line}: {e}", recorded.origin));
                assert_eq!(result, value, "{}", recorded.origin);
                *seen.entry(name).or_default() += 1;
            };
            match name {
                "candidate" => rewritten(
                    "candidate",
                    rewrite::<Candidate>(value).map(|text| {
                        text.strip_prefix("candidate:").expect("the prefix").to_owned()
                    }),
                ),
                "extmap" => rewritten("extmap", rewrite::<ExtMap>(value)),
                "fingerprint" => rewritten("fingerprint", rewrite::<Fingerprint>(value)),
                "fmtp" => rewritten("fmtp", rewrite::<Fmtp>(value)),
                "msid" => rewritten("msid", rewrite::<Msid>(value)),
                "rid" => rewritten("rid", rewrite::<Rid>(value)),
                "rtcp-fb" => rewritten("rtcp-fb", rewrite::<RtcpFb>(value)),
                "rtpmap" => rewritten("rtpmap", rewrite::<RtpMap>(value)),
                "setup" => rewritten("setup", rewrite::<Setup>(value)),
                "simulcast" => rewritten("simulcast", rewrite::<Simulcast>(value)),
                "ssrc" => rewritten("ssrc", rewrite::<Ssrc>(value)),
                "ssrc-group" => rewritten("ssrc-group", rewrite::<SsrcGroup>(value)),
                "sendrecv" | "sendonly" | "recvonly" | "inactive" => {
                    let direction: Direction = name.parse().unwrap();
                    assert_eq!(direction.to_string(), name);
                }
                other => *flags.entry(other.to_owned()).or_default() += 1,
            }
        }
    }
    // As counted with grep.
    let expected = BTreeMap::from([
        ("candidate", 329 + 792),
        ("extmap", 6836 + 3624),
        ("fingerprint", 1036 + 212),
        ("fmtp", 10146 + 3504),
        ("msid", 450 + 450),
        ("rid", 12 + 6),
        ("rtcp-fb", 23330 + 12468),
        ("rtpmap", 14478 + 6300),
        ("setup", 1036 + 1008),
        ("simulcast", 4 + 2),
        ("ssrc", 1170 + 1126),
        ("ssrc-group", 202 + 210),
    ]);
    assert_eq!(seen, expected);
    let untyped: Vec<&str> = flags.keys().map(String::as_str).collect();
    assert_eq!(
        untyped,
        [
            "bundle-only",
            "end-of-candidates",
            "extmap-allow-mixed",
            "group",
            "ice-options",
            "ice-pwd",
            "ice-ufrag",
            "max-message-size",
            "mid",
            "msid-semantic",
            "rtcp",
            "rtcp-mux",
            "rtcp-rsize",
            "rtcp-xr",
            "sctp-port",
        ]
    );
}

fn rewrite<T: FromStr<Err = Error> + Display>(value: &str) -> Result<String, Error> {
    Ok(value.parse::<T>()?.to_string())
}

#[test]
fn accessors_leave_no_line_out() {
    for recorded in corpus() {
        for media in parse(&recorded).media() {
            let count = |name: &str| media.attributes(name).count();
            assert_eq!(media.candidates().filter(Result::is_ok).count(), count("candidate"));
            assert_eq!(media.extmaps().count(), count("extmap"));
            assert_eq!(media.fmtps().count(), count("fmtp"));
            assert_eq!(media.msids().count(), count("msid"));
            assert_eq!(media.rids().count(), count("rid"));
            assert_eq!(media.rtcp_fbs().count(), count("rtcp-fb"));
            assert_eq!(media.rtpmaps().count(), count("rtpmap"));
            assert_eq!(media.ssrcs().count(), count("ssrc"));
            assert_eq!(media.ssrc_groups().count(), count("ssrc-group"));
            assert_eq!(media.simulcast().is_some(), media.has_attribute("simulcast"));
        }
    }
}

#[test]
fn sections_in_use_have_what_a_transport_needs() {
    for recorded in corpus() {
        let description = parse(&recorded);
        let bundled: Vec<String> = description.bundle_groups().into_iter().flatten().collect();
        for (index, media) in description.media().iter().enumerate() {
            if media.is_rejected() {
                assert!(!bundled.iter().any(|mid| Some(mid.as_str()) == media.mid()));
                continue;
            }
            let origin = &recorded.origin;
            assert!(description.has_ice_option(index, "trickle"), "{origin}");
            assert!(description.ice_parameters(index).is_some(), "{origin}");
            assert!(description.setup(index).is_some(), "{origin}");
            let fingerprints = description.fingerprints(index);
            assert_eq!(fingerprints.len(), 1, "{origin}");
            assert_eq!(fingerprints[0].algorithm, "sha-256");
            assert_eq!(fingerprints[0].value.len(), 32);
            if media.is_data_channel() {
                assert_eq!(media.sctp_port(), Some(5000));
                assert!(media.max_message_size().is_some_and(|size| size >= 262_144));
            } else {
                assert!(media.rtcp_mux(), "{origin}");
            }
        }
    }
}

/// Where `webrtc-sdp` keeps a value, it keeps the same as this crate.
#[test]
fn values_agree_with_webrtc_sdp() {
    let mut compared = 0;
    for recorded in corpus() {
        let description = parse(&recorded);
        let theirs = webrtc_sdp::parse_sdp(&recorded.sdp, false)
            .unwrap_or_else(|error| panic!("{}: {error}", recorded.origin));
        assert_eq!(theirs.media.len(), description.media().len());
        for (theirs, ours) in theirs.media.iter().zip(description.media()) {
            assert_eq!(theirs.get_port(), u32::from(ours.port()));
            assert_eq!(theirs.get_type().to_string(), ours.kind());
            assert_eq!(theirs.get_proto().to_string(), ours.protocol());
            let mut same = |theirs: Vec<String>, ours: Vec<String>| {
                compared += ours.len();
                assert_eq!(theirs, ours, "{}", recorded.origin);
            };
            let all = |kind: SdpAttributeType| -> Vec<String> {
                let value = |attribute: &&SdpAttribute| {
                    let text = attribute.to_string();
                    text.split_once(':').map(|(_, value)| value.to_owned()).unwrap_or_default()
                };
                theirs.get_attributes_of_type(kind).iter().map(value).collect()
            };
            same(all(SdpAttributeType::Extmap), strings(ours.extmaps()));
            same(all(SdpAttributeType::Rtpmap), strings(ours.rtpmaps()));
            same(all(SdpAttributeType::Msid), strings(ours.msids()));
            same(all(SdpAttributeType::Rid), strings(ours.rids()));
            same(all(SdpAttributeType::Ssrc), strings(ours.ssrcs()));
            same(all(SdpAttributeType::SsrcGroup), strings(ours.ssrc_groups()));
            same(all(SdpAttributeType::Simulcast), strings(ours.simulcast().into_iter()));
            let candidates = ours.candidates().map(Result::unwrap);
            let candidates = candidates.map(|mut candidate| {
                // `webrtc-sdp` writes the transport in upper case and sorts extensions.
                candidate.transport.make_ascii_uppercase();
                candidate.extensions.sort();
                candidate.to_string().replace("candidate:", "")
            });
            same(all(SdpAttributeType::Candidate), candidates.collect());
        }
    }
    assert!(compared > 30_000, "only {compared} values were compared");
}

fn strings<T: Display + Debug>(values: impl Iterator<Item = T>) -> Vec<String> {
    values.map(|value| value.to_string()).collect()
}
