//! A path that stops answering, and answers again before consent has expired.

use std::time::Duration;

use futures::StreamExt;
use peerconnection::{AnyEvent, RTCIceConnectionState};
use testkit::{Conditions, Pair};

#[test]
fn messages_come_as_soon_as_the_path_answers_again() {
    const MESSAGES: usize = 600;
    for seed in 1..=5 {
        let (mut pair, of_a, of_b) = Pair::connected(seed);
        let mut messages = of_b.messages();
        let mut events = pair.a.events();
        let clock = pair.handle();
        pair.world.network.set_conditions(Conditions { loss: 1.0, ..Conditions::default() });
        pair.handle().spawn(async move {
            for number in 0..MESSAGES {
                of_a.send(number.to_string()).unwrap();
                clock.sleep(Duration::from_millis(20)).await;
            }
        });
        // By now SCTP waits for seconds before it sends again.
        pair.world.run_for(Duration::from_secs(11));
        pair.world.network.set_conditions(Conditions::default());
        pair.world.run(async move {
            loop {
                let event = events.next().await.unwrap().unwrap();
                if let AnyEvent::IceConnectionStateChange(RTCIceConnectionState::Connected) = event
                {
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
        let numbers =
            rest.iter().map(|message| message.as_str().unwrap().parse::<usize>().unwrap());
        assert!(numbers.eq(1..MESSAGES), "{seed}");
    }
}
