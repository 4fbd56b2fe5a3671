//! A connection for tests, whose tasks the test runs.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::api::{RTCConfiguration, RTCPeerConnection};
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
