//! The transports, and which of them have work to do. The code that runs for every datagram looks
//! only at these, however many transports there are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use negotiation::TransportId;
use time::Instant;
use tracing::Span;

use super::{LOG_TARGET, SocketId, Transmit};
use crate::api::{
    DtlsTransportObject, IceTransportObject, IceTransportSlots, RTCDtlsTransportState,
    RTCIceGathererState, RTCIceTransportState, TransportStates,
};

/// One RTCIceTransport and the RTCDtlsTransport above it.
pub(super) struct Transport {
    pub(super) agent: ice::Agent,
    pub(super) stack: transport::Transport,
    /// The path of the stack's datagrams.
    path: Option<ice::Path>,
    /// The path has stopped answering.
    is_disconnected: bool,
    /// The path is one that nobody has nominated yet.
    is_ahead: bool,
    /// The handshake of the stack began in messages of STUN.
    pub(super) began_in_stun: bool,
    /// The stack of the last peer, while another peer takes over.
    predecessor: Option<Box<Predecessor>>,
    /// The first generation of the new peer; older generations lead to the last peer.
    since: Option<ice::GenerationId>,
    pub(super) slots: TransportSlots,
    pub(super) counters: Counters,
    /// The entry of this transport in the index of deadlines.
    deadline: Option<Instant>,
    /// What `tracing` shows of negotiation, timers and checks is in this span; packets are not.
    pub(super) span: Span,
}

impl Transport {
    pub(super) fn new(
        agent: ice::Agent,
        stack: transport::Transport,
        ice_object: Arc<IceTransportObject>,
        dtls_object: Arc<DtlsTransportObject>,
    ) -> Self {
        let span = tracing::error_span!(target: LOG_TARGET, "transport", id = ice_object.id.0);
        Self {
            agent,
            stack,
            path: None,
            is_disconnected: false,
            is_ahead: false,
            began_in_stun: false,
            predecessor: None,
            since: None,
            slots: TransportSlots {
                ice: IceTransportSlots::new(),
                states: TransportStates {
                    ice: RTCIceTransportState::New,
                    gatherer: RTCIceGathererState::New,
                    dtls: RTCDtlsTransportState::New,
                },
                remote_certificates: Vec::new(),
                tls_version: None,
                dtls_cipher: None,
                tls_group: None,
                srtp_cipher: None,
                ice_object,
                dtls_object,
            },
            counters: Counters::default(),
            deadline: None,
            span,
        }
    }

    /// The next datagram of the stack.
    pub(super) fn next_datagram(&mut self, now: Instant) -> Option<Transmit> {
        let path = self.agent.data_path()?;
        loop {
            let datagram = self.stack_on(path.base.socket)?.poll_transmit()?;
            let bytes = datagram.len();
            let (buffer, start) = datagram.into_parts();
            // A relay may refuse the datagram: then the next one is tried.
            if let Some(transmit) = self.agent.send_in_place(now, buffer, start) {
                self.counters.sent.add(now, bytes);
                return Some(transmit.into());
            }
        }
    }

    /// Counts a datagram that is not STUN. Returns whether the stack may take it.
    pub(super) fn accept_datagram(
        &mut self,
        now: Instant,
        base: ice::Base,
        source: SocketAddr,
        bytes: usize,
    ) -> bool {
        let accepted = self.agent.data_received(now, base, source, bytes);
        if accepted {
            self.counters.received.add(now, bytes);
        }
        accepted
    }

    /// Another peer takes over with the newest generation of ICE. The old stack goes on with these
    /// streams until the new one is connected. Returns the streams that are over at once.
    pub(super) fn hand_over(
        &mut self,
        now: Instant,
        stack: transport::Transport,
        streams: BTreeSet<u16>,
    ) -> BTreeSet<u16> {
        let mut before = std::mem::replace(&mut self.stack, stack);
        self.began_in_stun = false;
        self.follow_stack_in_stun();
        let path = self.path.take();
        self.since = self.agent.newest_generation();
        // A stack that never was connected has nothing to carry on.
        if before.dtls_state() != transport::DtlsState::Connected {
            // It may have sent media before its peer began DTLS anew.
            if self.predecessor.is_none() {
                self.stack.succeed_media_of(now, &mut before);
            }
            return BTreeSet::new();
        }
        let mut over = BTreeSet::new();
        if let Some(mut retired) = self.predecessor.take() {
            before.succeed_media_of(now, &mut retired.stack);
            over = retired.streams;
        }
        self.predecessor = Some(Box::new(Predecessor { stack: before, path, streams }));
        over
    }

