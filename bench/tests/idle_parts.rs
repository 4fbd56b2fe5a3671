//! Where the bytes of an idle connection with a channel are, part by part: what each crate keeps
//! by itself, and what is left for the objects and the engine around them. `-- --nocapture` prints
//! the table of `spec-notes/performance.md`. What C allocates is not counted, nor what the allocator
//! adds, the sockets and the driver's task.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use allocation_counter::measure;
use bench::Failure;
use bench::memory::Memory;
use data::{Beginning, ChannelConfig, Channels, SctpParameters};
use dtls::{Certificate, DtlsRole, DtlsState};
use ice::{Agent, Event, Parameters, Role, SocketId, State};
use negotiation::{Effect, RTCSessionDescriptionInit, Session};
use peerconnection::{RTCDataChannelInit, RTCDataChannelState};

/// Pairs that are measured.
const PAIRS: usize = 4;
/// Until everything that belongs to the setup is over.
const SETTLE: Duration = Duration::from_secs(5);

/// Bytes that one end of a pair keeps.
fn kept<T>(make: impl Fn() -> Result<[T; 2], Failure>) -> Result<i64, Failure> {
    // What is made once for the process does not count.
    let _first = make()?;
    let mut pairs = Vec::with_capacity(PAIRS);
    let mut failure = None;
    let allocated = measure(|| {
        for _ in 0..PAIRS {
            match make() {
                Ok(pair) => pairs.push(Box::new(pair)),
                Err(error) => failure = Some(error),
            }
        }
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(allocated.bytes_current / (2 * i64::try_from(PAIRS)?)),
    }
}

/// All that happens on a session.
fn run(session: &mut Session) -> Vec<Effect> {
    let mut effects = Vec::new();
    loop {
        while let Some(effect) = session.poll_effect() {
            effects.push(effect);
        }
        if session.run_microtask() {
            continue;
        }
        let Some(task) = session.poll_task() else { return effects };
        session.run_task(task);
    }
}

fn sessions() -> Result<[Session; 2], Failure> {
    let fingerprints = || Certificate::generate(SystemTime::now()).map(|own| own.fingerprints());
    let mut sessions = Vec::new();
    for seed in [1, 2] {
        let fingerprint = fingerprints()?.remove(0);
        let hex: Vec<String> = fingerprint.value.iter().map(|b| format!("{b:02X}")).collect();
        let fingerprint = format!("{} {}", fingerprint.algorithm, hex.join(":")).parse()?;
        let certificate =
            negotiation::Certificate { id: seed.into(), fingerprints: vec![fingerprint] };
        let configuration = negotiation::Configuration {
            certificates: vec![certificate],
            ..negotiation::Configuration::default()
        };
        sessions.push(Session::new(configuration, [seed; 32])?);
    }
    let [mut a, mut b]: [Session; 2] =
        sessions.try_into().map_err(|_| Failure::from("two sessions"))?;
    a.create_data_channel("bench", &negotiation::RTCDataChannelInit::default())?;
    for _ in 0..2 {
        // The offer, and then the answer.
        a.set_local_description(None);
        run(&mut a);
        let description = a.local_description().ok_or("no description")?;
        b.set_remote_description(RTCSessionDescriptionInit {
            type_: description.type_(),
            sdp: description.sdp().to_owned(),
        });
        run(&mut b);
        std::mem::swap(&mut a, &mut b);
    }
    for session in [&mut a, &mut b] {
        if session.signaling_state() != negotiation::RTCSignalingState::Stable {
            return Err("the sessions do not agree".into());
        }
        session.rest();
    }
    Ok([a, b])
}

fn agents() -> Result<[Agent; 2], Failure> {
    let mut now = Instant::now();
    let parameters = |name: &str| Parameters {
        username_fragment: name.to_owned(),
        password: format!("a-password-of-{name}"),
    };
    let agent = |seed| Agent::new(ice::Config::default(), [seed; 32]);
    let mut agents = [agent(1), agent(2)];
    let [a, b] = &mut agents;
    a.set_role(Role::Controlling);
    b.set_role(Role::Controlled);
    a.set_local_parameters(now, parameters("alice123"));
    b.set_local_parameters(now, parameters("bobby123"));
    a.set_remote_parameters(now, parameters("bobby123"), false);
    b.set_remote_parameters(now, parameters("alice123"), false);
    a.commit(now);
    b.commit(now);
    let addresses = [1u8, 2].map(|host| SocketAddr::from(([192, 0, 2, host], 4000)));
    let end = now + SETTLE;
    while now < end {
        for turn in 0..2 {
            let [me, peer] = &mut agents;
            let (me, peer, address) =
                if turn == 0 { (me, peer, addresses[0]) } else { (peer, me, addresses[1]) };
            while let Some(event) = me.poll_event() {
                match event {
                    Event::Gather { generation } => {
                        me.add_socket(now, generation, SocketId(0), address);
                        me.gathering_done(now, generation);
                    }
                    Event::LocalCandidate { username_fragment, candidate } => {
                        peer.add_remote_candidate(now, Some(&username_fragment), candidate)?;
                    }
                    Event::EndOfCandidates { username_fragment } => {
                        peer.add_end_of_candidates(now, Some(&username_fragment))?;
                    }
                    _ => {}
                }
            }
            while let Some(transmit) = me.poll_transmit() {
                peer.handle_stun(now, SocketId(0), address, &transmit.payload);
            }
        }
        now += Duration::from_millis(20);
        agents.iter_mut().for_each(|agent| agent.handle_timeout(now));
    }
    for agent in &mut agents {
        if agent.state() != State::Completed {
            return Err("the agents are not completed".into());
        }
        while agent.poll_event().is_some() {}
        agent.rest();
    }
    Ok(agents)
}

fn handshakes() -> Result<[dtls::Connection; 2], Failure> {
    let now = Instant::now();
    let certificate = || Certificate::generate(SystemTime::now());
    let certificates = [certificate()?, certificate()?];
    let mut peers = certificates.clone().map(|own| dtls::Connection::new(&dtls::Config::new(own)));
    let [one, two] = &certificates;
    let roles = [(DtlsRole::Client, two), (DtlsRole::Server, one)];
    for (peer, (role, other)) in peers.iter_mut().zip(roles) {
        peer.set_writable(now, true, &mut |_| {});
        peer.start(now, role, other.fingerprints(), &mut |_| {});
    }
    let [a, b] = &mut peers;
    loop {
        let mut any = false;
        while let Some(datagram) = a.poll_transmit() {
            any = true;
            b.handle_datagram(now, &datagram, &mut |_| {});
        }
        while let Some(datagram) = b.poll_transmit() {
            any = true;
            a.handle_datagram(now, &datagram, &mut |_| {});
        }
        if !any {
            break;
        }
    }
    for peer in &mut peers {
        if peer.state() != DtlsState::Connected {
            return Err("DTLS is not connected".into());
        }
        peer.end_pass();
        peer.rest();
    }
    Ok(peers)
}

fn associations() -> Result<[Channels; 2], Failure> {
    let mut now = Instant::now();
    let mut peers = [1, 2].map(|tag| {
        let mut peer = Channels::new(data::Config::default());
        peer.set_parameters(SctpParameters::default());
        let is_client = tag == 1;
        let packet_size = 1160;
        peer.begin(
            now,
            &Beginning { is_client, waits: !is_client, packet_size, tag, initial_tsn: tag },
        );
        peer
    });
    let [a, b] = &mut peers;
    a.open(0, ChannelConfig { label: "bench".to_owned(), ..ChannelConfig::default() })?;
    let end = now + SETTLE;
    let mut packet = Vec::new();
    while now < end {
        while a.write_packet(now, &mut packet) {
            b.handle_packet(now, &packet);
        }
        while b.write_packet(now, &mut packet) {
            a.handle_packet(now, &packet);
        }
        for peer in [&mut *a, &mut *b] {
            while peer.poll_event().is_some() {}
            peer.handle_timeout(now);
        }
        now += Duration::from_millis(10);
    }
    for peer in &mut peers {
        if peer.state() != Some(data::SctpState::Connected) {
            return Err("SCTP is not connected".into());
        }
        peer.rest();
    }
    Ok(peers)
}

/// Two whole connections.
fn whole() -> Result<Memory, Failure> {
    let mut memory = Memory::new(None)?;
    let channel = memory.a.create_data_channel("bench", RTCDataChannelInit::default())?;
    memory.settle();
    while channel.ready_state() != RTCDataChannelState::Open {
        if !memory.advance() {
            return Err("the connections do not connect".into());
        }
        memory.settle();
    }
    let end = memory.elapsed() + SETTLE;
    while memory.elapsed() < end && memory.advance() {
        memory.settle();
    }
    Ok(memory)
}

/// Each bound is the figure with room for what another version of a crate below may take.
#[test]
fn each_part_of_an_idle_connection_keeps_what_it_needs_and_little_more() -> Result<(), Failure> {
    let all = {
        let first = whole()?;
        let mut kept = Vec::with_capacity(PAIRS);
        let mut failure = None;
        let allocated = measure(|| {
            for _ in 0..PAIRS {
                match whole() {
                    Ok(memory) => kept.push(memory),
                    Err(error) => failure = Some(error),
                }
            }
        });
        drop(first);
        failure.map_or(Ok(()), Err)?;
        allocated.bytes_current / (2 * i64::try_from(PAIRS)?)
    };
    let certificate = {
        let mut own = None;
        let allocated = measure(|| own = Certificate::generate(SystemTime::now()).ok());
        own.ok_or("no certificate")?;
        allocated.bytes_current
    };
    let parts = [
        ("negotiation: descriptions and slots", kept(sessions)?, 5_500),
        ("ICE: an agent with a pair", kept(agents)?, 4_200),
        ("DTLS, without its certificate", kept(handshakes)? - certificate, 2_200),
        ("SCTP and a channel", kept(associations)?, 3_900),
        ("the certificate and its key", certificate, 800),
    ];
    let sum: i64 = parts.iter().map(|(_, bytes, _)| bytes).sum();
    println!("| | bytes |\n|---|---|");
    for (part, bytes, _) in &parts {
        println!("| {part} | {bytes} |");
    }
    println!("| engine, objects, handlers | {} |\n| all | {all} |", all - sum);
    for (part, bytes, most) in parts {
        assert!((1..most).contains(&bytes), "{part}: {bytes}");
    }
    assert!((1..9_000).contains(&(all - sum)), "what is around the parts: {}", all - sum);
    Ok(())
}
