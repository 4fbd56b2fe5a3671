use std::time::SystemTime;

use time::Instant;

use super::{Channels, Limits, SctpParameters, Surroundings};
use crate::channel::ChannelConfig;
use crate::config::Config;
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::SctpState;
use crate::sctp::tests::simple_peer;
use dtls::{Certificate, DtlsRole, DtlsState, Output};

/// Channels 1, 300 and 301 over an association of 301 streams.
fn with_few_streams() -> Vec<Event> {
    let now = Instant::now();
    let config = Config::new(Certificate::generate(SystemTime::now()).unwrap());
    let mut channels = Channels::new(Limits::of(&config));
    channels.set_parameters(SctpParameters::default());
    for id in [1, 300, 301] {
        channels.open(id, ChannelConfig::default()).unwrap();
    }
    channels.on_dtls(now, Output::State(DtlsState::Connected));
    channels.begin(
        now,
        &Surroundings {
            role: DtlsRole::Client,
            packet_size: 1160,
            window: 100_000,
            tag: 11,
            initial_tsn: 1,
        },
    );
    let mut buffer = Vec::new();
    for answer in simple_peer(11, 301) {
        while channels.write_packet(now, &mut buffer) {}
        channels.on_dtls(now, Output::Data(&answer));
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
            Event::DtlsStateChange(DtlsState::Connected),
            Event::SctpStateChange(SctpState::Connected, None),
            Event::ChannelOpen { id: 1 },
            Event::ChannelOpen { id: 300 },
            Event::ChannelError { id: 301, error },
            Event::ChannelClosed { id: 301 },
        ]
    );
}
