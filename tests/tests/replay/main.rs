//! A connection is recorded, and what happened happens again.

mod media;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use peerconnection::host::{CongestionControl, Shortcut};
use peerconnection::recording::Recording;
use peerconnection::replay::{Ending, Replay, ReplayError, Step, redact};
use peerconnection::{
    AnyEvent, DumpOptions, MediaKind, MediaStream, MediaStreamTrack, PerfectNegotiation,
    RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCIceTransportPolicy, RTCPeerConnection,
    RTCPriorityType, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpTransceiverDirection,
    RTCRtpTransceiverInit, TokioOptions, UdpMux,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testkit::{Conditions, Signalling, Trace, World};

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Two peers that negotiate, the first of which is recorded.
struct Recorded {
    world: World,
    a: RTCPeerConnection,
    b: RTCPeerConnection,
    memory: Memory,
}

impl Recorded {
    fn new(seed: u64, limit: u64) -> Self {
        let mut world = World::new(seed, Conditions::default());
        let memory = Memory::default();
        let recording = Recording::new(memory.clone()).with_limit(limit);
        let address = "10.0.0.1".parse().unwrap();
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
        Self { world, a, b, memory }
    }

    /// A channel of `a`, and `b`'s end of it.
    fn open_channel(&mut self) -> (RTCDataChannel, RTCDataChannel) {
        let mut events = self.b.events();
        let of_a = self.a.create_data_channel("chat", None).unwrap();
        let of_b = self.world.run(async move {
            loop {
                if let Some(Ok(AnyEvent::DataChannel(channel))) = events.next().await {
                    return channel;
                }
            }
        });
        self.world.run_for(Duration::from_millis(100));
        (of_a, of_b)
    }

    /// The recording, once everything is over.
    fn end(self) -> String {
        let Self { world, a, b, memory } = self;
        drop((a, b, world));
        memory.text()
    }
}

/// Connected peers talk, ICE restarts while a fifth of everything is lost, and they talk on.
/// Returns the recording, and the events that `a`'s application has seen.
fn restart_under_loss(seed: u64) -> (String, Vec<String>) {
    let mut peers = Recorded::new(seed, u64::MAX);
    let trace = Trace::of(&peers.world.handle(), &peers.a);
    let (of_a, of_b) = peers.open_channel();
    of_b.on_message(|event| event.target().send(event.data()).unwrap());
    let heard = Arc::new(Mutex::new(0));
    let counted = heard.clone();
    of_a.on_message(move |_| *counted.lock().unwrap() += 1);

    peers.world.network.set_conditions(Conditions { loss: 0.2, ..Conditions::default() });
    peers.a.restart_ice();
    for number in 0..20 {
        of_a.send(format!("the secret number {number}").as_str()).unwrap();
        of_a.send(vec![number; 5000]).unwrap();
        peers.world.run_for(Duration::from_millis(200));
    }
    peers.world.run_for(Duration::from_secs(10));
    assert_eq!(*heard.lock().unwrap(), 40, "nothing is lost");
    peers.a.close();
    peers.world.run_for(Duration::from_secs(1));
    let seen = trace.take();
    (peers.end(), seen)
}

fn replay(recording: &str) -> Result<(Vec<Step>, Option<Ending>), ReplayError> {
    let mut replay = Replay::new(recording.as_bytes())?;
    let steps = (&mut replay).collect::<Result<_, _>>()?;
    Ok((steps, replay.ending()))
}

/// The events of a replay, without what belongs to objects of their own.
fn events(steps: &[Step]) -> Vec<String> {
    steps.iter().flat_map(|step| step.events().map(str::to_owned)).collect()
}

/// The same without what differs in a copy without secrets: names, addresses, digits.
fn words(steps: &[Step]) -> Vec<String> {
    let mut events = events(steps);
    let differs = |event: &String| {
        ["icecandidate", "tonechange"].iter().any(|name| event.starts_with(name))
            || event.contains("candidatepair")
    };
    let shorten = |event: &mut String| event.truncate(event.find(' ').unwrap());
    events.iter_mut().filter(|event| differs(event)).for_each(shorten);
    events
}

/// What is printed of all steps.
fn printed(steps: &[Step]) -> String {
    steps.iter().map(Step::to_string).collect()
}

#[test]
fn what_was_recorded_happens_again() {
    for seed in 1..4 {
        let (recording, seen) = restart_under_loss(seed);
        let (steps, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ending, Some(Ending::Gone));

        let events = events(&steps);
        let count = |text: &str| events.iter().filter(|event| event.contains(text)).count();
        let of_seen = |text: &str| seen.iter().filter(|event| event.as_str() == text).count();
        assert!(events.contains(&"connectionstatechange connected".to_owned()), "{events:#?}");
        assert_eq!(count("negotiationneeded"), of_seen("negotiationneeded"));
        assert_eq!(count("negotiationneeded"), 2);
        assert_eq!(count("selectedcandidatepairchange"), of_seen("pair"));
        let printed = printed(&steps);
        assert_eq!(printed.matches("send on channel").count(), 40);
        assert_eq!(printed.matches("  message   on channel").count(), 40);
        assert_eq!(printed.matches("call      restartIce").count(), 1);
    }
}

/// The number of a line, and the line, that a test looks for.
fn find(recording: &str, fits: impl Fn(&str) -> bool) -> (u64, &str) {
    let (index, line) = recording.lines().enumerate().find(|(_, line)| fits(line)).unwrap();
    (index as u64 + 1, line)
}

/// The octets of a datagram that was received.
fn datagram(line: &str) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let octets = value["in"][1]["datagram"]["octets"].as_str()?;
    Some(BASE64.decode(octets).unwrap())
}