    /// Drops the old stack: the new one is connected, or never will be. Media goes on over that.
    /// Returns the streams that are over, if there was an old stack.
    pub(super) fn retire_predecessor(&mut self, now: Instant) -> Option<BTreeSet<u16>> {
        let mut retired = self.predecessor.take()?;
        self.stack.succeed_media_of(now, &mut retired.stack);
        Some(retired.streams)
    }

    pub(super) fn predecessor(&mut self) -> Option<&mut transport::Transport> {
        self.predecessor.as_mut().map(|predecessor| &mut predecessor.stack)
    }

    /// Whether the predecessor carries a stream.
    pub(super) fn is_of_predecessor(&self, stream: u16) -> bool {
        self.predecessor.as_ref().is_some_and(|old| old.streams.contains(&stream))
    }

    /// The stack that carries a stream.
    pub(super) fn stack_of(&mut self, stream: u16) -> &mut transport::Transport {
        match &mut self.predecessor {
            Some(old) if old.streams.contains(&stream) => &mut old.stack,
            _ => &mut self.stack,
        }
    }

    /// The stack that carries media: that of the last peer until the new one is connected.
    pub(super) fn media_stack(&mut self) -> &mut transport::Transport {
        match &mut self.predecessor {
            Some(old) => &mut old.stack,
            None => &mut self.stack,
        }
    }

    /// The media that the statistics show: that of [`media_stack`](Self::media_stack).
    pub(super) fn media(&self) -> Option<&transport::media::Media> {
        match &self.predecessor {
            Some(old) => old.stack.media(),
            None => self.stack.media(),
        }
    }

    /// The stack of the peer to which a socket leads.
    pub(super) fn stack_on(&mut self, socket: SocketId) -> Option<&mut transport::Transport> {
        match leads_to_successor(&self.agent, self.since, socket) {
            true => Some(&mut self.stack),
            false => self.predecessor(),
        }
    }

    /// Of these sockets, the first on which the last peer may send data from there, and the first on
    /// which the present one may.
    #[cfg(feature = "tokio")]
    pub(super) fn takers(&self, sockets: &[SocketId], source: SocketAddr) -> [Option<SocketId>; 2] {
        let takes = |socket: &SocketId| self.agent.accepts_data(*socket, source);
        let is_new = |socket: &SocketId| leads_to_successor(&self.agent, self.since, *socket);
        let first = |new: bool| {
            sockets.iter().find(|socket| is_new(socket) == new && takes(socket)).copied()
        };
        [first(false), first(true)]
    }

    /// Tells the stacks the path of data, and that it answers again. Returns whether
    /// it is new.
    pub(super) fn update_paths(&mut self, now: Instant) -> bool {
        let is_disconnected = self.agent.state() == ice::State::Disconnected;
        let returns =
            std::mem::replace(&mut self.is_disconnected, is_disconnected) && !is_disconnected;
        let path = self.agent.data_path();
        let new = path.filter(|path| leads_to_successor(&self.agent, self.since, path.base.socket));
        let old = path.filter(|_| new.is_none());
        let mut changed = update_path(now, &mut self.stack, &mut self.path, new, returns);
        if let Some(Predecessor { stack, path, .. }) = self.predecessor.as_deref_mut() {
            changed |= update_path(now, stack, path, old, returns);
        }
        let is_ahead = self.runs_ahead();
        if std::mem::replace(&mut self.is_ahead, is_ahead) && !is_ahead {
            self.stack.path_selected(now);
        }
        changed
    }

    /// Whether the stack works though nobody has nominated a pair yet: on a pair that works, or in
    /// messages of STUN.
    pub(super) fn runs_ahead(&self) -> bool {
        self.agent.selected_path().is_none()
            && (self.agent.data_path().is_some()
                || (self.began_in_stun && !self.agent.has_selected()))
    }

