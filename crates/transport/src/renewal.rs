//! The peer begins DTLS anew: the same peer, with the same certificate, on the candidate pairs that
//! there are. RFC 9143 §7.5.3 has the transport of a BUNDLE group go on when the section that
//! describes it is rejected. Browsers discard the transport, and begin another one with the same
//! ICE credentials.
//!
//! Nobody but the peer can end the association. It has ended with a close_notify, which only the
//! peer can protect, or when a handshake beside it is complete, with a certificate that matches the
//! fingerprints (RFC 6347 §4.2.8, RFC 9147 §5.11).

use dtls::{Connection, Datagram, DtlsRole, DtlsState, Fingerprint, Output};
use time::{Duration, Instant, earlier, later};

use crate::transport::Transport;

/// How long after the answer the peer may begin anew. It learns of the answer by signalling.
const PATIENCE: Duration = Duration::from_secs(30);
/// The least time between two handshakes beside the association: whoever can forge the address of
/// the peer can begin them, and they cost more than the hello.
const PAUSE: Duration = Duration::from_millis(250);
/// Packets of the peer that come in one datagram with the end of its handshake.
const PACKETS: usize = 16;

/// DTLS may begin anew.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    /// Our role, once the answer has named it.
    role: Option<DtlsRole>,
    /// When it is too late; nothing before the answer.
    until: Option<Instant>,
    /// The association has ended.
    has_ended: bool,
    /// A handshake beside the association.
    beside: Option<Beside>,
    /// When the next one may begin.
    pause_until: Option<Instant>,
}

#[derive(Debug)]
struct Beside {
    dtls: Box<Connection>,
    /// The random number of its ClientHello.
    hello: [u8; 32],
}

impl Renewal {
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Datagram> {
        self.beside.as_mut()?.dtls.poll_transmit()
    }

    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let mut timeout = self.until;
        if let Some(at) = self.beside.as_ref().and_then(|beside| beside.dtls.poll_timeout(now)) {
            earlier(&mut timeout, Some(at));
        }
        timeout
    }
}

impl Transport {
    /// From now on the peer may begin DTLS anew, because a description has rejected the section
    /// that describes the transport. `role` is ours in the handshake; `None` before the answer
    /// names it. 30 seconds after the answer it is too late.
    ///
    /// If the peer does so, [`Event::DtlsBeginsAnew`](crate::Event::DtlsBeginsAnew) comes. The keys
    /// of SRTP are new then. Streams of media go on, and so do the channels, unless messages are
    /// lost with the association.
    pub fn expect_dtls(&mut self, now: Instant, role: Option<DtlsRole>) {
        self.now = Some(now);
        if self.renewal.is_none() {
            if self.dtls.state() != DtlsState::Connected {
                return;
            }
            self.renewal = Some(Box::default());
            self.over.expect_anew(true);
        }
        if let Some(renewal) = &mut self.renewal
            && let Some(role) = role
        {
            renewal.role = Some(role);
            renewal.until = Some(later(now, PATIENCE));
            if renewal.has_ended {
                self.start_anew(now);
            }
        }
        self.settle(now);
    }

    /// The peer may not begin DTLS anew any more: the description was rolled back. If the peer has
    /// ended the association meanwhile, DTLS is closed.
    pub fn stop_expecting_dtls(&mut self, now: Instant) {
        self.now = Some(now);
        let Some(renewal) = self.renewal.take() else { return };
        self.over.expect_anew(false);
        if renewal.has_ended {
            let Self { dtls, over, .. } = self;
            dtls.close(now, &mut |output| over.on_dtls(now, output));
        }
    }

    /// The association has ended with the peer's close_notify. What was to be sent over it has
    /// nobody left to hear it.
    pub(crate) fn begin_anew(&mut self, now: Instant) {
        self.dtls = self.new_dtls(now);
        self.prepare_anew();
        if let Some(renewal) = &mut self.renewal {
            renewal.has_ended = true;
            renewal.beside = None;
        }
        self.start_anew(now);
    }

    fn prepare_anew(&mut self) {
        tracing::debug!("the peer begins DTLS anew");
        self.in_stun = None;
        self.media.forget_keys();
        self.over.begin_anew();
        self.resumes = true;
    }

    /// Begins the handshake, once our role is known.
    fn start_anew(&mut self, now: Instant) {
        let Some(role) = self.renewal.as_ref().and_then(|renewal| renewal.role) else { return };
        let fingerprints = self.fingerprints.clone();
        let Self { dtls, over, .. } = self;
        dtls.start(now, role, fingerprints, &mut |output| over.on_dtls(now, output));
    }

