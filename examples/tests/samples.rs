//! The WebRTC samples, told in a simulated world.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use examples::samples::munge_sdp::{Edit, edits};
use examples::samples::{
    Pair, Peer, Report as _, Transcript, change_codecs, munge_sdp, perfect_negotiation, relay_only,
    rollback_glare, simulcast_negotiation, states, trickle_ice,
};
use peerconnection::{
    Error, RTCConfiguration, RTCIceServer, RTCIceTransportPolicy,
    RTCRtpTransceiverDirection as Direction, RTCSdpType,
};
use testkit::{Conditions, World, for_each_seed, seeds};

fn transcript() -> Transcript {
    Transcript::new(|line| {
        if std::env::var_os("SIM_LOG").is_some() {
            println!("{line:?}");
        }
    })
}

fn pair(world: &mut World) -> Pair {
    [(); 2].map(|()| world.add_peer(RTCConfiguration::default()))
}

/// Tells a sample that makes this many calls.
fn tell<R: 'static, F: Future<Output = Result<R, Error>> + 'static>(
    calls: usize,
    sample: impl FnOnce(Box<dyn FnMut() -> Result<Pair, Error>>, Transcript) -> F,
) -> R {
    let mut world = World::new(1, Conditions::default());
    let mut pairs: VecDeque<Pair> = (0..calls).map(|_| pair(&mut world)).collect();
    let next = move || Ok(pairs.pop_front().expect("no more calls than were asked for"));
    world.run(sample(Box::new(next), transcript())).unwrap()
}

#[test]
fn the_page_of_states_shows_what_it_shows_in_a_browser() {
    let mut world = World::new(1, Conditions::default());
    let pair = pair(&mut world);
    let report = world.run(states::run(pair, transcript())).unwrap();
    let connection = ["new", "connecting", "connected", "closed"];
    for (states, offer) in [(&report.pc1, "have-local-offer"), (&report.pc2, "have-remote-offer")] {
        assert_eq!(states.signaling_state, ["stable", offer, "stable", "closed"]);
        assert_eq!(states.connection_state, connection);
        // The sample hangs up before ICE is completed.
        assert_eq!(states.ice_connection_state, ["new", "checking", "connected", "closed"]);
    }
    assert!(report.is_success());
}

#[test]
fn each_codec_is_used_when_it_is_preferred() {
    let choices = change_codecs::choices();
    let names: Vec<_> = choices.iter().map(change_codecs::name).collect();
    assert!(names.iter().any(|name| name == "video/VP8"));
    assert!(names.iter().any(|name| name == "video/VP9 profile-id=2"));
    let calls = names.len() + 1;
    let report = tell(calls, |pairs, transcript| change_codecs::run(pairs, choices, transcript));
    assert_eq!(report.calls.len(), calls);
    assert_eq!(report.calls[0].sender[0].mime_type, "video/VP8", "nothing is preferred");
    for (call, name) in report.calls[1..].iter().zip(&names) {
        assert_eq!(change_codecs::name(&call.sender[0]), *name);
        assert_eq!(change_codecs::name(&call.receiver[0]), *name);
        // A preference only orders the codecs: the others are still there.
        assert_eq!(call.sender.len(), report.calls[0].sender.len());
    }
    assert!(report.is_success());
}

