//! Descriptions that are edited before `setLocalDescription()`: the table in
//! `spec-notes/edited-descriptions.md`, row by row, and what the edits that are accepted do.

use super::*;

/// The table; its rows and the rows here are the same. The package of the crate does not have it,
/// but its tests compile.
fn table() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec-notes/edited-descriptions.md");
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Audio, video in three encodings, data.
fn caller() -> Peer {
    // A fingerprint with letters.
    let mut peer = Peer::new(0xAB);
    peer.session.set_accepts_edited_descriptions(true);
    let track = LocalTrack { id: TrackId(1), kind: MediaKind::Audio };
    peer.session.add_track(track, &["stream".to_owned()]).unwrap();
    let encoding = |rid: &str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
        ..RTCRtpEncodingParameters::default()
    };
    let init = TransceiverInit {
        send_encodings: ["h", "m", "l"].map(encoding).to_vec(),
        ..TransceiverInit::default()
    };
    peer.session.add_transceiver(TrackOrKind::Kind(MediaKind::Video), init).unwrap();
    peer.channel("dc");
    peer.run();
    peer
}

/// Likewise, but without simulcast.
fn callee() -> Peer {
    let mut peer = Peer::new(0xCD);
    peer.session.set_accepts_edited_descriptions(true);
    for (id, kind) in [(1, MediaKind::Audio), (2, MediaKind::Video)] {
        let track = LocalTrack { id: TrackId(id), kind };
        peer.session.add_track(track, &["stream".to_owned()]).unwrap();
    }
    peer.run();
    peer
}

/// An edit of a text; what it does not find there it leaves.
type Edit = fn(&str) -> String;

/// Applies `edit` to the sections of this kind, or to the session part.
fn within(sdp: &str, kind: &str, edit: impl Fn(String) -> String) -> String {
    let mut parts: Vec<String> = Vec::new();
    for line in sdp.split_inclusive('\n') {
        if parts.is_empty() || line.starts_with("m=") {
            parts.push(String::new());
        }
        parts.last_mut().unwrap().push_str(line);
    }
    let is_meant = |part: &String| match kind {
        "session" => part.starts_with("v="),
        kind => part.starts_with(&format!("m={kind} ")),
    };
    parts.into_iter().map(|part| if is_meant(&part) { edit(part) } else { part }).collect()
}

fn add(sdp: &str, kind: &str, line: &str) -> String {
    within(sdp, kind, |part| format!("{part}{line}\r\n"))
}

/// Puts a line where RFC 8866 §5 has those of other types than `a=`.
fn add_early(sdp: &str, kind: &str, line: &str) -> String {
    let before = if kind == "session" { "t=" } else { "a=" };
    within(sdp, kind, |part| {
        part.replacen(&format!("\r\n{before}"), &format!("\r\n{line}\r\n{before}"), 1)
    })
}

fn without(sdp: &str, kind: &str, prefix: &str) -> String {
    let keep = |line: &&str| !line.starts_with(prefix);
    within(sdp, kind, |part| part.split_inclusive('\n').filter(keep).collect())
}

/// The payload types of the codecs with this name.
fn payload_types(sdp: &str, name: &str) -> Vec<String> {
    let maps = sdp.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
    let named = maps.filter_map(|map| map.split_once(' '));
    named.filter(|(_, codec)| codec.starts_with(name)).map(|(pt, _)| pt.to_owned()).collect()
}

/// Takes payload types out of the `m=` line of the sections of this kind.
fn out_of_m_line(sdp: &str, kind: &str, gone: &[String]) -> String {
    within(sdp, kind, |part| {
        let (line, rest) = part.split_once("\r\n").unwrap();
        let keep = |word: &(usize, &str)| word.0 < 3 || !gone.iter().any(|gone| gone == word.1);
        let words: Vec<&str> =
            line.split(' ').enumerate().filter(keep).map(|(_, word)| word).collect();
        format!("{}\r\n{rest}", words.join(" "))
    })
}

/// Removes payload types with all their lines.
fn without_codecs(sdp: &str, kind: &str, gone: &[String]) -> String {
    let mut sdp = out_of_m_line(sdp, kind, gone);
    for payload_type in gone {
        for name in ["rtpmap", "fmtp", "rtcp-fb"] {
            sdp = without(&sdp, kind, &format!("a={name}:{payload_type} "));
        }
    }
    sdp
}

