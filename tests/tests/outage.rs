//! A path that stops answering: it answers again before consent has expired, or a restart is offered
//! and waits for its answer.

use std::time::Duration;

use futures::StreamExt;
use peerconnection::{
    AnyEvent, RTCDataChannel, RTCIceConnectionState, RTCLocalSessionDescriptionInit, RTCSdpType,
};
use testkit::{Conditions, Pair, Trace};

/// Sends 600 messages, a part of them while nothing arrives, and waits for all of them.
fn messages_resume(seed: u64, offers: bool) {
    const MESSAGES: usize = 600;
    let (mut pair, of_a, of_b) = Pair::connected(seed);
    let mut messages = of_b.messages();
    let mut events = pair.a.events();
    let clock = pair.handle();
    path(&mut pair, false);
    pair.handle().spawn(async move {
        for number in 0..MESSAGES {
            of_a.send(number.to_string()).unwrap();
            clock.sleep(Duration::from_millis(20)).await;
        }
    });
    // By now SCTP waits for seconds before it sends again.
    pair.world.run_for(Duration::from_secs(10));
    if offers {
        pair.stop_negotiating();
        offer_restart(&mut pair);
    }
    pair.world.run_for(Duration::from_secs(1));
    path(&mut pair, true);
    pair.world.run(async move {
        loop {
            let event = events.next().await.unwrap().unwrap();
            if let AnyEvent::IceConnectionStateChange(RTCIceConnectionState::Connected) = event {
                return;
            }
        }
    });
    let answers = pair.handle().elapsed();
    let (first, messages) = pair.world.run(async move { (messages.next().await, messages) });
    assert_eq!(first.unwrap().as_str(), Some("0"));
    let waited = pair.handle().elapsed() - answers;
    assert!(waited <= Duration::from_millis(20), "{seed}: {waited:?}");
    let rest: Vec<_> = pair.world.run(messages.take(MESSAGES - 1).collect());
    let numbers = rest.iter().map(|message| message.as_str().unwrap().parse::<usize>().unwrap());
    assert!(numbers.eq(1..MESSAGES), "{seed}");
}

#[test]
fn messages_come_as_soon_as_the_path_answers_again() {
    (1..=5).for_each(|seed| messages_resume(seed, false));
}

#[test]
fn messages_come_as_soon_as_the_path_answers_again_though_a_restart_waits_for_its_answer() {
    (6..=10).for_each(|seed| messages_resume(seed, true));
}

/// Whether packets arrive, from now on.
fn path(pair: &mut Pair, works: bool) {
    let loss = if works { 0.0 } else { 1.0 };
    pair.world.network.set_conditions(Conditions { loss, ..Conditions::default() });
}

/// The offer of a restart, applied at `a`. Whoever wants its answer carries it to `b`.
fn offer_restart(pair: &mut Pair) {
    pair.a.restart_ice();
    pair.world.run(pair.a.set_local_description(None)).unwrap();
    pair.world.settle();
}

/// The states of the connection that were fired since the last time.
fn states(trace: &Trace) -> Vec<String> {
    let is_state = |word: &String| word.starts_with("ice:") || word.starts_with("connection:");
    trace.take().into_iter().filter(is_state).collect()
}

const DISCONNECTED: [&str; 2] = ["ice:disconnected", "connection:disconnected"];
const FAILED: [&str; 2] = ["ice:failed", "connection:failed"];

/// Two peers that have been connected for long, and negotiate by hand from now on.
fn long_connected(seed: u64) -> (Pair, [RTCDataChannel; 2], [Trace; 2]) {
    let (mut pair, of_a, of_b) = Pair::connected(seed);
    pair.world.run_for(Duration::from_secs(20));
    pair.stop_negotiating();
    let traces = [&pair.a, &pair.b].map(|pc| Trace::of(&pair.handle(), pc));
    (pair, [of_a, of_b], traces)
}