#[test]
fn a_changed_byte_is_found_at_its_step() {
    let (recording, _) = restart_under_loss(5);

    // A check of the peer that is not authentic any more gets no answer.
    let is_request = |line: &str| datagram(line).is_some_and(|octets| octets.starts_with(&[0, 1]));
    let (number, line) = find(&recording, is_request);
    let mut octets = datagram(line).unwrap();
    let before = BASE64.encode(&octets);
    let last = octets.len() - 1;
    octets[last] ^= 1;
    let changed = recording.replacen(&before, &BASE64.encode(&octets), 1);
    let Err(ReplayError::Differs { line, recorded, .. }) = replay(&changed) else {
        panic!("nobody has noticed");
    };
    assert!(recorded.contains("transmit"), "{recorded}");
    let between = recording.lines().skip(number as usize).take((line - number) as usize);
    let outputs = between.filter(|line| line.starts_with("{\"out\"")).count();
    assert_eq!(outputs, 0, "the first output behind it differs");

    // What came out is compared as it is.
    let (number, line) =
        find(&recording, |line| line.contains("iceconnectionstatechange checking"));
    let changed = recording.replacen(line, &line.replace("checking", "chewing!"), 1);
    let Err(ReplayError::Differs { line, recorded, replayed, .. }) = replay(&changed) else {
        panic!("nobody has noticed");
    };
    assert!(recorded.contains("chewing!") && replayed.contains("checking"));
    assert!(line < number && recording.lines().nth(line as usize - 1).unwrap().contains("\"in\""));

    // Plaintext that DTLS gave is not what the application got.
    let data = "{\"dtls\":[0,{\"data\":\"";
    let (_, line) = find(&recording, |line| line.starts_with(data) && line.len() > 1200);
    let mut octets = BASE64.decode(&line[data.len()..line.len() - 4]).unwrap();
    octets[600] ^= 1;
    let changed = recording.replacen(line, &format!("{data}{}\"}}]}}", BASE64.encode(octets)), 1);
    assert!(matches!(replay(&changed), Err(ReplayError::Differs { .. })));
}

#[test]
fn a_recording_ends_at_its_limit_and_says_so() {
    let (whole, _) = restart_under_loss(6);
    let mut peers = Recorded::new(6, 40_000);
    let (of_a, _of_b) = peers.open_channel();
    (0..100).for_each(|number| of_a.send(vec![number; 2000]).unwrap());
    peers.world.run_for(Duration::from_secs(2));
    assert_eq!(of_a.buffered_amount(), 0, "the connection goes on");
    let recording = peers.end();
    assert!(recording.len() <= 40_000 && recording.len() > 20_000, "{}", recording.len());
    assert!(recording.ends_with("{\"end\":\"full\"}\n"), "{}", &recording[recording.len() - 200..]);
    let (steps, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Some(Ending::Full));
    assert!(!steps.is_empty() && whole.len() > recording.len());
}