/// Those of the codec, and those that refer to it.
fn codec_with_references(sdp: &str, name: &str) -> Vec<String> {
    let mut all = payload_types(sdp, name);
    for line in sdp.lines().filter_map(|line| line.strip_prefix("a=fmtp:")) {
        let Some((payload_type, fmtp)) = line.split_once(' ') else { continue };
        let refers = all.iter().any(|pt| {
            fmtp == format!("apt={pt}") || fmtp.split('/').any(|word| word == pt.as_str())
        });
        if refers {
            all.push(payload_type.to_owned());
        }
    }
    all
}

fn reordered(sdp: &str, kind: &str, order: impl Fn(&mut Vec<&str>)) -> String {
    within(sdp, kind, |part| {
        let (line, rest) = part.split_once("\r\n").unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let mut formats = words[3..].to_vec();
        order(&mut formats);
        format!("{} {}\r\n{rest}", words[..3].join(" "), formats.join(" "))
    })
}

fn directed(sdp: &str, kind: &str, direction: &str) -> String {
    within(sdp, kind, |part| {
        ["sendrecv", "sendonly", "recvonly"].iter().fold(part, |part, before| {
            part.replace(&format!("a={before}\r\n"), &format!("a={direction}\r\n"))
        })
    })
}

/// Whether the edit is accepted, what it is, and how it is done.
const ROWS: &[(bool, &str, Edit)] = &[
    (true, "line ends LF instead of CRLF", |sdp| sdp.replace("\r\n", "\n")),
    (true, "the last line without an end", |sdp| sdp.trim_end().to_owned()),
    (true, "an empty line at the end", |sdp| format!("{sdp}\r\n")),
    (true, "attributes in another order", |sdp| {
        ["session", "audio", "video", "application"].iter().fold(sdp.to_owned(), |sdp, kind| {
            within(&sdp, kind, |part| {
                let is_attribute = |line: &&str| line.starts_with("a=");
                let (attributes, others): (Vec<&str>, Vec<&str>) =
                    part.split_inclusive('\n').partition(is_attribute);
                others.into_iter().chain(attributes.into_iter().rev()).collect()
            })
        })
    }),
    (true, "the fingerprint in lower case", |sdp| {
        let fingerprint = attribute(sdp, "fingerprint").unwrap();
        sdp.replace(&fingerprint, &fingerprint.to_ascii_lowercase())
    }),
    (true, "`a=ice-options` removed", |sdp| without(sdp, "session", "a=ice-options")),
    (true, "`trickle` removed from `a=ice-options`", |sdp| sdp.replace("trickle ice2", "ice2")),
    (true, "an unknown attribute added", |sdp| {
        let sdp = add(sdp, "session", "a=x-session:1");
        add(&add(&sdp, "audio", "a=x-audio"), "application", "a=x-data:1")
    }),
    (true, "`a=msid-semantic` removed", |sdp| without(sdp, "session", "a=msid-semantic")),
    (true, "`i=`, `u=`, `e=` or `p=` added", |sdp| {
        let sdp = sdp.replacen("s=-\r\n", "s=-\r\ni=x\r\nu=http://x/\r\ne=x@y\r\np=+1\r\n", 1);
        add_early(&sdp, "video", "i=x").replacen(
            "c=IN IP4 0.0.0.0\r\ni=x",
            "i=x\r\nc=IN IP4 0.0.0.0",
            1,
        )
    }),
    (true, "`b=AS` or `b=TIAS` added", |sdp| {
        add_early(&add_early(sdp, "video", "b=AS:500"), "audio", "b=TIAS:64000")
    }),
    (true, "`b=CT` added to the session part", |sdp| add_early(sdp, "session", "b=CT:500")),
    (true, "opus: `stereo`, `maxaveragebitrate`, `usedtx`, `cbr`, `x-google-*` added", |sdp| {
        let more = "stereo=1;sprop-stereo=1;maxaveragebitrate=128000;usedtx=1;cbr=1;x-google-min-bitrate=30";
        sdp.replace("useinbandfec=1", &format!("useinbandfec=1;{more}"))
    }),
    (true, "opus: `useinbandfec` changed to 0", |sdp| {
        sdp.replace("useinbandfec=1", "useinbandfec=0")
    }),
    (true, "opus: `a=fmtp` removed", |sdp| {
        let opus = payload_types(sdp, "opus");
        without(sdp, "audio", &format!("a=fmtp:{} ", opus[0]))
    }),
    (true, "`a=ptime` or `a=maxptime` added", |sdp| {
        add(&add(sdp, "audio", "a=ptime:40"), "audio", "a=maxptime:60")
    }),
    (true, "payload types in another order", |sdp| {
        reordered(&reordered(sdp, "audio", |f| f.reverse()), "video", |f| f.reverse())
    }),
    (true, "a codec removed with all its lines, and those that refer to it", |sdp| {
        let sdp = without_codecs(sdp, "audio", &codec_with_references(sdp, "opus"));
        without_codecs(&sdp, "video", &codec_with_references(&sdp, "VP8"))
    }),
    (true, "RTX removed with all its lines", |sdp| {
        without_codecs(sdp, "video", &payload_types(sdp, "rtx"))
    }),
    (true, "`telephone-event` removed with all its lines", |sdp| {
        without_codecs(sdp, "audio", &payload_types(sdp, "telephone-event"))
    }),
    (true, "`a=rtcp-fb` removed", |sdp| without(sdp, "video", "a=rtcp-fb:")),
    (true, "`a=extmap` removed", |sdp| {
        without(&without(sdp, "audio", "a=extmap:"), "video", "a=extmap:")
    }),
    (true, "`a=rtcp-rsize` removed", |sdp| without(sdp, "video", "a=rtcp-rsize")),
    (true, "`a=extmap-allow-mixed` removed", |sdp| without(sdp, "session", "a=extmap-allow-mixed")),
    (true, "direction reduced to `sendonly`", |sdp| directed(sdp, "audio", "sendonly")),
    (true, "direction reduced to `recvonly`", |sdp| directed(sdp, "audio", "recvonly")),
    (true, "direction reduced to `inactive`", |sdp| directed(sdp, "audio", "inactive")),
    (true, "`a=msid` changed", |sdp| sdp.replace("a=msid:stream", "a=msid:other")),
    (true, "`a=msid` removed", |sdp| without(sdp, "audio", "a=msid:")),
    (true, "`a=ssrc` and `a=ssrc-group` changed", |sdp| {
        let ssrc = attribute(sdp, "ssrc").unwrap();
        let (ssrc, _) = ssrc.split_once(' ').unwrap();
        sdp.replace(ssrc, "1234")
    }),
    (true, "`a=ssrc` and `a=ssrc-group` removed", |sdp| {
        without(&without(sdp, "audio", "a=ssrc"), "video", "a=ssrc")
    }),
    (true, "`a=ssrc` or `a=ssrc-group` added", |sdp| {
        let sdp = add(sdp, "video", "a=ssrc-group:FID 1 2");
        add(&add(&sdp, "video", "a=ssrc:1 cname:x"), "video", "a=ssrc:2 cname:x")
    }),
    (true, "`a=max-message-size` lowered", |sdp| {
        sdp.replace("a=max-message-size:262144", "a=max-message-size:16384")
    }),
    (true, "`a=max-message-size` removed", |sdp| without(sdp, "application", "a=max-message-size")),
    (true, "an encoding removed, its `a=rid` and its place in `a=simulcast`", |sdp| {
        sdp.replace("a=rid:m send\r\n", "")
            .replace("a=simulcast:send h;m;l", "a=simulcast:send h;l")
    }),
    (true, "all encodings but one removed", |sdp| {
        let sdp = sdp.replace("a=rid:m send\r\n", "").replace("a=rid:l send\r\n", "");
        without(&sdp, "video", "a=simulcast:send")
    }),
    (false, "`v=` changed", |sdp| sdp.replacen("v=0", "v=1", 1)),
    (false, "`o=` changed", |sdp| sdp.replacen("o=- ", "o=me ", 1)),
    (false, "`s=` or `t=` changed", |sdp| sdp.replacen("t=0 0", "t=0 1", 1)),
    (false, "`c=` changed", |sdp| sdp.replacen("c=IN IP4 0.0.0.0", "c=IN IP4 192.0.2.1", 1)),
    (false, "a section removed", |sdp| {
        within(sdp, "application", |_| String::new()).replace("BUNDLE 0 1 2", "BUNDLE 0 1")
    }),
    (false, "sections swapped", |sdp| {
        let (head, rest) = sdp.split_at(sdp.find("m=audio").unwrap());
        let (audio, rest) = rest.split_at(rest.find("m=video").unwrap());
        let (video, data) = rest.split_at(rest.find("m=application").unwrap());
        format!("{head}{video}{audio}{data}")
    }),
    (false, "a section added", |sdp| format!("{sdp}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n")),
    (false, "port 0", |sdp| sdp.replacen("m=video 9", "m=video 0", 1)),
    (false, "another port", |sdp| sdp.replacen("m=video 9", "m=video 5004", 1)),
    (false, "another protocol", |sdp| {
        sdp.replacen("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/SAVPF", 1)
    }),
    (false, "a mid renamed", |sdp| {
        sdp.replace("a=mid:1", "a=mid:x").replace("BUNDLE 0 1", "BUNDLE 0 x")
    }),
    (false, "the BUNDLE group removed", |sdp| without(sdp, "session", "a=group:BUNDLE")),
    (false, "the BUNDLE group reduced", |sdp| sdp.replace("BUNDLE 0 1 2", "BUNDLE 0 1")),
    (false, "a group added", |sdp| add(sdp, "session", "a=group:LS 0 1")),
    (false, "the fingerprint changed", |sdp| {
        sdp.replace(&attribute(sdp, "fingerprint").unwrap(), &fingerprint(7).to_string())
    }),
    (false, "a fingerprint added", |sdp| {
        add(sdp, "audio", &format!("a=fingerprint:{}", fingerprint(7)))
    }),
    (false, "`a=setup` changed", |sdp| {
        sdp.replace("actpass", "passive").replace("a=setup:active", "a=setup:passive")
    }),
    (false, "`a=tls-id` added", |sdp| {
        add(sdp, "audio", "a=tls-id:91bbf309c0990a6bec11e38ba2933cee")
    }),
    (false, "ufrag changed", |sdp| sdp.replace(&attribute(sdp, "ice-ufrag").unwrap(), "changed")),
    (false, "ufrag and password changed", |sdp| {
        sdp.replace(&attribute(sdp, "ice-ufrag").unwrap(), "changed")
            .replace(&attribute(sdp, "ice-pwd").unwrap(), "0123456789012345678901")
    }),
    (false, "an ICE option added", |sdp| sdp.replace("trickle ice2", "trickle ice2 renomination")),
    (false, "`a=ice-lite` added", |sdp| add(sdp, "session", "a=ice-lite")),
    (false, "a candidate added", |sdp| {
        add(sdp, "audio", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host")
    }),
    (false, "`a=end-of-candidates` added", |sdp| add(sdp, "audio", "a=end-of-candidates")),
    (false, "`a=rtcp-mux` removed", |sdp| without(sdp, "audio", "a=rtcp-mux\r\n")),
    (false, "`a=bundle-only` added", |sdp| add(sdp, "audio", "a=bundle-only")),
    (false, "`a=crypto` added", |sdp| {
        add(sdp, "audio", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x")
    }),
    (false, "`a=sctp-port` changed", |sdp| sdp.replace("a=sctp-port:5000", "a=sctp-port:5001")),
    (false, "`a=max-message-size` raised, or 0", |sdp| {
        sdp.replace("a=max-message-size:262144", "a=max-message-size:0")
    }),
    (false, "a payload type renumbered", |sdp| {
        let opus = &payload_types(sdp, "opus")[0];
        reordered(sdp, "audio", |formats| formats.retain(|format| format != opus))
            .replacen("SAVPF ", "SAVPF 126 ", 1)
            .replace(&format!("a=rtpmap:{opus} "), "a=rtpmap:126 ")
            .replace(&format!("a=fmtp:{opus} "), "a=fmtp:126 ")
            .replace(&format!("a=rtcp-fb:{opus} "), "a=rtcp-fb:126 ")
    }),
    (false, "a codec renamed", |sdp| sdp.replacen("opus/48000/2", "mine/48000/2", 1)),
    (false, "a codec added", |sdp| {
        let sdp =
            sdp.replacen("m=audio 9 UDP/TLS/RTP/SAVPF ", "m=audio 9 UDP/TLS/RTP/SAVPF 126 ", 1);
        add(&sdp, "audio", "a=rtpmap:126 mine/8000")
    }),
    (false, "a payload type removed from the `m=` line only", |sdp| {
        out_of_m_line(sdp, "audio", &payload_types(sdp, "PCMU"))
    }),
    (false, "a codec removed, and not its RTX", |sdp| {
        without_codecs(sdp, "video", &payload_types(sdp, "VP8"))
    }),
    (false, "RTX for another payload type", |sdp| {
        let apt = format!("apt={}\r\n", payload_types(sdp, "VP8")[0]);
        sdp.replacen(&apt, &format!("apt={}\r\n", payload_types(sdp, "VP9")[0]), 1)
    }),
    (false, "every codec removed but `telephone-event`", |sdp| {
        let kept = payload_types(sdp, "telephone-event");
        let (_, audio) = sdp.split_once("m=audio ").unwrap();
        let formats = audio.lines().next().unwrap().split(' ').skip(2);
        let gone: Vec<String> =
            formats.filter(|pt| !kept.iter().any(|k| k == pt)).map(str::to_owned).collect();
        without_codecs(sdp, "audio", &gone)
    }),
    (false, "H264: `packetization-mode` changed", |sdp| {
        sdp.replacen("packetization-mode=1", "packetization-mode=0", 1)
    }),
    (false, "an `a=extmap` renumbered, added or with a direction", |sdp| {
        sdp.replacen("a=extmap:1 ", "a=extmap:1/sendonly ", 1)
    }),
    (false, "`a=rtcp-fb` added", |sdp| {
        let opus = &payload_types(sdp, "opus")[0];
        add(sdp, "audio", &format!("a=rtcp-fb:{opus} x-mine"))
    }),
    (false, "a rid renamed", |sdp| {
        sdp.replace("a=rid:m send", "a=rid:x send").replace("send h;m;l", "send h;x;l")
    }),
    (false, "`a=simulcast` in another order, or paused", |sdp| {
        sdp.replace("send h;m;l", "send l;m;h")
    }),
    (false, "`a=simulcast` removed, and no `a=rid`", |sdp| {
        without(sdp, "video", "a=simulcast:send")
    }),
    (false, "an `a=rid` removed, and not from `a=simulcast`", |sdp| {
        sdp.replace("a=rid:m send\r\n", "")
    }),
    (false, "every encoding removed", |sdp| {
        without(&without(sdp, "video", "a=simulcast:send"), "video", "a=rid:")
    }),
    (false, "what is no description any more", |sdp| {
        sdp.replacen("a=mid:0", "a=mid 0\r\nnonsense", 1)
    }),
];

/// An edit of the offer of `a`, sent to `b`; the exchange goes to its end.
fn edit_offer(edit: Edit) -> Result<(Peer, Peer), Error> {
    let (mut a, mut b) = (caller(), callee());
    let created = a.create_offer();
    let edited = RTCSessionDescriptionInit { sdp: edit(&created.sdp), ..created.clone() };
    assert_ne!(edited.sdp, created.sdp, "the edit finds what it edits");
    let before = (a.state(), a.session.local_description(), a.commands());
    if let Err(error) = a.set_local(edited.clone()) {
        let after = (a.state(), a.session.local_description(), a.commands());
        assert_eq!((after.0, after.1, after.2), (before.0, before.1, Vec::new()));
        // What was created is as good as before.
        a.set_local(created).unwrap();
        return Err(error);
    }
    assert_eq!(a.local().sdp(), edited.sdp, "the text is kept");
    b.set_remote(edited).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    Ok((a, b))
}

/// Likewise for the answer of `b`, if it has what is to be edited.
fn edit_answer(edit: Edit) -> Result<Option<(Peer, Peer)>, Error> {
    let (mut a, mut b) = (caller(), callee());
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let created = b.create_answer();
    let edited = RTCSessionDescriptionInit { sdp: edit(&created.sdp), ..created.clone() };
    if edited.sdp == created.sdp {
        return Ok(None);
    }
    b.commands();
    if let Err(error) = b.set_local(edited.clone()) {
        assert_eq!((b.state(), b.commands()), (RTCSignalingState::HaveRemoteOffer, Vec::new()));
        b.set_local(created).unwrap();
        return Err(error);
    }
    assert_eq!(b.local().sdp(), edited.sdp, "the text is kept");
    a.set_remote(edited).unwrap();
    Ok(Some((a, b)))
}

#[test]
fn every_row_of_the_table_is_as_it_says() {
    let table = table();
    for (accepted, name, edit) in ROWS {
        let told = if *accepted { "accepted" } else { "refused" };
        assert!(table.contains(&format!("\n| {name} | {told} |")), "no row | {name} | {told} |");
        for (side, result) in [
            ("offer", edit_offer(*edit).map(|_| ())),
            ("answer", edit_answer(*edit).map(|edited| assert!(*accepted || edited.is_none()))),
        ] {
            match result {
                Ok(()) if side == "answer" => {}
                Ok(()) => assert!(accepted, "{name}: the {side} is accepted"),
                Err(Error::InvalidModificationError(message)) => {
                    assert!(!accepted, "{name}: the {side} is refused: {message}");
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
    let rows = table.lines().filter(|l| l.contains(" | accepted |") || l.contains(" | refused |"));
    assert_eq!(rows.count(), ROWS.len(), "every row has its test");
}

/// As webrtc-pc has it.
#[test]
fn no_edit_is_accepted_without_the_setting() {
    for (_, name, edit) in ROWS {
        let mut a = caller();
        a.session.set_accepts_edited_descriptions(false);
        let created = a.create_offer();
        let edited = RTCSessionDescriptionInit { sdp: edit(&created.sdp), ..created };
        assert_eq!(a.set_local(edited).unwrap_err().name(), "InvalidModificationError", "{name}");
    }
}

fn row(name: &str) -> Edit {
    ROWS.iter().find(|(_, known, _)| *known == name).unwrap().2
}

fn codecs(peer: &mut Peer, index: usize) -> Vec<String> {
    let id = peer.session.transceivers().nth(index).unwrap();
    let parameters = peer.session.get_parameters(id).parameters;
    peer.run();
    parameters.codecs.into_iter().map(|codec| codec.codec.mime_type).collect()
}

#[test]
fn codecs_that_are_left_out_are_not_negotiated_and_are_offered_again() {
    let removed = row("a codec removed with all its lines, and those that refer to it");
    for (mut a, mut b) in [edit_offer(removed).unwrap(), edit_answer(removed).unwrap().unwrap()] {
        for peer in [&mut a, &mut b] {
            assert!(!codecs(peer, 0).contains(&"audio/opus".to_owned()));
            assert!(!codecs(peer, 1).contains(&"video/VP8".to_owned()));
        }
        assert!(a.create_offer().sdp.contains(" opus/48000/2"), "for this exchange only");
    }
    let (mut a, _) = edit_offer(row("payload types in another order")).unwrap();
    let (mut plain, _) = edit_offer(row("an unknown attribute added")).unwrap();
    let (mut ordered, mut usual) = (codecs(&mut a, 0), codecs(&mut plain, 0));
    assert_ne!(ordered, usual);
    ordered.sort();
    usual.sort();
    assert_eq!(ordered, usual);
}

#[test]
fn header_extensions_and_feedback_that_are_left_out_are_not_negotiated() {
    let (mut a, _) = edit_offer(row("`a=extmap` removed")).unwrap();
    let id = a.session.transceivers().next().unwrap();
    assert_eq!(a.session.get_parameters(id).parameters.header_extensions, []);
    let (_, b) = edit_offer(row("`a=rtcp-fb` removed")).unwrap();
    let answer = sdp::Description::parse(b.local().sdp()).unwrap();
    assert!(!answer.media()[1].has_attribute("rtcp-fb"));
    for (name, expected) in [("`a=rtcp-rsize` removed", false), ("`a=msid-semantic` removed", true)]
    {
        let (mut a, _) = edit_offer(row(name)).unwrap();
        let id = a.session.transceivers().nth(1).unwrap();
        let reduced_size = a.session.get_parameters(id).parameters.rtcp.reduced_size;
        assert_eq!(reduced_size, Some(expected));
    }
}

/// `direction` is the application's and stays; the next description has it again, and as in browsers
/// `negotiationneeded` says that it is due.
#[test]
fn a_direction_is_reduced_for_the_exchange() {
    use RTCRtpTransceiverDirection::*;
    // Of the transceiver of the first section, whichever that is.
    let current = |peer: &Peer| {
        let mut all = peer.session.transceivers().filter_map(|id| peer.session.transceiver(id));
        all.find(|transceiver| transceiver.mid() == Some("0")).unwrap().current_direction()
    };
    let inactive = row("direction reduced to `inactive`");
    for (mut a, mut b) in [edit_offer(inactive).unwrap(), edit_answer(inactive).unwrap().unwrap()] {
        let id = a.session.transceivers().next().unwrap();
        assert_eq!(a.session.transceiver(id).unwrap().direction(), Sendrecv);
        assert_eq!((current(&a), current(&b)), (Some(Inactive), Some(Inactive)));
        a.run();
        b.run();
        let next = sdp::Description::parse(&a.create_offer().sdp).unwrap();
        assert_eq!(next.media()[0].direction(), sdp::Direction::SendRecv);
    }
    let (a, b) = edit_offer(row("direction reduced to `sendonly`")).unwrap();
    assert_eq!((current(&a), current(&b)), (Some(Sendonly), Some(Recvonly)));
}

/// The peer is told something else; the sender is in the streams that it is in. An application that
/// edits in its handler of `negotiationneeded` is not asked for ever.
#[test]
fn streams_are_told_to_the_peer_and_ask_for_nothing() {
    for name in ["`a=msid` changed", "`a=msid` removed"] {
        let (mut a, mut b) = edit_offer(row(name)).unwrap();
        let track = b.run().into_iter().find(|event| event.starts_with("track:0:")).unwrap();
        assert_ne!(track, "track:0:stream", "{name}");
        assert!(!a.run().contains(&"negotiationneeded".to_owned()), "{name}");
        assert!(a.create_offer().sdp.contains("a=msid:stream "), "{name}");
    }
}

#[test]
fn an_encoding_that_is_left_out_is_not_sent() {
    let removed = row("an encoding removed, its `a=rid` and its place in `a=simulcast`");
    let (mut a, mut b) = (caller(), Peer::new(2));
    let created = a.create_offer();
    a.set_local(RTCSessionDescriptionInit { sdp: removed(&created.sdp), ..created }).unwrap();
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    let id = a.session.transceivers().nth(1).unwrap();
    let rids: Vec<_> =
        a.session.get_parameters(id).encodings.into_iter().map(|e| e.coding.rid.unwrap()).collect();
    assert_eq!(rids, ["h", "l"]);
}

/// The peer sends no larger ones.
#[test]
fn a_lower_message_size_is_the_peers_limit() {
    let size = |peer: &mut Peer| {
        peer.commands().into_iter().find_map(|command| match command {
            TransportCommand::StartSctp { max_message_size, .. } => Some(max_message_size),
            _ => None,
        })
    };
    let (_, mut b) = edit_offer(row("`a=max-message-size` lowered")).unwrap();
    assert_eq!(size(&mut b), Some(16_384));
    let (_, mut b) = edit_offer(row("`a=max-message-size` removed")).unwrap();
    assert_eq!(size(&mut b), Some(65_536));
}

/// What simple-peer does with `trickle: false`: the line goes, and the description is sent when all
/// candidates are in it.
#[test]
fn candidates_are_added_to_an_edited_description() {
    let mut a = Peer::with_channel(1);
    a.session.set_accepts_edited_descriptions(true);
    let created = a.create_offer();
    let edit = row("`a=ice-options` removed");
    a.set_local(RTCSessionDescriptionInit { sdp: edit(&created.sdp), ..created }).unwrap();
    let candidate =
        sdp::Candidate::parse("1 1 udp 2113929471 203.0.113.100 10100 typ host").unwrap();
    let ufrag = ufrag(&a.local());
    a.session.surface_a_candidate(TransportId(1), &ufrag, &candidate).unwrap();
    a.session.finish_gathering(TransportId(1), &ufrag).unwrap();
    assert!(a.local().sdp().contains("a=candidate:1 1 udp"));
    assert!(a.local().sdp().contains("a=end-of-candidates"));
    assert!(!a.local().sdp().contains("a=ice-options"));
}
