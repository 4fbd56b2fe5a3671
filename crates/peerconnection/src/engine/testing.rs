//! A connection whose tasks a test runs, and a channel without a connection.

use std::sync::{Arc, Weak};
use std::time::SystemTime;

use negotiation::{ChannelId, RTCPriorityType};
use time::Instant;

use crate::api::{ChannelAttributes, ChannelObject, RTCConfiguration, RTCPeerConnection};
use crate::host::{Driver, Host};

struct TestHost;

impl Host for TestHost {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wake(&self) {}
}

pub(super) fn peer(seed: u8) -> (RTCPeerConnection, Driver) {
    RTCPeerConnection::with_host(RTCConfiguration::default(), Arc::new(TestHost), [seed; 32])
        .unwrap()
}

/// A channel with this id, without a transport.
pub(crate) fn channel(id: u16) -> ChannelObject {
    let attributes = ChannelAttributes {
        label: String::new(),
        ordered: true,
        max_packet_life_time: None,
        max_retransmits: None,
        protocol: String::new(),
        negotiated: true,
        priority: RTCPriorityType::Low,
    };
    ChannelObject::new(Weak::new(), ChannelId(u32::from(id)), Some(id), attributes)
}