#[test]
fn edited_descriptions_are_refused_by_their_maker_and_applied_by_the_other() {
    let edits = edits();
    let report = tell(edits.len(), |pairs, transcript| munge_sdp::run(pairs, edits, transcript));
    let [nothing, bandwidth, codec, direction, mistake, answered_codec, answered_direction] =
        &report.calls[..]
    else {
        panic!("seven calls")
    };
    assert!(!nothing.changed && nothing.local_error.is_none());
    for call in &report.calls {
        assert_eq!(call.received, ["0", "1", "2"], "{}", call.edit);
        assert!(call.success, "{}", call.edit);
    }
    for call in &report.calls[1..] {
        assert!(call.changed, "{}", call.edit);
        let error = call.local_error.as_ref().expect("a refusal");
        assert_eq!(error.name, "InvalidModificationError", "{}", call.edit);
    }
    assert_eq!((nothing.pc2.bandwidth.as_deref(), nothing.of), (None, RTCSdpType::Offer));
    assert_eq!(bandwidth.pc2.bandwidth.as_deref(), Some("AS:500"));
    assert!(nothing.pc2.codecs.contains(&"VP8".to_owned()));
    assert!(!codec.pc2.codecs.contains(&"VP8".to_owned()));
    assert!(!codec.pc1.codecs.contains(&"VP8".to_owned()));
    assert!(codec.pc1.codecs.contains(&"VP9".to_owned()));
    assert_eq!(direction.pc1.audio, Some(Direction::Inactive));
    assert_eq!(direction.pc2.audio, Some(Direction::Inactive));
    assert_eq!(direction.pc2.tracks, ["video"]);
    let error = mistake.remote_error.as_ref().expect("a refusal");
    assert_eq!(error.name, "OperationError");
    assert!(error.sdp_line_number.is_some());
    // The answerer does not learn that its answer was edited.
    assert_eq!(answered_codec.of, RTCSdpType::Answer);
    assert!(!answered_codec.pc1.codecs.contains(&"VP8".to_owned()));
    assert!(answered_codec.pc2.codecs.contains(&"VP8".to_owned()));
    assert_eq!(answered_direction.pc1.video, Some(Direction::Inactive));
    assert_eq!(answered_direction.pc2.video, Some(Direction::Recvonly));
}

#[test]
fn an_edit_of_the_users_own_is_told_from_one_that_changes_nothing() {
    let edits = vec![Edit::replace("s=-\\n", "s=call\\n"), Edit::replace("not there", "x")];
    let report = tell(2, |pairs, transcript| munge_sdp::run(pairs, edits, transcript));
    let [session, nothing] = &report.calls[..] else { panic!("two calls") };
    assert!(session.changed && session.success && session.remote_error.is_none());
    assert!(!nothing.changed && !nothing.success && nothing.local_error.is_none());
    assert!(!report.is_success());
}

#[test]
fn the_polite_peer_gives_way_in_every_round_of_glare() {
    let rounds = 12;
    for_each_seed(seeds(0..20), |seed| {
        for polite in Peer::BOTH {
            let mut world = World::new(seed, Conditions::default());
            let pair = pair(&mut world);
            let story = perfect_negotiation::run(pair, polite, rounds, transcript());
            let report = world.run(story).unwrap();
            for counts in [&report.pc1, &report.pc2] {
                // Candidates of ignored offers cause no error either.
                assert_eq!(counts.errors, Vec::<String>::new());
            }
            let (gave_way, insisted) = match polite {
                Peer::Pc1 => (&report.pc1, &report.pc2),
                Peer::Pc2 => (&report.pc2, &report.pc1),
            };
            assert_eq!((gave_way.collisions, insisted.collisions), (rounds, rounds));
            assert_eq!((gave_way.rollbacks, insisted.rollbacks), (rounds, 0));
            assert_eq!((gave_way.ignored, insisted.ignored), (0, rounds));
            // One for each swap; the polite peer offers again what its first offer had.
            assert_eq!(insisted.negotiationneeded, rounds + 1);
            assert_eq!(gave_way.negotiationneeded, rounds + 2);
            // One for each swap of the other peer.
            assert_eq!((gave_way.tracks, insisted.tracks), (rounds + 1, rounds + 1));
            assert!(report.is_success());
        }
    });
}

#[test]
fn a_rollback_with_the_offer_in_its_reaction_looks_like_an_implicit_one() {
    let report = tell(3, rollback_glare::run);
    let [implicit, explicit, later] = &report.calls[..] else { panic!("three calls") };
    assert_eq!(
        implicit.pc2,
        [
            "negotiationneeded",
            "have-local-offer (mid 0)",
            "stable (mid null)",
            "have-remote-offer (mid null)",
            "track: audio",
            "stable (mid null)",
            "negotiationneeded",
            "have-local-offer (mid 1)",
            "stable (mid 1)",
        ]
    );
    assert_eq!(explicit.pc2, implicit.pc2);
    let mut with_one_more = implicit.pc2.clone();
    with_one_more.insert(3, "negotiationneeded".to_owned());
    assert_eq!(later.pc2, with_one_more);
    for call in &report.calls {
        assert_eq!(
            call.pc1,
            [
                "negotiationneeded",
                "have-local-offer (mid 0)",
                "stable (mid 0)",
                "have-remote-offer (mid 0)",
                "track: video",
                "stable (mid 0)",
            ]
        );
        assert_eq!(call.mids, ["0", "1"]);
    }
    assert!(report.is_success());
}

