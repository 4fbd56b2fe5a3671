//! Recordings of connections, from anybody: the reader, the replay, and the copy without secrets.
//!
//! An input that begins with `{` is a recording as it stands. Any other one says how to change a
//! recording that is whole: lines go, come twice, change places, have other numbers, and others
//! that tell the connection impossible things come between them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use peerconnection::recording::Recording;
use peerconnection::replay::{Replay, ReplayError, redact};
use peerconnection::{
    MediaKind, PerfectNegotiation, RTCRtpSender, RtpHeader, RtpStream, TrackSource,
};
use testkit::{Conditions, Signalling, World};

/// Lines of a recording that an input changes, at most: most inputs take fewer.
const LINES: usize = 1_500;
/// How often what comes of a changed recording is written into it.
const REPAIRS: usize = 8;
/// Octets of one change.
const CHANGE: usize = 6;
/// Numbers at which something turns, and times: an hour, a hundred years, and what no clock has.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    3,
    255,
    256,
    1_200,
    65_535,
    65_536,
    u32::MAX as u64,
    1_000_000_000,
    3_600_000_000_000,
    3_000_000_000_000_000_000,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];
/// What somebody may put in between. `@` is a time, `#` a number, `^` another one.
const OTHERS: &[&str] = &[
    r#"{"in":[@,"timeout"]}"#,
    r#"{"in":[@,"collect"]}"#,
    r#"{"in":[@,"task"]}"#,
    r#"{"in":[@,"delivery"]}"#,
    r#"{"in":[@,"effect"]}"#,
    r#"{"in":[@,"microtask"]}"#,
    r#"{"in":[@,"pollTransmit"]}"#,
    r#"{"in":[@,"pollAction"]}"#,
    r#"{"in":[@,"restartIce"]}"#,
    r#"{"in":[@,"networkChanged"]}"#,
    r#"{"in":[@,"resumed"]}"#,
    r#"{"in":[@,"close"]}"#,
    r#"{"in":[@,"getStats"]}"#,
    r#"{"in":[@,"dump"]}"#,
    r#"{"in":[@,"queueTask"]}"#,
    r#"{"in":[@,"renewNegotiationNeeded"]}"#,
    r#"{"in":[@,{"transceivers":{"live":true}}]}"#,
    r#"{"in":[@,{"createOffer":{"iceRestart":true}}]}"#,
    r#"{"in":[@,{"createAnswer":{}}]}"#,
    r#"{"in":[@,{"setLocalDescription":null}]}"#,
    r#"{"in":[@,{"setLocalDescription":{"type":"rollback","sdp":""}}]}"#,
    r#"{"in":[@,{"setRemoteDescription":{"type":"rollback","sdp":""}}]}"#,
    r#"{"in":[@,{"addIceCandidate":null}]}"#,
    concat!(
        r#"{"in":[@,{"datagram":{"socket":#,"from":"10.0.0.2:20001","#,
        r#""octets":"gG8AAQAAAAAAAAAB","zeros":^}}]}"#,
    ),
    concat!(
        r#"{"in":[@,{"datagram":{"socket":1,"from":"10.0.0.2:20001","#,
        r#""octets":"gMgABgAAAAAAAAAA","zeros":#}}]}"#,
    ),
    r#"{"in":[@,{"stream":{"socket":#,"octets":"AAEAAAAAAAAA"}}]}"#,
    r#"{"in":[@,{"socketBound":{"transport":#,"generation":^,"socket":9,"local":"10.0.0.1:9"}}]}"#,
    r#"{"in":[@,{"socketBound":{"transport":1,"generation":0,"socket":#,"local":"[ff02::1]:0"}}]}"#,
    r#"{"in":[@,{"listening":{"transport":1,"generation":0,"socket":#,"local":"0.0.0.0:0"}}]}"#,
    r#"{"in":[@,{"accepted":{"listener":#,"socket":^,"remote":"10.0.0.9:9"}}]}"#,
    r#"{"in":[@,{"gatheringDone":{"transport":#,"generation":^}}]}"#,
    concat!(
        r#"{"in":[@,{"connected":{"transport":1,"generation":0,"connection":#,"#,
        r#""opened":{"Ok":[^,"10.0.0.1:9"]}}}]}"#,
    ),
    concat!(
        r#"{"in":[@,{"resolved":{"transport":1,"generation":0,"of":"server","#,
        r#""host":"a.example","addresses":{"Ok":["10.0.0.3","::1"]}}}]}"#,
    ),
    r#"{"in":[@,{"socketFailed":{"socket":#}}]}"#,
    r#"{"in":[@,{"interfaceChanged":{"socket":#,"isUp":false}}]}"#,
    r#"{"in":[@,{"hideAddress":{"address":"10.0.0.1","name":"x.local"}}]}"#,
    r#"{"in":[@,{"endOfCandidatesTimeout":{"secs":#,"nanos":7}}]}"#,
    r#"{"in":[@,{"disconnectedTimeout":{"secs":#,"nanos":999999999}}]}"#,
    r#"{"in":[@,{"congestionControl":"cubic"}]}"#,
    r#"{"in":[@,{"messageInterleaving":true}]}"#,
    r#"{"in":[@,{"sctpInit":"on"}]}"#,
    concat!(
        r#"{"in":[@,{"keepDump":{"logBytes":#,"statisticsInterval":{"secs":^,"nanos":0},"#,
        r#""samples":#}}]}"#,
    ),
    concat!(
        r#"{"in":[@,{"createDataChannel":{"label":"x","init":{"negotiated":true,"id":7,"#,
        r#""maxPacketLifeTime":65535}}}]}"#,
    ),
    r#"{"in":[@,{"createDataChannel":{"label":"y","init":{"maxRetransmits":0}}}]}"#,
    r#"{"in":[@,{"send":{"channel":#,"isText":true,"octets":"/w=="}}]}"#,
    r#"{"in":[@,{"closeChannel":{"channel":#}}]}"#,
    r#"{"in":[@,{"pauseChannel":{"channel":#,"paused":true}}]}"#,
    r#"{"in":[@,{"bufferedAmountLowThreshold":{"channel":0,"threshold":#}}]}"#,
    r#"{"in":[@,{"deliverWaiting":{"channel":#}}]}"#,
    concat!(
        r#"{"in":[@,{"addTransceiver":{"track":null,"kind":"video","direction":"sendrecv","#,
        r#""streams":["s"],"encodings":[]}}]}"#,
    ),
    r#"{"in":[@,{"addTrack":{"track":{"id":"t","kind":"audio"},"streams":[]}}]}"#,
    r#"{"in":[@,{"removeTrack":{"transceiver":#}}]}"#,
    r#"{"in":[@,{"replaceTrack":{"transceiver":#,"track":{"id":"t","kind":"audio"}}}]}"#,
    r#"{"in":[@,{"setDirection":{"transceiver":#,"direction":"stopped"}}]}"#,
    r#"{"in":[@,{"setStreams":{"transceiver":#,"streams":["","a b"]}}]}"#,
    r#"{"in":[@,{"setCodecPreferences":{"transceiver":#,"codecs":[]}}]}"#,
    concat!(
        r#"{"in":[@,{"setConfiguration":{"iceServers":[{"urls":["turn:10.0.0.9"],"#,
        r#""username":"u","credential":"c"}],"iceTransportPolicy":"all","#,
        r#""bundlePolicy":"max-bundle","rtcpMuxPolicy":"require","#,
        r#""iceCandidatePoolSize":255}}]}"#,
    ),
    r#"{"in":[@,{"getParameters":{"transceiver":#}}]}"#,
    r#"{"in":[@,{"stopTransceiver":{"transceiver":#}}]}"#,
    r#"{"in":[@,{"requestKeyFrame":{"transceiver":#,"rid":"h"}}]}"#,
    r#"{"in":[@,{"insertDtmf":{"transceiver":#,"tones":"1,2","duration":^,"gap":#}}]}"#,
    concat!(
        r#"{"in":[@,{"rtpStream":{"number":#,"origin":^,"rid":"h","#,
        r#""codecs":[{"mimeType":"video/H264","clockRate":#,"payloadType":96}],"#,
        r#""headerExtensions":[{"uri":"urn:ietf:params:rtp-hdrext:ssrc-audio-level","id":^,"#,
        r#""encrypted":false}]}}]}"#,
    ),
    concat!(
        r#"{"in":[@,{"sendPacket":{"transceiver":#,"stream":^,"header":"gGAAAQAAAAAAAAAA","#,
        r#""length":#,"beginsKeyFrame":true}}]}"#,
    ),
    concat!(
        r#"{"in":[@,{"sendPacket":{"transceiver":0,"stream":1,"header":"gG8AAQAAAAAAAAAA","#,
        r#""length":#}}]}"#,
    ),
    r#"{"in":[@,{"sendPacket":{"transceiver":0,"stream":1,"header":"/w==","length":7}}]}"#,
    r#"{"in":[@,{"cloneTrack":{"of":"t","id":"u"}}]}"#,
    r#"{"in":[@,{"stopTrack":{"id":"t"}}]}"#,
    r#"{"dtls":[#,{"datagram":^}]}"#,
    r#"{"dtls":[0,{"timeout":#}]}"#,
    r#"{"dtls":[0,"connected"]}"#,
    r#"{"dtls":[0,"closeNotify"]}"#,
    r#"{"dtls":[0,{"data":"E4gTiAAAAAAAAAAA"}]}"#,
    r#"{"dtls":[0,{"keys":{"profile":"aeadAes256Gcm","material":"AAAA"}}]}"#,
    r#"{"dtls":[0,{"peerCertificate":"MIIB"}]}"#,
    r#"{"dtls":[0,{"answered":{"asked":"datagram","ended":{"alert":40}}}]}"#,
    r#"{"dtls":[0,{"answered":{"asked":"datagram","lengths":[#,^]}}]}"#,
    r#"{"srtp":"refused"}"#,
    r#"{"srtp":{"rtp":{"length":#,"first":"//8=","padding":255}}}"#,
    r#"{"srtp":{"rtcp":"gcgADAAAAAAAAAAA"}}"#,
    r#"{"end":"full"}"#,
];

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A short call with a message, sound and a picture, from its first line to its last.
fn whole() -> &'static [String] {
    static WHOLE: OnceLock<Vec<String>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let mut world = World::new(1, Conditions::default());
        let memory = Memory::default();
        let recording = Recording::new(memory.clone());
        let address = "10.0.0.1".parse().expect("an address");
        let a = world.add_recorded_peer(Default::default(), vec![address], &recording);
        let b = world.add_peer(Default::default());
        let handle = world.handle();
        let (to_b, to_a) = Signalling::pair(&handle.stage(), Duration::from_millis(20));
        for (pc, polite, signalling) in [(&a, false, to_b), (&b, true, to_a)] {
            let negotiation = PerfectNegotiation::new(pc, polite);
            handle.spawn(async move {
                // Signalling ends with the world.
                let _ = negotiation.run(signalling).await;
            });
        }
        let sources = [MediaKind::Audio, MediaKind::Video].map(|kind| {
            let source = TrackSource::new(kind);
            for pc in [&a, &b] {
                pc.add_track(source.track(), &[]).expect("a sender");
            }
            let codec = RTCRtpSender::get_capabilities(kind).codecs.swap_remove(0);
            (source, RtpStream::new(codec))
        });
        let channel = a.create_data_channel("chat", None).expect("a channel");
        world.run_for(Duration::from_secs(1));
        channel.send("hello").expect("an open channel");
        for sequence_number in 0..3 {
            for (source, stream) in &sources {
                let header = RtpHeader { sequence_number, ..RtpHeader::default() };
                source.send(stream.packet(header, vec![0x10, 0, 0]));
            }
            world.run_for(Duration::from_millis(20));
        }
        a.close();
        world.run_for(Duration::from_secs(1));
        drop((a, b, world));
        let octets = memory.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(octets).expect("JSON");
        text.lines().map(str::to_owned).collect()
    })
}