    /// Gives back the memory that a pause does not need.
    fn rest(&mut self) {
        self.agent.rest();
        self.stack.rest();
        if let Some(stack) = self.predecessor() {
            stack.rest();
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let old = self.predecessor.as_ref().and_then(|old| old.stack.poll_timeout());
        let timeouts = [self.agent.poll_timeout(), self.stack.poll_timeout(), old];
        timeouts.into_iter().flatten().min()
    }
}

/// A stack that goes on until its successor is connected.
struct Predecessor {
    stack: transport::Transport,
    path: Option<ice::Path>,
    streams: BTreeSet<u16>,
}

/// Whether a socket leads to the new peer: a socket belongs to one generation, and a generation
/// leads to one peer.
fn leads_to_successor(
    agent: &ice::Agent,
    since: Option<ice::GenerationId>,
    socket: SocketId,
) -> bool {
    since.is_none_or(|since| agent.generation_of_socket(socket).is_some_and(|of| of >= since))
}

fn update_path(
    now: Instant,
    stack: &mut transport::Transport,
    path: &mut Option<ice::Path>,
    new: Option<ice::Path>,
    returns: bool,
) -> bool {
    let before = std::mem::replace(path, new);
    if let Some(new) = new {
        stack.set_path_overhead(new.overhead());
    }
    if before.is_some() != new.is_some() {
        stack.set_writable(now, new.is_some());
    } else if before != new {
        stack.path_changed(now);
    } else if new.is_some() && returns {
        stack.path_returned(now);
    }
    before != new
}

/// The counters of a transport for webrtc-stats. STUN is left out.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) sent: ice::Traffic,
    pub(super) received: ice::Traffic,
    pub(super) selected_candidate_pair_changes: u32,
}

/// What the application sees of a transport.
pub(super) struct TransportSlots {
    pub(super) ice: IceTransportSlots,
    states: TransportStates,
    /// `[[RemoteCertificates]]`
    pub(super) remote_certificates: Vec<Bytes>,
    /// For webrtc-stats: the version of DTLS, as ServerHello has it.
    pub(super) tls_version: Option<&'static str>,
    /// For webrtc-stats: the profile of SRTP, as IANA calls it.
    pub(super) dtls_cipher: Option<&'static str>,
    pub(super) tls_group: Option<&'static str>,
    pub(super) srtp_cipher: Option<&'static str>,
    pub(super) ice_object: Arc<IceTransportObject>,
    pub(super) dtls_object: Arc<DtlsTransportObject>,
}

impl TransportSlots {
    pub(super) fn states(&self) -> TransportStates {
        self.states
    }

    /// Changes the states of a transport that the census does not count any more.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut TransportStates)) {
        change(&mut self.states);
    }
}

/// How many transports are in each state; states without transports are left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Census<S>(Vec<(S, usize)>);

impl<S> Default for Census<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Copy + PartialEq> Census<S> {
    pub(super) fn any(&self, state: S) -> bool {
        self.0.iter().any(|(counted, _)| *counted == state)
    }

    /// Whether all transports are in one of these states; true without transports.
    pub(super) fn all(&self, states: &[S]) -> bool {
        self.0.iter().all(|(counted, _)| states.contains(counted))
    }

    fn add(&mut self, state: S) {
        match self.0.iter_mut().find(|(counted, _)| *counted == state) {
            Some((_, count)) => *count += 1,
            None => self.0.push((state, 1)),
        }
    }

    fn remove(&mut self, state: S) {
        if let Some((_, count)) = self.0.iter_mut().find(|(counted, _)| *counted == state) {
            *count = count.saturating_sub(1);
        }
        self.0.retain(|(_, count)| *count > 0);
    }
}