/// Everything in a recording as octets: its text, and what it has in base64.
fn octets_of(recording: &str) -> Vec<Vec<u8>> {
    let strings = recording.split('"').filter_map(|text| BASE64.decode(text).ok());
    strings.chain([recording.as_bytes().to_vec()]).collect()
}

fn has(octets: &[Vec<u8>], secret: &str) -> bool {
    octets.iter().any(|octets| octets.windows(secret.len()).any(|w| w == secret.as_bytes()))
}

/// A copy without secrets.
fn redacted(recording: &str) -> String {
    let mut copy = Vec::new();
    let ending = redact(recording.as_bytes(), &mut copy).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Ending::Gone);
    String::from_utf8(copy).unwrap()
}

#[test]
fn a_copy_without_secrets_replays_to_the_same_events() {
    let (recording, _) = restart_under_loss(7);
    let copy = self::redacted(&recording);

    let attribute = |name: &str| -> BTreeSet<String> {
        let values = recording.split(name).skip(1);
        values.map(|rest| rest.split(r"\r").next().unwrap().to_owned()).collect()
    };
    let passwords = attribute("a=ice-pwd:");
    assert_eq!(passwords.len(), 2, "of the peer, before and after the restart");
    let fragments = attribute("a=ice-ufrag:");
    let secrets = passwords.iter().chain(&fragments).map(String::as_str);
    let (before, after) = (octets_of(&recording), octets_of(&copy));
    // The connection's own passwords come from this seed, and stand nowhere.
    let seed = recording.split("\"sessionSeed\":\"").nth(1).unwrap().split('"').next().unwrap();
    for secret in secrets.chain(["10.0.0.", "the secret number", seed]) {
        assert!(has(&before, secret), "{secret}");
        assert!(!has(&after, secret), "{secret}");
    }
    // Nor in the form in which STUN has addresses (RFC 8489 §14.2).
    let hidden = |address: [u8; 4]| u32::from_be_bytes(address) ^ 0x2112_a442;
    for address in [[10, 0, 0, 1], [10, 0, 0, 2]] {
        let hidden = hidden(address).to_be_bytes();
        let found = |octets: &[Vec<u8>]| octets.iter().any(|o| o.windows(4).any(|w| w == hidden));
        assert!(found(&before) || address == [10, 0, 0, 2]);
        assert!(!found(&after), "{address:?}");
    }

    let (original, _) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    let (redacted, ending) = replay(&copy).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Some(Ending::Gone));
    assert_eq!(words(&original), words(&redacted));
    let times = |steps: &[Step]| steps.iter().map(Step::at).collect::<Vec<_>>();
    assert_eq!(times(&original), times(&redacted));
    assert!(printed(&redacted).contains(" from 192.0.2.2:20001 "), "{}", printed(&redacted));
}

#[test]
fn a_relayed_connection_loses_its_server_too() {
    let mut peers = Recorded::new(8, u64::MAX);
    let server = peers.world.add_server("192.168.7.7:3478".parse().unwrap());
    let password = server.credential.clone().unwrap();
    peers
        .a
        .set_configuration(RTCConfiguration {
            ice_servers: vec![server],
            ice_transport_policy: RTCIceTransportPolicy::Relay,
            ..RTCConfiguration::default()
        })
        .unwrap();
    let (of_a, of_b) = peers.open_channel();
    of_b.on_message(|event| event.target().send(event.data()).unwrap());
    of_a.send("through the relay").unwrap();
    peers.world.run_for(Duration::from_secs(20));
    peers.a.close();
    peers.world.run_for(Duration::from_secs(1));
    let recording = peers.end();

    let (original, _) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    let copy = self::redacted(&recording);
    let (redacted, _) = replay(&copy).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(events(&original).len(), events(&redacted).len());
    assert!(printed(&redacted).contains("message   on channel 0: 17 octets, text"));
    let after = octets_of(&copy);
    for secret in ["192.168.7.7", &password, "through the relay"] {
        assert!(has(&octets_of(&recording), secret) && !has(&after, secret), "{secret}");
    }
}

