//! The story as a drawing: lanes of states, events as ticks, the time between messages as a curve.

use std::time::{Duration, Instant};

use peerconnection::AnyEvent;
use testkit::Side;

use super::{Entry, States, Traffic};
use crate::timeline::{self, Curve, MarkKind, Peer, Scale, Timeline};

type Lane = (&'static str, fn(&States) -> &String);

/// The lanes of one peer.
const LANES: [Lane; 4] = [
    ("signalingState", |states| &states.signaling),
    ("iceConnectionState", |states| &states.ice_connection),
    ("iceGatheringState", |states| &states.ice_gathering),
    ("selected pair", |states| &states.selected_pair),
];

/// Draws what both peers went through since `start` as an SVG document.
pub fn draw(start: Instant, entries: &[Entry], traffic: &[Traffic; 2]) -> String {
    let peers = Side::BOTH.into_iter().zip([&traffic[1], &traffic[0]]);
    let peers = peers.map(|(side, received)| peer(start, side, entries, received));
    timeline::draw(&Timeline { peers: peers.collect() })
}

fn peer(start: Instant, side: Side, entries: &[Entry], received: &Traffic) -> Peer {
    let mut peer = Peer { name: side.name().to_owned(), ..Peer::default() };
    for entry in entries.iter().filter(|entry| entry.side == side) {
        let at = milliseconds(entry.at);
        for (name, state) in LANES {
            peer.lane(name).becomes(at, state(&entry.states), "");
        }
        let kind = match &entry.event {
            None if entry.text.contains("restartIce") => MarkKind::Restart,
            None => MarkKind::Call,
            Some(AnyEvent::IceCandidate(_)) => MarkKind::LocalCandidate,
            Some(AnyEvent::DtlsTransportError(..) | AnyEvent::DataChannelError(..)) => {
                MarkKind::Failure
            }
            Some(_) => MarkKind::Event,
        };
        peer.mark(at, kind, entry.text.trim_start_matches("» "));
    }
    let points = received.gaps().into_iter().map(|arrival| {
        let at = arrival.at.saturating_duration_since(start);
        (milliseconds(at), milliseconds(arrival.gap))
    });
    let points: Vec<_> = points.collect();
    if !points.is_empty() {
        peer.curves.push(Curve { name: "received".to_owned(), scale: Scale::Gap, points });
    }
    peer
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