#[test]
fn layers_that_a_server_does_not_take_are_gone_and_those_it_asks_for_are_there() {
    let report = tell(2, simulcast_negotiation::run);
    let (offered, answered) = (&report.offered, &report.answered);
    let send = ["a=rid:q send", "a=rid:h send", "a=rid:f send", "a=simulcast:send q;h;f"];
    assert_eq!(offered.offer, send);
    assert_eq!(offered.before.len(), 3);
    let rids = |encodings: &[peerconnection::RTCRtpEncodingParameters]| -> Vec<_> {
        encodings.iter().map(|encoding| encoding.rid.clone().unwrap()).collect()
    };
    assert_eq!(rids(&offered.after), ["q", "h"]);
    assert_eq!(offered.refused.as_deref(), Some("InvalidModificationError"));
    let [low, high] = &offered.changed[..] else { panic!("two layers") };
    assert!(!low.active && high.active);
    assert_eq!((low.max_bitrate, high.max_bitrate), (Some(150_000), Some(300_000)));

    assert_eq!(answered.before.len(), 1);
    assert_eq!(rids(&answered.after), ["q", "h", "f"]);
    // Each layer has twice the size of the one before (webrtc-pc §4.4.1.4 step 4.7.11.2.4).
    let scales: Vec<_> =
        answered.after.iter().filter_map(|encoding| encoding.scale_resolution_down_by).collect();
    assert_eq!(scales, [4.0, 2.0, 1.0]);
    assert_eq!(answered.answer, send);
    assert!(report.is_success());
}

const SERVER: &str = "192.0.2.100:3478";

/// Gathers in a world with one server, and returns the lines shown and the report.
fn gather(configuration: RTCConfiguration) -> (Vec<String>, trickle_ice::Report) {
    let mut world = World::new(1, Conditions::default());
    world.add_server(SERVER.parse().unwrap());
    let pc = world.add_peer(configuration);
    let clock = world.handle();
    world.run(async move {
        let lines = std::cell::RefCell::new(Vec::new());
        let show = |line: &str| lines.borrow_mut().push(line.to_owned());
        let report = trickle_ice::run(pc, || clock.now(), show).await.unwrap();
        (lines.take(), report)
    })
}

fn turn(credential: &str) -> RTCIceServer {
    RTCIceServer {
        urls: vec!["turn:192.0.2.100".to_owned()],
        username: Some("alice".to_owned()),
        credential: Some(credential.to_owned()),
    }
}

#[test]
fn trickle_ice_shows_each_candidate_with_its_time_and_the_parts_of_its_priority() {
    let ice_servers = vec![turn("wonder")];
    let (lines, report) = gather(RTCConfiguration { ice_servers, ..Default::default() });
    let [title, host, relay, done] = &lines[..] else { panic!("{lines:?}") };
    assert!(title.trim_start().starts_with("time comp type"), "{title}");
    assert!(host.trim_start().starts_with("0.000 rtp  host"), "{host}");
    assert!(host.contains("126 | 65535 | 255") && host.contains(" 0/0 "), "{host}");
    assert!(relay.contains(" relay ") && relay.contains("203.0.113.1"), "{relay}");
    assert!(relay.contains("3 | 65535 | 255"), "{relay}");
    assert!(relay.ends_with("turn:192.0.2.100 (udp)"), "{relay}");
    assert!(done.ends_with(" done"), "{done}");

    // Two round trips to the server.
    let [host, relay] = &report.candidates[..] else { panic!("{report:?}") };
    assert!(host.seconds < relay.seconds && relay.seconds <= report.done);
    assert_eq!(report.to_string(), "turn:192.0.2.100: 1 candidate\n");
    assert!(report.is_success());
}