/// Whatever a host can set, and channels of several priorities whose messages are interleaved.
#[test]
fn what_a_host_has_set_counts_again() {
    for (shortcut, interleaving) in [(Shortcut::Off, false), (Shortcut::On, true)] {
        let mut peers = Recorded::new(13, u64::MAX);
        for peer in 0..2 {
            let driver = peers.world.driver(peer);
            driver.set_sctp_init(shortcut);
            driver.set_dtls_in_stun(shortcut);
            driver.set_message_interleaving(interleaving);
            driver.set_congestion_control(CongestionControl::Cubic);
        }
        let dump = DumpOptions::default().with_statistics_every(Duration::from_secs(1));
        peers.world.set_dump(0, dump);
        let urgent = RTCDataChannelInit { priority: RTCPriorityType::High, ..Default::default() };
        let urgent = peers.a.create_data_channel("urgent", urgent).unwrap();
        let (bulk, of_b) = peers.open_channel();
        of_b.on_message(|event| event.target().send(event.data()).unwrap());
        for number in 0..5 {
            bulk.send(vec![number; 60_000]).unwrap();
            urgent.send("the secret between").unwrap();
        }
        peers.world.run_for(Duration::from_secs(5));
        assert_eq!(bulk.buffered_amount() + urgent.buffered_amount(), 0);
        assert!(peers.a.dump().is_some());
        peers.a.close();
        peers.world.run_for(Duration::from_secs(1));
        let recording = peers.end();

        let is_short = shortcut == Shortcut::On;
        assert_eq!(recording.contains("a=sctp-init:"), is_short);
        let (original, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ending, Some(Ending::Gone));
        let text = printed(&original);
        for option in
            ["sctp_init O", "dtls_in_stun O", "message_interleaving ", "congestion_control Cubic"]
        {
            assert!(text.contains(option), "{option}");
        }
        assert_eq!(text.matches("option    dump").count(), 1);
        assert_eq!(text.matches("call      dump").count(), 1);
        assert_eq!(text.matches("message   on channel").count(), 5);
        // I-DATA (RFC 8260 §2.1), behind a SACK without gaps in a packet that begins with the
        // ports.
        let interleaved = |octets: &Vec<u8>| {
            let has = |at, chunk| octets.get(at) == Some(&chunk);
            octets.starts_with(&[0x13, 0x88, 0x13, 0x88]) && has(12, 3) && has(28, 64)
        };
        assert_eq!(octets_of(&recording).iter().any(interleaved), interleaving);

        let copy = self::redacted(&recording);
        let (redacted, _) = replay(&copy).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(events(&original).len(), events(&redacted).len());
        assert_eq!(printed(&redacted).matches("message   on channel").count(), 5);
        let secret = String::from_utf8(vec![3; 100]).unwrap();
        for secret in ["the secret between", &secret] {
            assert!(has(&octets_of(&recording), secret), "{secret:?}");
            assert!(!has(&octets_of(&copy), secret), "{secret:?}");
        }
    }
}

