use time::Instant;

use super::{Beginning, Channels, SctpParameters};
use crate::channel::ChannelConfig;
use crate::config::Config;
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::tests::simple_peer;
use crate::sctp::{SctpError, SctpState};

/// Channels 1, 300 and 301 over an association of 301 streams.
fn with_few_streams() -> Vec<Event> {
    let now = Instant::now();
    let mut channels = Channels::new(Config::default());
    channels.set_parameters(SctpParameters::default());
    for id in [1, 300, 301] {
        channels.open(id, ChannelConfig::default()).unwrap();
    }
    let (is_client, waits) = (true, false);
    let beginning = Beginning { is_client, waits, packet_size: 1160, tag: 11, initial_tsn: 1 };
    channels.begin(now, &beginning);
    let mut buffer = Vec::new();
    for answer in simple_peer(11, 301) {
        while channels.write_packet(now, &mut buffer) {}
        channels.handle_packet(now, &answer);
    }
    assert_eq!(channels.max_channels(), Some(301));
    let limit = ChannelError::IdOutOfRange { id: 302, limit: 301 };
    assert_eq!(channels.open(302, ChannelConfig::default()), Err(limit));
    std::iter::from_fn(|| channels.poll_event()).collect()
}

#[test]
fn a_channel_beyond_the_negotiated_streams_fails_when_they_are_known() {
    let error = ChannelError::IdOutOfRange { id: 301, limit: 301 };
    assert_eq!(
        with_few_streams(),
        [
            Event::SctpStateChange(SctpState::Connected, None),
            Event::ChannelOpen { id: 1 },
            Event::ChannelOpen { id: 300 },
            Event::ChannelError { id: 301, error },
            Event::ChannelClosed { id: 301 },
        ]
    );
}

#[test]
fn a_mark_keeps_its_place_whatever_moves() {
    let now = Instant::now();
    let mut channels = Channels::new(Config::default());
    channels.set_parameters(SctpParameters::default());
    channels.open(1, ChannelConfig::default()).unwrap();
    channels.mark();
    channels.on_transport_closed();
    channels.mark();
    let closed = [
        Event::SctpStateChange(SctpState::Closed, Some(SctpError::TransportClosed)),
        Event::ChannelClosed { id: 1 },
    ];

    let mut other = Channels::new(Config::default());
    other.mark();
    other.take(now, &mut channels);
    for _ in 0..2 {
        assert_eq!(channels.poll_event(), None);
        assert!(channels.pass_mark());
    }
    assert_eq!(channels.poll_event(), None);
    assert!(!channels.pass_mark());
    assert_eq!(other.poll_event(), None);
    assert!(other.pass_mark());
    let seen: Vec<_> = std::iter::from_fn(|| other.poll_event()).collect();
    assert_eq!(seen, closed);
}