#[test]
fn an_application_that_acts_at_failed_does_so_though_its_offer_has_no_answer() {
    // Before the end of the path, in `disconnected`, in `failed`.
    for (seed, seconds_after) in [(11, None), (12, Some(12)), (13, Some(40))] {
        let (mut pair, _channels, [trace, _]) = long_connected(seed);
        if seconds_after.is_none() {
            offer_restart(&mut pair);
            assert_eq!(states(&trace), ["ice:connected"], "from completed (§5.6)");
        }
        path(&mut pair, false);
        let mut seen = Vec::new();
        for second in 1..=120 {
            if Some(second) == seconds_after {
                offer_restart(&mut pair);
            }
            pair.world.run_for(Duration::from_secs(1));
            seen.extend(states(&trace).into_iter().map(|state| (second, state)));
        }
        let (times, words): (Vec<u64>, Vec<String>) = seen.into_iter().unzip();
        assert_eq!(words, [DISCONNECTED, FAILED].concat(), "{seconds_after:?}");
        assert!(times[0] <= 10 && times[1] <= 10, "{seconds_after:?}: {times:?}");
        assert!(times[2] <= 31 && times[3] <= 31, "{seconds_after:?}: {times:?}");

        let rollback = RTCLocalSessionDescriptionInit {
            type_: Some(RTCSdpType::Rollback),
            ..RTCLocalSessionDescriptionInit::default()
        };
        pair.world.run(pair.a.set_local_description(rollback)).unwrap();
        pair.world.run_for(Duration::from_secs(60));
        assert_eq!(states(&trace), [""; 0], "{seconds_after:?}: rolled back");
    }
}

#[test]
fn an_answer_after_failed_leads_to_checking_and_what_was_sent_arrives() {
    let (mut pair, [of_a, of_b], [at_a, at_b]) = long_connected(14);
    offer_restart(&mut pair);
    path(&mut pair, false);
    of_a.send("sent while there was no path").unwrap();
    // The offer is on its way for a minute, and then waits at the peer for another one.
    pair.world.run_for(Duration::from_secs(60));
    pair.world.run(pair.b.set_remote_description(pair.a.local_description())).unwrap();
    pair.world.run_for(Duration::from_secs(60));
    assert_eq!(states(&at_a), [&["ice:connected"][..], &DISCONNECTED, &FAILED].concat());
    assert_eq!(states(&at_b), [DISCONNECTED, FAILED].concat());

    path(&mut pair, true);
    pair.world.run(pair.b.set_local_description(None)).unwrap();
    pair.world.settle();
    pair.world.run(pair.a.set_remote_description(pair.b.local_description())).unwrap();
    let received = pair.world.run(async move { of_b.messages().next().await });
    assert_eq!(received.unwrap().as_str(), Some("sent while there was no path"));
    pair.world.run_for(Duration::from_secs(5));
    let again = ["ice:checking", "connection:connecting"];
    let connected = ["ice:connected", "connection:connected"];
    for trace in [at_a, at_b] {
        assert_eq!(states(&trace), [&again[..], &connected, &["ice:completed"]].concat());
    }
}

#[test]
fn a_peer_that_has_not_answered_a_restart_sees_the_path_die() {
    let (mut pair, _channels, [_, trace]) = long_connected(15);
    offer_restart(&mut pair);
    pair.world.run(pair.b.set_remote_description(pair.a.local_description())).unwrap();
    path(&mut pair, false);
    pair.world.run_for(Duration::from_secs(120));
    assert_eq!(states(&trace), [DISCONNECTED, FAILED].concat());
    // It answers at last, and nobody is there.
    pair.world.run(pair.b.set_local_description(None)).unwrap();
    pair.world.settle();
    assert_eq!(states(&trace), ["ice:checking", "connection:connecting"]);
    pair.world.run_for(Duration::from_secs(120));
    assert_eq!(states(&trace), FAILED);
}