/// Transceivers, tracks and parameters; and the peer does the same, at the same time.
#[test]
fn a_negotiation_of_media_happens_again() {
    let mut peers = Recorded::new(9, u64::MAX);
    let (audio, video) = (MediaStreamTrack::new(MediaKind::Audio), MediaKind::Video);
    let stream = MediaStream::with_tracks([audio.clone()]);
    peers.a.add_track(&audio, &stream).unwrap();
    peers.b.add_transceiver(video, None).unwrap();
    peers.world.run_for(Duration::from_secs(2));
    // Looking at objects makes them.
    let transceivers = peers.a.get_transceivers();
    let sender = transceivers[0].sender();
    let changed = {
        let mut parameters = sender.get_parameters();
        parameters.encodings[0].active = false;
        sender.set_parameters(parameters)
    };
    peers.world.run(changed).unwrap();
    transceivers[1].set_direction(RTCRtpTransceiverDirection::Inactive).unwrap();
    let replaced = sender.replace_track(None);
    peers.world.run(replaced).unwrap();
    peers.a.remove_track(&sender).unwrap();
    let layer = |rid: &str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
        ..Default::default()
    };
    let init = RTCRtpTransceiverInit {
        streams: vec![stream],
        send_encodings: ["h", "l"].map(layer).to_vec(),
        ..Default::default()
    };
    let simulcast = peers.a.add_transceiver(MediaStreamTrack::new(video), init).unwrap();
    peers.world.run_for(Duration::from_secs(2));
    simulcast.stop().unwrap();
    peers.world.run_for(Duration::from_secs(2));
    drop((simulcast, transceivers, sender));
    let recording = peers.end();

    let (original, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Some(Ending::Gone));
    let text = printed(&original);
    for call in ["addTrack audio", "addTransceiver video", "removeTrack", "setParameters", "stop "]
    {
        assert!(text.contains(call), "{call}");
    }
    assert!(events(&original).iter().any(|event| event.starts_with("track: transceiver")));
    replay(&redacted(&recording)).unwrap_or_else(|error| panic!("{error}"));
}

/// As programs did before `setLocalDescription()` had no argument.
#[test]
fn a_description_that_is_set_as_it_was_made_has_a_copy() {
    let mut world = World::new(15, Conditions::default());
    let memory = Memory::default();
    let recording = Recording::new(memory.clone());
    let address = "10.0.0.1".parse().unwrap();
    let a = world.add_recorded_peer(Default::default(), vec![address], &recording);
    a.add_transceiver(MediaStreamTrack::new(MediaKind::Video), None).unwrap();
    a.create_data_channel("chat", None).unwrap();
    for _ in 0..2 {
        let offer = world.run(a.create_offer(None)).unwrap();
        world.run(a.set_local_description(offer)).unwrap();
        world.run_for(Duration::from_secs(1));
        a.restart_ice();
    }
    a.close();
    world.settle();
    drop((a, world));
    let recording = memory.text();
    assert!(recording.contains("\"setLocalDescription\":{"));
    let (original, _) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    let (again, _) = replay(&redacted(&recording)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(words(&original), words(&again));
    assert!(!printed(&again).contains("rejected"), "{}", printed(&again));
}

/// Real sockets, TCP among them, several threads, and a peer that is not recorded.
#[test]
fn what_tokio_did_happens_again() {
    talk_over_sockets(|options| options);
}

/// The socket of a port that connections share is good for other things.
#[test]
fn what_came_over_a_shared_port_happens_again() {
    let recording = talk_over_sockets(|options| {
        let port = UdpMux::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        options.with_udp_mux(&port)
    });
    assert!(recording.contains("\"goodFor\":\"shared\""));
}

fn talk_over_sockets(set_up: impl FnOnce(TokioOptions) -> TokioOptions) -> String {
    let memory = Memory::default();
    let recording = Recording::new(memory.clone());
    let options = TokioOptions::loopback().with_recording(&recording);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = set_up(options);
        let caller = RTCPeerConnection::with_options(Default::default(), options.clone()).unwrap();
        let again = RTCPeerConnection::with_options(Default::default(), options);
        assert_eq!(again.unwrap_err().name(), "InvalidStateError", "one connection has it");
        let callee =
            RTCPeerConnection::with_options(Default::default(), TokioOptions::loopback()).unwrap();
        callee.on_datachannel(|event| {
            event.channel().on_message(|event| event.target().send(event.data()).unwrap());
        });
        let channel = caller.create_data_channel("chat", None).unwrap();
        caller.set_local_description(None).await.unwrap();
        caller.gathering_complete().await.unwrap();
        callee.set_remote_description(caller.local_description()).await.unwrap();
        callee.set_local_description(None).await.unwrap();
        callee.gathering_complete().await.unwrap();
        caller.set_remote_description(callee.local_description()).await.unwrap();
        channel.opened().await.unwrap();
        let senders: Vec<_> = (0..4)
            .map(|sender: u8| {
                let channel = channel.clone();
                std::thread::spawn(move || {
                    (0..50).for_each(|_| channel.send(vec![sender; 3000]).unwrap());
                })
            })
            .collect();
        let mut messages = channel.messages();
        for _ in 0..200 {
            assert_eq!(messages.next().await.unwrap().len(), 3000);
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        recording.flush().unwrap();
        assert!(memory.text().len() > 800_000, "both ways, in base64");
        caller.close();
        callee.close();
    });
    // The drivers end here, and with them the recording.
    drop(runtime);
    let recording = memory.text();
    let (steps, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Some(Ending::Gone));
    let text = printed(&steps);
    assert_eq!(text.matches("  send on channel 0: 3000 octets, binary").count(), 200);
    assert_eq!(text.matches("  message   on channel 0: 3000 octets, binary").count(), 200);

    replay(&redacted(&recording)).unwrap_or_else(|error| panic!("{error}"));
    recording
}