    /// A connection that may send, and has not begun.
    fn new_dtls(&mut self, now: Instant) -> Connection {
        self.renewals = self.renewals.wrapping_add(1);
        let seed = self.dtls_seed().wrapping_add(u64::from(self.renewals));
        let mut dtls = Connection::new(&self.config.dtls(seed));
        dtls.set_max_datagram_size(self.datagram_size());
        dtls.set_writable(now, self.writable, &mut |_| {});
        dtls
    }

    /// The peer may begin a handshake although no close_notify has come: it was lost. Takes what
    /// belongs to such a handshake; the association has had the datagram already, and has dropped
    /// what is not authentic there.
    pub(crate) fn handle_beside(&mut self, now: Instant, datagram: &[u8]) {
        let Some(renewal) = &self.renewal else { return };
        if renewal.has_ended || !dtls::may_be_of_handshake(datagram) {
            return;
        }
        if renewal.role == Some(DtlsRole::Server)
            && let Some(hello) = dtls::client_hello_random(datagram)
        {
            let is_new = renewal.beside.as_ref().is_none_or(|beside| beside.hello != hello);
            if is_new && !self.begin_beside(now, DtlsRole::Server, hello) {
                return;
            }
        }
        self.drive_beside(now, |dtls, sink| dtls.handle_datagram(now, datagram, sink));
    }

    /// Begins a handshake beside the association. A later hello takes the place of an earlier one:
    /// either may be forged. Returns false if it is too soon.
    fn begin_beside(&mut self, now: Instant, role: DtlsRole, hello: [u8; 32]) -> bool {
        let pause_until = self.renewal.as_ref().and_then(|renewal| renewal.pause_until);
        if pause_until.is_some_and(|at| now < at) {
            tracing::trace!("too soon for another handshake beside the association");
            return false;
        }
        let mut dtls = Box::new(self.new_dtls(now));
        let fingerprints: Vec<Fingerprint> = self.fingerprints.clone();
        dtls.start(now, role, fingerprints, &mut |_| {});
        if let Some(renewal) = &mut self.renewal {
            renewal.pause_until = Some(later(now, PAUSE));
            renewal.beside = Some(Beside { dtls, hello });
        }
        true
    }

    /// Calls the handshake beside the association, and lets it take over once it is complete. What
    /// fails is dropped.
    fn drive_beside(
        &mut self,
        now: Instant,
        call: impl FnOnce(&mut Connection, &mut dyn FnMut(Output<'_>)),
    ) {
        let beside = self.renewal.as_mut().and_then(|renewal| renewal.beside.as_mut());
        let Some(Beside { dtls, .. }) = beside else { return };
        let mut packets = Vec::new();
        call(dtls, &mut |output| {
            if let Output::Data(packet) = output
                && packets.len() < PACKETS
            {
                packets.push(packet.to_vec());
            }
        });
        let state = dtls.state();
        if matches!(state, DtlsState::New | DtlsState::Connecting) {
            return;
        }
        let beside = self.renewal.as_mut().and_then(|renewal| renewal.beside.take());
        let Some(Beside { dtls, .. }) = beside.filter(|_| state == DtlsState::Connected) else {
            return;
        };
        self.renewal = None;
        self.dtls = *dtls;
        self.prepare_anew();
        for state in [DtlsState::Connecting, DtlsState::Connected] {
            self.over.on_dtls(now, Output::State(state));
        }
        self.settle(now);
        for packet in packets {
            self.over.on_dtls(now, Output::Data(&packet));
        }
    }

    /// ICE has moved to another pair. It may lead to another agent of the peer, whose DTLS waits for
    /// our hello. A peer that has its association still drops the hello, or, if it expects one,
    /// goes on with new keys: nothing is lost.
    pub(crate) fn offer_anew(&mut self, now: Instant) {
        let Some(renewal) = &self.renewal else { return };
        if !renewal.has_ended && renewal.role == Some(DtlsRole::Client) {
            self.begin_beside(now, DtlsRole::Client, [0; 32]);
        }
    }

    pub(crate) fn set_beside_writable(&mut self, now: Instant, writable: bool) {
        self.drive_beside(now, |dtls, sink| dtls.set_writable(now, writable, sink));
    }

    pub(crate) fn handle_renewal_timeout(&mut self, now: Instant) {
        self.drive_beside(now, |dtls, sink| dtls.handle_timeout(now, sink));
        let until = self.renewal.as_ref().and_then(|renewal| renewal.until);
        if until.is_some_and(|until| now >= until) {
            self.stop_expecting_dtls(now);
        }
    }
}