/// Gives whatever it is to the reader, the replay and the copy.
pub fn replay(input: &[u8]) {
    let changed;
    let recording = if input.first() == Some(&b'{') {
        input
    } else {
        changed = accepted(change(input));
        changed.as_bytes()
    };
    let lines = recording.iter().filter(|octet| **octet == b'\n').count() + 1;
    if let Ok(mut replay) = Replay::new(recording) {
        let mut steps = 0;
        for step in replay.by_ref() {
            steps += 1;
            let Ok(step) = step else { break };
            // Whoever reads it reads no more than the file and what the connection makes of it.
            assert!(step.to_string().len() < 64 * recording.len() + (1 << 20));
            assert!(steps <= lines, "a step has a line at least");
        }
        assert!(replay.next().is_none(), "what is over is over");
        let _ = (replay.ending(), replay.statistics());
    }
    // A copy takes two replays: every third input has one.
    if input.len().is_multiple_of(3) {
        let mut copy = Vec::new();
        if redact(recording, &mut copy).is_ok() {
            let again = Replay::new(&copy[..]).expect("a recording");
            again.for_each(|step| drop(step.expect("a copy replays")));
        }
    }
}

/// A recording with the changes that an input names.
fn change(input: &[u8]) -> String {
    let mut changes = input.iter().copied();
    let mut next = || changes.next().map_or(0, usize::from);
    // How much of it there is: most things happen early, and all of it takes long.
    let whole = whole();
    let end = (2 + whole.len() * next() / 255).min(whole.len()).min(LINES);
    let mut lines: Vec<String> = whole.get(..end).unwrap_or_default().to_vec();
    for _ in 0..(input.len().saturating_sub(1) / CHANGE).min(32) {
        let change = next();
        let at = 1 + (next() << 8 | next()) % (lines.len().max(2) - 1);
        let (one, other, third) = (next(), next(), next());
        let number = |place: usize| NUMBERS[place % NUMBERS.len()];
        let Some(line) = lines.get(at).cloned() else { continue };
        match change % 8 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, line),
            2 => {
                let place = 1 + (one << 8 | other) % (lines.len() - 1);
                lines.swap(at, place);
            }
            3 => lines[at] = with_number(&line, one, number(other)),
            4 => lines[at] = with_octet(&line, one << 8 | other, third),
            5 => lines.truncate(at),
            6 => (0..one).for_each(|_| lines.insert(at, line.clone())),
            _ => {
                // At the time of what is there, or at another one.
                let time = (third % 2 == 0).then(|| time_of(&lines[..at])).flatten();
                let template = OTHERS[one % OTHERS.len()];
                let new = template.replace('@', &time.unwrap_or(number(third / 2)).to_string());
                let new = new.replace('#', &number(other).to_string());
                lines.insert(at, new.replace('^', &number(other / 16).to_string()));
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A recording whose lines say what comes of it, as somebody makes it who has the code: what differs
/// is replaced, so that the replay goes on behind it.
fn accepted(mut recording: String) -> String {
    for _ in 0..REPAIRS {
        let difference = Replay::new(recording.as_bytes()).ok().and_then(|mut replay| {
            replay.find_map(|step| match step {
                Err(ReplayError::Differs { line, recorded, replayed, .. }) => {
                    Some((usize::try_from(line).ok()?, recorded, replayed))
                }
                _ => None,
            })
        });
        let Some((step, recorded, replayed)) = difference else { break };
        let mut lines: Vec<&str> = recording.lines().collect();
        let behind = lines.iter().skip(step).position(|line| !is_outcome(line));
        let end = behind.map_or(lines.len(), |behind| step + behind);
        let outcome = lines.get(step..end).unwrap_or_default();
        let place = outcome.iter().position(|line| *line == recorded).map(|at| step + at);
        match (place, replayed.as_str()) {
            (Some(place), "nothing") => drop(lines.remove(place)),
            (Some(place), new) => lines[place] = new,
            (None, "nothing") => break,
            (None, new) => lines.insert(end, new),
        }
        recording = lines.join("\n") + "\n";
    }
    recording
}

/// Whether a line says what came of a step.
fn is_outcome(line: &str) -> bool {
    [r#"{"out""#, r#"{"dtls""#, r#"{"srtp""#].iter().any(|kind| line.starts_with(kind))
}

/// The time of the last step in these lines.
fn time_of(lines: &[String]) -> Option<u64> {
    let last = lines.iter().rev().find_map(|line| line.strip_prefix(r#"{"in":["#))?;
    last.split(',').next()?.parse().ok()
}

/// A line in which one of the numbers is another one.
fn with_number(line: &str, which: usize, number: u64) -> String {
    let is_digit = |(_, octet): &(usize, u8)| octet.is_ascii_digit();
    let starts: Vec<_> = line
        .bytes()
        .enumerate()
        .filter(is_digit)
        .map(|(at, _)| at)
        .filter(|at| *at == 0 || !line.as_bytes()[at - 1].is_ascii_digit())
        .collect();
    if starts.is_empty() {
        return line.to_owned();
    }
    let start = starts[which % starts.len()];
    let rest = &line[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    format!("{}{number}{}", &line[..start], &rest[end..])
}

/// A line in which one character is another one, printable as all are.
fn with_octet(line: &str, at: usize, octet: usize) -> String {
    let mut characters: Vec<char> = line.chars().collect();
    let at = at % characters.len().max(1);
    if let Some(character) = characters.get_mut(at) {
        *character = char::from(b' ' + (octet % 95) as u8);
    }
    characters.into_iter().collect()
}

/// Recordings that are cut off, and changes of each kind.
pub fn recordings() -> Vec<Vec<u8>> {
    let beginning = |lines: usize| {
        let lines = whole().get(..lines).unwrap_or_default();
        (lines.join("\n") + "\n").into_bytes()
    };
    let mut corpus = vec![b"{}\n".to_vec(), beginning(1), beginning(2), beginning(60)];
    corpus.push(vec![255]);
    for (number, _) in (0_u8..).zip(OTHERS) {
        // In the beginning, in the middle of the handshake, and once it is connected.
        for end in [20, 110, 250] {
            corpus.push(vec![end, 7, 255, 255, number, number, 0]);
            corpus.push(vec![end, 7, 255, 255, number, number ^ 0x5a, 23]);
        }
    }
    for change in 0..7 {
        corpus.push(vec![200, change, 0, 77, 3, 9, 33]);
    }
    corpus
}