/// Lines are lost, come twice, change places, and have other numbers. Whatever comes of it, it is
/// an error, or a replay; and a recording that is cut off anywhere is replayed up to there.
#[test]
fn a_file_that_was_tampered_with_does_no_harm() {
    let (recording, _) = restart_under_loss(11);
    let lines: Vec<&str> = recording.lines().take(1200).collect();
    let mut random = StdRng::seed_from_u64(11);
    let mut ends = [0; 2];
    for round in 0..400 {
        let mut lines = lines.clone();
        let at = random.random_range(1..lines.len());
        let other = random.random_range(1..lines.len());
        let changed;
        match round % 4 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other]),
            2 => lines.swap(at, other),
            _ => {
                let digit = char::from(b'0' + round as u8 % 10);
                changed = lines[at].replace(|c: char| c.is_ascii_digit(), &digit.to_string());
                lines[at] = &changed;
            }
        }
        let text = lines.join("\n");
        let outcome = replay(&text);
        ends[usize::from(outcome.is_err())] += 1;
        let _ = redact(text.as_bytes(), io::sink());
    }
    assert!(ends[0] > 0 && ends[1] > 200, "{ends:?}");

    let (whole, _) = replay(&recording).unwrap();
    for length in (2000..100_000).step_by(4999) {
        let (steps, ending) =
            replay(&recording[..length]).unwrap_or_else(|error| panic!("{length}: {error}"));
        assert_eq!(ending, Some(Ending::CutOff));
        assert!(!steps.is_empty() && steps.len() < whole.len());
    }
}

#[test]
fn what_is_no_recording_is_an_error() {
    let header = |recording: &str| recording.lines().next().unwrap().to_owned();
    let (recording, _) = restart_under_loss(12);
    let header = header(&recording);
    let refused = |text: &str| replay(text).map(|_| ()).unwrap_err();
    for text in ["", "\n", "{}", "[1]", "null\n", "\u{0}", "{\"peerconnectionRecording\""] {
        assert!(matches!(refused(text), ReplayError::NotARecording), "{text}");
    }
    let next = header.replacen(":1,", ":2,", 1);
    assert!(matches!(refused(&next), ReplayError::Version(version) if version == "2"));
    let malformed = |line: &str| match refused(&format!("{header}\n{line}\n")) {
        ReplayError::Malformed { line, .. } => line,
        error => panic!("{error}"),
    };
    for line in
        ["{}", "[]", "{\"in\":[1]}", "{\"out\":{\"action\":\"first\"}}", "\u{1}", "{\"in\":"]
    {
        assert_eq!(malformed(line), 2, "{line}");
    }
    let end = "\n{\"end\":\"gone\"}";
    for step in [
        "{\"in\":[18446744073709551615,\"collect\"]}",
        "{\"in\":[0,{\"send\":{\"channel\":3,\"isText\":true,\"octets\":\"\"}}]}",
        "{\"in\":[0,{\"removeTrack\":{\"transceiver\":3}}]}",
    ] {
        assert_eq!(malformed(&format!("{step}{end}")), 2, "{step}");
    }
    // A line without an end takes no more memory than a line may.
    let endless = io::BufReader::new(header.as_bytes().chain(b"\n".chain(io::repeat(b'7'))));
    let Err(ReplayError::TooLong { line: 2 }) = Replay::new(endless).map(|_| ()) else {
        panic!("an endless line was read");
    };
}
