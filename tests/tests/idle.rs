//! Connections on which nothing happens for a while: they give memory back, and nobody notices.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use peerconnection::{MessageData, RTCDataChannel};
use testkit::Pair;

async fn receive(channel: RTCDataChannel, count: usize) -> Vec<MessageData> {
    channel.messages().take(count).collect().await
}

#[test]
fn messages_go_both_ways_after_a_pause_of_any_length() {
    let (mut pair, of_a, of_b) = Pair::connected(31);
    let pauses = [0, 1, 249, 250, 251, 499, 500, 501, 5_000, 400_000, 0, 250];
    for (number, pause) in pauses.into_iter().enumerate() {
        pair.world.run_for(Duration::from_millis(pause));
        for (from, to) in [(&of_a, &of_b), (&of_b, &of_a)] {
            // A burst, which makes queues grow.
            let sent: Vec<MessageData> =
                (0..300).map(|i| MessageData::from(format!("{number} {i}"))).collect();
            sent.iter().for_each(|message| from.send(message.clone()).unwrap());
            assert_eq!(pair.world.run(receive(to.clone(), 300)), sent, "after {pause} ms");
        }
    }
    assert_eq!(of_a.buffered_amount(), 0);
}

/// A connection at rest wakes for consent alone (RFC 7675 §5.1: every 4 to 6 s, with a deadline for
/// the answer each time).
#[test]
fn a_connection_at_rest_has_no_timers_but_those_of_consent() {
    let (mut pair, of_a, _of_b) = Pair::connected(32);
    of_a.send("hello").unwrap();
    pair.world.run_for(Duration::from_secs(10));
    let mut deadlines: BTreeSet<Instant> = BTreeSet::new();
    for _ in 0..1_200 {
        pair.world.run_for(Duration::from_millis(50));
        deadlines.extend(pair.world.driver(0).poll_timeout());
    }
    assert!((10..45).contains(&deadlines.len()), "{} in a minute", deadlines.len());
}