/// All transports of a connection.
#[derive(Default)]
pub(super) struct Transports {
    /// Boxed: a node of the map reserves room for eleven, and most connections have one transport.
    slots: BTreeMap<TransportId, Box<Transport>>,
    /// The transports of the ICE candidate pool: no description has created them yet. Only the
    /// network knows of them.
    pool: BTreeMap<TransportId, Box<Transport>>,
    /// Transports that were called since their outputs were last taken: they may have events and
    /// another deadline.
    touched: BTreeSet<TransportId>,
    /// Transports that may have something to send.
    sending: BTreeSet<TransportId>,
    /// The deadlines of the transports, out of date for touched ones.
    deadlines: BTreeSet<(Instant, TransportId)>,
    pub(super) ice: Census<RTCIceTransportState>,
    pub(super) gatherer: Census<RTCIceGathererState>,
    pub(super) dtls: Census<RTCDtlsTransportState>,
}

impl Transports {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether a transport gathers, checks or is connected.
    pub(super) fn are_busy(&self) -> bool {
        const IDLE: [RTCIceTransportState; 3] =
            [RTCIceTransportState::New, RTCIceTransportState::Failed, RTCIceTransportState::Closed];
        self.gatherer.any(RTCIceGathererState::Gathering) || !self.ice.all(&IDLE)
    }

    /// Whether there is such a transport, be it in the pool.
    pub(super) fn contains_key(&self, id: &TransportId) -> bool {
        self.slots.contains_key(id) || self.is_pooled(id)
    }

    pub(super) fn is_pooled(&self, id: &TransportId) -> bool {
        self.pool.contains_key(id)
    }

    pub(super) fn pooled(&self) -> Vec<TransportId> {
        self.pool.keys().copied().collect()
    }

    /// The ids of all, those of the pool last.
    pub(super) fn ids_with_pool(&self) -> Vec<TransportId> {
        self.slots.keys().chain(self.pool.keys()).copied().collect()
    }

    pub(super) fn ids(&self) -> Vec<TransportId> {
        self.slots.keys().copied().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TransportId, &Transport)> {
        self.slots.iter().map(|(id, transport)| (id, transport.as_ref()))
    }

    pub(super) fn get(&self, id: &TransportId) -> Option<&Transport> {
        self.slots.get(id).map(Box::as_ref)
    }

    /// A transport, be it in the pool.
    #[cfg(feature = "tokio")]
    pub(super) fn peek(&self, id: &TransportId) -> Option<&Transport> {
        self.slots.get(id).or_else(|| self.pool.get(id)).map(Box::as_ref)
    }

    /// A transport that is about to be called, be it in the pool.
    pub(super) fn get_mut(&mut self, id: &TransportId) -> Option<&mut Transport> {
        let transport = self.slots.get_mut(id).or_else(|| self.pool.get_mut(id))?;
        self.touched.insert(*id);
        self.sending.insert(*id);
        Some(transport)
    }

    /// A transport whose outputs are being taken, be it in the pool.
    pub(super) fn output(&mut self, id: TransportId) -> Option<&mut Transport> {
        self.slots.get_mut(&id).or_else(|| self.pool.get_mut(&id)).map(Box::as_mut)
    }

    pub(super) fn insert(&mut self, id: TransportId, mut transport: Transport) {
        self.remove(&id);
        transport.deadline = None;
        self.count(transport.slots.states);
        self.slots.insert(id, Box::new(transport));
        self.touched.insert(id);
        self.sending.insert(id);
    }

    pub(super) fn remove(&mut self, id: &TransportId) -> Option<Transport> {
        let transport = self.slots.remove(id)?;
        self.forget_work(*id, transport.deadline);
        self.discount(transport.slots.states);
        Some(*transport)
    }

    pub(super) fn insert_pooled(&mut self, id: TransportId, transport: Transport) {
        self.pool.insert(id, Box::new(transport));
    }

    pub(super) fn remove_pooled(&mut self, id: &TransportId) -> Option<Transport> {
        let transport = self.pool.remove(id)?;
        self.forget_work(*id, transport.deadline);
        Some(*transport)
    }