#[test]
fn trickle_ice_fails_with_the_words_of_the_server_that_gives_nothing() {
    let ice_servers = vec![turn("wrong")];
    let (_, mut report) = gather(RTCConfiguration { ice_servers, ..Default::default() });
    assert_eq!((report.candidates.len(), report.servers[0].errors.as_slice()), (1, &[401][..]));
    let told = report.to_string();
    let [error, server] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    assert!(error.starts_with("turn:192.0.2.100: 401 "), "{told}");
    assert!(error.contains("(asked from 10.0.0.1 port "), "{told}");
    assert_eq!(server, "turn:192.0.2.100: nothing");
    assert!(!report.is_success());
    // Behind a NAT such a server still tells the mapped address.
    report.servers[0].candidates = 1;
    assert!(report.to_string().ends_with("turn:192.0.2.100: nothing relayed\n"));
    assert!(!report.is_success());
}

#[test]
fn trickle_ice_tells_a_server_that_is_not_asked_from_one_that_fails() {
    let stun = RTCIceServer { urls: vec!["stun:192.0.2.100".to_owned()], ..Default::default() };
    let (_, report) = gather(RTCConfiguration {
        ice_servers: vec![stun, turn("wonder")],
        ice_transport_policy: RTCIceTransportPolicy::Relay,
        ..Default::default()
    });
    assert!(report.to_string().starts_with("stun:192.0.2.100: nothing, and no error"), "{report}");
    assert!(report.is_success());
}

/// Calls with this policy at both peers.
fn call(policy: RTCIceTransportPolicy, credential: &str) -> relay_only::Report {
    let mut world = World::new(1, Conditions::default());
    world.add_server(SERVER.parse().unwrap());
    let configuration = RTCConfiguration {
        ice_servers: vec![turn(credential)],
        ice_transport_policy: policy,
        ..Default::default()
    };
    let pair = [(); 2].map(|()| world.add_peer(configuration.clone()));
    let stage = world.handle().stage();
    let measured = Duration::from_millis(200);
    world.run(relay_only::run(pair, measured, stage, transcript())).unwrap()
}

#[test]
fn peers_with_a_relay_alone_talk_and_show_no_other_address() {
    let report = call(RTCIceTransportPolicy::Relay, "wonder");
    assert!(report.is_success(), "{report:?}");
    for end in [&report.pc1, &report.pc2] {
        let [local, remote] = end.pair.as_ref().unwrap();
        assert_eq!(local.address.as_deref(), Some("203.0.113.1"));
        assert_eq!(remote.address.as_deref(), Some("203.0.113.1"));
        assert_eq!(local.url.as_deref(), Some("turn:192.0.2.100"));
        // Its own, those that the other has, the description's, two statistics.
        assert!(end.candidates >= 5, "{end:?}");
    }
    assert!(report.throughput.unwrap().bytes > 0);
}

/// What the example looks for is there when nothing hides it.
#[test]
fn without_the_policy_host_addresses_show_in_every_place() {
    let report = call(RTCIceTransportPolicy::All, "wonder");
    assert!(!report.is_success());
    for end in [&report.pc1, &report.pc2] {
        for place in [
            "a candidate",
            "a candidate that the other has",
            "a description",
            "its statistics",
            "the other's statistics",
        ] {
            let found = end
                .leaks
                .iter()
                .any(|leak| leak.starts_with("10.0.0.") && leak.ends_with(&format!(" in {place}")));
            assert!(found, "{place}: {:?}", end.leaks);
        }
    }
    assert!(report.to_string().contains("SHOWS 10.0.0.1 in a candidate"), "{report}");
}

#[test]
fn peers_that_the_server_refuses_do_not_wait_for_ever() {
    let report = call(RTCIceTransportPolicy::Relay, "wrong");
    assert!(!report.is_success());
    assert_eq!(report.echoed, 0);
    for end in [&report.pc1, &report.pc2] {
        assert_eq!((&end.pair, end.candidates), (&None, 0));
        let [error] = &end.errors[..] else { panic!("{end:?}") };
        assert!(error.starts_with("turn:192.0.2.100: 401 "), "{error}");
    }
}
