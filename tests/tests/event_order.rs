//! What happens in which task: what handlers see of the slots, and what they are told before and
//! after.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{RTCDtlsTransport, RTCPeerConnection};
use tests::{Pair, World};

/// What was seen, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Logs what is fired at a transport, at the one below and at their connection, each time with the
/// states of all three.
fn log_transports(log: &Log, pc: &RTCPeerConnection, dtls: &RTCDtlsTransport) {
    let states = |pc: &RTCPeerConnection, dtls: &RTCDtlsTransport| {
        let ice = dtls.ice_transport().state();
        format!("dtls {}, ice {ice}, connection {}", dtls.state(), pc.connection_state())
    };
    let (to, weak) = (log.clone(), pc.downgrade());
    dtls.on_statechange(move |event| {
        let pc = weak.upgrade().unwrap();
        to.push(format!("dtls: {}", states(&pc, event.target())));
    });
    let (to, weak, of) = (log.clone(), pc.downgrade(), dtls.clone());
    dtls.ice_transport().on_statechange(move |_| {
        to.push(format!("ice: {}", states(&weak.upgrade().unwrap(), &of)));
    });
    let (to, of) = (log.clone(), dtls.clone());
    pc.on_connectionstatechange(move |event| {
        to.push(format!("connection: {}", states(event.target(), &of)));
    });
    let (to, of) = (log.clone(), dtls.clone());
    pc.on_signalingstatechange(move |event| {
        to.push(format!("signaling: {}", states(event.target(), &of)));
    });
}

/// What was fired before the handlers were set is delivered, and does not count.
fn forget_the_late(world: &mut World, log: &Log) {
    world.settle();
    log.take();
}

/// webrtc-pc §4.4.1.3: "Whenever the state of an RTCDtlsTransport changes, the user agent MUST
/// queue a task".
#[test]
fn the_state_of_the_connection_follows_that_of_dtls_in_a_task_of_its_own() {
    let mut pair = Pair::new(1);
    pair.a.create_data_channel("x", None).unwrap();
    pair.world.settle();
    let dtls = pair.a.sctp().unwrap().transport().unwrap();
    let log = Log::default();
    log_transports(&log, &pair.a, &dtls);
    forget_the_late(&mut pair.world, &log);
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(
        log.take(),
        [
            "signaling: dtls new, ice new, connection new",
            "ice: dtls new, ice checking, connection connecting",
            "connection: dtls new, ice checking, connection connecting",
            "ice: dtls new, ice connected, connection connecting",
            "ice: dtls new, ice completed, connection connecting",
            "dtls: dtls connecting, ice completed, connection connecting",
            "dtls: dtls connected, ice completed, connection connecting",
            "connection: dtls connected, ice completed, connection connected",
        ]
    );
}