    fn forget_work(&mut self, id: TransportId, deadline: Option<Instant>) {
        self.touched.remove(&id);
        self.sending.remove(&id);
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, id));
        }
    }

    /// Changes the states of a transport.
    pub(super) fn change(&mut self, id: TransportId, change: impl FnOnce(&mut TransportStates)) {
        let Some(transport) = self.slots.get_mut(&id) else { return };
        let before = transport.slots.states;
        change(&mut transport.slots.states);
        let after = transport.slots.states;
        self.discount(before);
        self.count(after);
    }

    fn count(&mut self, states: TransportStates) {
        self.ice.add(states.ice);
        self.gatherer.add(states.gatherer);
        self.dtls.add(states.dtls);
    }

    fn discount(&mut self, states: TransportStates) {
        self.ice.remove(states.ice);
        self.gatherer.remove(states.gatherer);
        self.dtls.remove(states.dtls);
    }

    /// The next touched transport. Take its events, then call [`settle`](Self::settle).
    pub(super) fn next_touched(&mut self) -> Option<TransportId> {
        self.touched.pop_first()
    }

    /// Notes that all events of a transport have been taken. `made_room` says that taking them may
    /// have made something to send.
    pub(super) fn settle(&mut self, id: TransportId, made_room: bool) {
        let Some(transport) = self.output(id) else { return };
        let deadline = transport.poll_timeout();
        let before = std::mem::replace(&mut transport.deadline, deadline);
        if before != deadline {
            if let Some(before) = before {
                self.deadlines.remove(&(before, id));
            }
            if let Some(deadline) = deadline {
                self.deadlines.insert((deadline, id));
            }
        }
        if made_room {
            self.sending.insert(id);
        }
    }

    /// The first transport that may have something to send.
    pub(super) fn sending(&self) -> Option<TransportId> {
        self.sending.first().copied()
    }

    /// Notes that a transport has nothing to send. Asking it may have begun a timer or made events.
    pub(super) fn mark_sent(&mut self, id: TransportId) {
        self.sending.remove(&id);
        self.touched.insert(id);
    }

    /// When to call the first transport.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let settled = self.deadlines.iter().find(|(_, id)| !self.touched.contains(id));
        let of = |id| self.slots.get(id).or_else(|| self.pool.get(id));
        let touched = self.touched.iter().filter_map(|id| of(id)?.poll_timeout());
        settled.map(|(at, _)| *at).into_iter().chain(touched).min()
    }

    /// Gives back the memory that a pause does not need.
    pub(super) fn rest(&mut self) {
        self.slots.values_mut().chain(self.pool.values_mut()).for_each(|of| of.rest());
        for set in [&mut self.touched, &mut self.sending] {
            if set.is_empty() {
                // An empty set keeps its last node.
                *set = BTreeSet::new();
            }
        }
    }

    /// The transports whose deadline has come, or may have come.
    pub(super) fn due(&self, now: Instant) -> BTreeSet<TransportId> {
        let settled = self.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id);
        settled.chain(self.touched.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::time::SystemTime;
    use time::Duration;

    use super::*;

    fn transport(id: TransportId) -> Transport {
        let certificate = transport::Certificate::generate(SystemTime::now()).unwrap();
        let ice_object = Arc::new(IceTransportObject::new(Weak::new(), id));
        Transport::new(
            ice::Agent::new(ice::Config::default(), [1; 32]),
            transport::Transport::new(transport::Config::new(certificate), [1; 32]),
            ice_object.clone(),
            Arc::new(DtlsTransportObject::new(ice_object)),
        )
    }

    /// Settles all touched transports. Returns their ids.
    fn look(transports: &mut Transports) -> Vec<u32> {
        let mut ids = Vec::new();
        while let Some(id) = transports.next_touched() {
            transports.settle(id, false);
            ids.push(id.0);
        }
        ids
    }

    /// Asks all transports that may send; they have nothing. Returns their ids.
    fn ask(transports: &mut Transports) -> Vec<u32> {
        let mut ids = Vec::new();
        while let Some(id) = transports.sending() {
            transports.mark_sent(id);
            ids.push(id.0);
        }
        ids
    }

    /// Has the stack begin a handshake, for the sake of its timers.
    fn begin(transport: &mut Transport, now: Instant) {
        transport.stack.set_writable(now, true);
        let fingerprints = transport.stack.certificate().fingerprints();
        transport.stack.start_dtls(now, transport::DtlsRole::Client, fingerprints);
        while transport.stack.poll_transmit().is_some() {}
    }

    #[test]
    fn only_the_transports_that_were_called_are_looked_at() {
        let mut transports = Transports::default();
        for id in [3, 1, 2].map(TransportId) {
            transports.insert(id, transport(id));
        }
        assert_eq!((look(&mut transports), ask(&mut transports)), (vec![1, 2, 3], vec![1, 2, 3]));
        assert_eq!(look(&mut transports), [1, 2, 3], "asking makes events");
        assert_eq!((look(&mut transports), ask(&mut transports)), (vec![], vec![]));

        transports.get_mut(&TransportId(2)).unwrap();
        assert!(transports.output(TransportId(1)).is_some());
        assert_eq!((look(&mut transports), ask(&mut transports)), (vec![2], vec![2]));
        assert_eq!(look(&mut transports), [2]);
        transports.settle(TransportId(3), true);
        assert_eq!(ask(&mut transports), [3]);
        assert!(transports.get_mut(&TransportId(4)).is_none());
        transports.get_mut(&TransportId(1)).unwrap();
        transports.remove(&TransportId(1)).unwrap();
        assert_eq!((look(&mut transports), ask(&mut transports)), (vec![3], vec![]));
    }

    #[test]
    fn the_deadline_is_the_earliest_whether_or_not_it_has_been_looked_at() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut transports = Transports::default();
        for id in [1, 2, 3].map(TransportId) {
            transports.insert(id, transport(id));
        }
        look(&mut transports);
        assert_eq!(transports.poll_timeout(), None);
        begin(transports.get_mut(&TransportId(3)).unwrap(), at(100));
        begin(transports.get_mut(&TransportId(2)).unwrap(), at(50));
        let first = transports.poll_timeout().unwrap();
        assert!(first > at(50) && first < at(100));
        look(&mut transports);
        assert_eq!(transports.poll_timeout(), Some(first));
        assert_eq!(transports.due(at(50)).len(), 0);
        assert_eq!(transports.due(first), BTreeSet::from([TransportId(2)]));

        // Calls change which transport is the first.
        begin(transports.get_mut(&TransportId(1)).unwrap(), at(10));
        let earlier = transports.poll_timeout().unwrap();
        assert!(earlier < first);
        transports.remove(&TransportId(1)).unwrap();
        assert_eq!(transports.poll_timeout(), Some(first));
        transports.get_mut(&TransportId(2)).unwrap().stack.set_writable(at(50), false);
        let last = transports.poll_timeout().unwrap();
        assert!(last > at(100));
        look(&mut transports);
        assert_eq!(transports.poll_timeout(), Some(last));
        transports.remove(&TransportId(3)).unwrap();
        assert_eq!(transports.poll_timeout(), None);
    }

    #[test]
    fn a_transport_is_counted_in_the_states_that_it_is_in() {
        let mut transports = Transports::default();
        let [one, two] = [1, 2].map(TransportId);
        transports.insert(one, transport(one));
        transports.insert(two, transport(two));
        transports.change(one, |states| states.dtls = RTCDtlsTransportState::Connected);
        assert!(transports.dtls.any(RTCDtlsTransportState::New));
        assert!(transports.dtls.any(RTCDtlsTransportState::Connected));
        let removed = transports.remove(&two).unwrap();
        assert!(transports.dtls.all(&[RTCDtlsTransportState::Connected]));
        assert!(transports.ice.all(&[RTCIceTransportState::New]));
        // A transport leaves the map and comes back when an association moves.
        transports.insert(two, removed);
        transports.insert(two, transport(two));
        transports.remove(&two);
        assert!(transports.dtls.all(&[RTCDtlsTransportState::Connected]));
    }

    #[test]
    fn a_census_knows_the_states_that_anybody_is_in() {
        let mut census = Census::default();
        assert!(census.all(&[]) && !census.any('a'));
        for state in ['a', 'b', 'a'] {
            census.add(state);
        }
        assert!(census.any('a') && census.any('b') && !census.any('c'));
        assert!(census.all(&['b', 'a', 'c']) && !census.all(&['a']));
        census.remove('b');
        assert!(census.all(&['a']));
        census.remove('a');
        assert!(census.any('a'), "there were two");
        census.remove('a');
        assert_eq!(census, Census::default());
    }
}
