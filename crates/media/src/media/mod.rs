//! Keys, protection, demultiplexing and the streams of one path, put together.
//!
//! | module | what |
//! |---|---|
//! | `sections` | what descriptions say |
//! | `send` | packets of ours, the first time and again |
//! | `receive` | packets of the peer, and RTX undone |
//! | `feedback` | RTCP of the peer |
//! | `report` | RTCP of ours |
//! | `transmit` | datagrams on their way out |
//! | `moved` | sections that go on over another path, or to another peer |

mod feedback;
mod moved;
mod receive;
mod report;
mod sections;
mod send;
mod transmit;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::BytesMut;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::{Instant, earlier};

pub use self::moved::Moved;
use self::report::Reports;
use self::sections::{Own, Receiving, Sending};
use self::transmit::Transmit;
use crate::arena::Arena;
use crate::clock::Wall;
use crate::demux::{Demultiplexer, Early};
use crate::event::{Dropped, Event};
use crate::section::SectionId;
use crate::srtp::{MasterKey, Profile, Receiver, Sender, Unusable};
use crate::statistics::{Inbound, Outbound};
use crate::streams::incoming::Role;
use crate::streams::outgoing::OutgoingStream;
use crate::streams::sources::Sources;
use crate::tape::Tape;

/// Events that wait to be taken, at most. More come only from one more datagram.
const EVENTS: usize = 4_096;
/// Octets of a text in SDES (RFC 3550 §6.5).
const CNAME: usize = 255;

/// What does not change while a path is there.
///
/// ```
/// use std::time::Instant;
/// use peerconnection_media::{Config, Media, Wall};
///
/// let now = Instant::now();
/// let media = Media::new(Config {
///     cname: "4TOk42mSjXCkVIa6".into(),
///     seed: [7; 32],
///     headroom: 0,
///     tailroom: 0,
///     wall: Wall { at: now, ntp: 3_976_214_400 << 32 },
/// });
/// assert_eq!(media.poll_timeout(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// What all our sources are called (RFC 7022). Of more than 255 octets the rest is cut off.
    pub cname: String,
    /// What the first sequence numbers and timestamps, the SSRC of reports without a source of ours
    /// and the times of reports are drawn from. It must be random and used once.
    pub seed: [u8; 32],
    /// Octets of room before each datagram, for whoever puts a header there.
    pub headroom: usize,
    /// Octets of room behind each datagram.
    pub tailroom: usize,
    /// The NTP time of one instant.
    pub wall: Wall,
}

/// The media of one path. It does no IO and reads no clock.
///
/// ```
/// use std::time::Instant;
/// use peerconnection_media::rtp::Packet;
/// use peerconnection_media::srtp::{MasterKey, Profile};
/// use peerconnection_media::{
///     Codec, Config, Encoding, Event, Extension, Kind, Media, Outgoing, Receive, Section,
///     SectionId, Send, Wall,
/// };
///
/// let now = Instant::now();
/// let wall = Wall { at: now, ntp: 3_976_214_400 << 32 };
/// let side = |seed| {
///     let cname = "4TOk42mSjXCkVIa6".to_string();
///     Media::new(Config { cname, seed: [seed; 32], headroom: 0, tailroom: 0, wall })
/// };
/// let (mut one, mut other) = (side(1), side(2));
/// // What DTLS has exported.
/// let exported = [7; 56];
/// let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported)?;
/// one.set_keys(&client, &server)?;
/// other.set_keys(&server, &client)?;
///
/// // What the descriptions say: one sends Opus, the other receives it.
/// let codecs = vec![Codec { payload_type: 111, clock_rate: 48_000, repairs: None }];
/// let extensions = vec![(4, Extension::Mid)];
/// let encodings = vec![Encoding { ssrc: 9, rtx_ssrc: None, rid: None, active: true }];
/// let section = Section {
///     id: SectionId(0), mid: "0".into(), kind: Kind::Audio, reduced_size: true,
///     receive: None, send: None,
/// };
/// let send = Send {
///     codecs: codecs.clone(), extensions: extensions.clone(), encodings, allow_mixed: true,
/// };
/// one.set_sections(vec![Section { send: Some(send), ..section.clone() }]);
/// let receive = Receive { codecs, extensions, ..Receive::default() };
/// other.set_sections(vec![Section { receive: Some(receive), ..section }]);
///
/// one.set_writable(now, true);
/// one.send(now, SectionId(0), 0, &Outgoing {
///     origin: 0, payload_type: 111, marker: true, sequence_number: 0, timestamp: 0,
///     csrcs: &[], elements: &[], payload: b"sound",
/// })?;
/// let (datagram, start) = one.poll_transmit().expect("a datagram");
/// other.handle_datagram(now, &datagram[start..])?;
/// let Some(Event::Packet(packet)) = other.poll_event() else { panic!() };
/// assert_eq!((packet.section, packet.ssrc), (SectionId(0), 9));
/// assert_eq!(Packet::parse(&packet.octets)?.payload(), b"sound");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Media {
    cname: String,
    wall: Wall,
    random: StdRng,
    /// Who reports in a section without a source of ours.
    reporter: u32,
    keys: Option<Keys>,
    tape: Option<Arc<dyn Tape>>,
    early: Early,
    /// A description has let something be sent or received.
    is_described: bool,
    is_writable: bool,
    is_closed: bool,
    demultiplexer: Demultiplexer,
    /// The sections that receive, in the order that the demultiplexer has.
    receiving: Vec<Receiving>,
    sources: Sources,
    /// How many other peers there were before this one.
    peer: u32,
    sending: Vec<Sending>,
    /// Where a section is in `sending`.
    by_id: BTreeMap<SectionId, usize>,
    /// Our sources, and those that repair them.
    own: BTreeMap<u32, Own>,
    /// Streams that no description names now. Their numbers must not come again.
    retired: BTreeMap<u32, OutgoingStream>,
    reports: Reports,
    /// Requests for key frames that are due, the first of them.
    key_frame_due: Option<Instant>,
    /// Requests of the peer for key frames that the host is to be told of, the first of them.
    requests_due: Option<Instant>,
    arrivals: Arena,
    transmit: Transmit,
    /// Where headers and RTCP are written.
    scratch: Vec<u8>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Keys {
    own: OwnKey,
    sender: Sender,
    receiver: Receiver,
}

/// What tells our master key from another one.
#[derive(PartialEq, Eq)]
struct OwnKey(Profile, Vec<u8>);

impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OwnKey").field(&self.0).finish_non_exhaustive()
    }
}

impl Media {
    /// Has no keys, knows no section, and has no path.
    pub fn new(config: Config) -> Self {
        let mut cname = config.cname;
        while cname.len() > CNAME {
            cname.pop();
        }
        let mut random = StdRng::from_seed(config.seed);
        let reporter = random.random_range(1..=u32::MAX);
        Self {
            cname,
            wall: config.wall,
            random,
            reporter,
            keys: None,
            tape: None,
            early: Early::default(),
            is_described: false,
            is_writable: false,
            is_closed: false,
            demultiplexer: Demultiplexer::new(),
            receiving: Vec::new(),
            sources: Sources::default(),
            peer: 0,
            sending: Vec::new(),
            by_id: BTreeMap::new(),
            own: BTreeMap::new(),
            retired: BTreeMap::new(),
            reports: Reports::default(),
            key_frame_due: None,
            requests_due: None,
            arrivals: Arena::default(),
            transmit: Transmit::new(config.headroom, config.tailroom),
            scratch: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Has what is in the peer's packets taken down, or said again; see [`Tape`].
    pub fn set_tape(&mut self, tape: Arc<dyn Tape>) {
        self.tape = Some(tape);
    }

    /// Sets the keys that DTLS has made: our side's and the peer's. Packets with the old ones are
    /// refused from now on, and nothing that was protected with them is sent again; numbers go on.
    /// If our side's is as it was, nothing changes: a sender that began anew would use indices
    /// twice.
    ///
    /// Datagrams that came before are handled now, if descriptions are there, too.
    ///
    /// # Errors
    /// [`Unusable`], if the library of cryptography fails. Then the old keys stay.
    pub fn set_keys(&mut self, own: &MasterKey<'_>, peers: &MasterKey<'_>) -> Result<(), Unusable> {
        let (sender, receiver) = (Sender::new(own)?, Receiver::new(peers)?);
        let own = OwnKey(own.profile(), own.octets());
        if self.keys.as_ref().is_none_or(|keys| keys.own != own) {
            self.keys = Some(Keys { own, sender, receiver });
            // What was protected with another key is of no use.
            let streams = self.sending.iter_mut().flat_map(|sending| &mut sending.encodings);
            streams.for_each(|stream| stream.history.clear());
        }
        self.handle_early();
        Ok(())
    }

    /// Forgets the keys, since DTLS begins anew. Until there are others, nothing is sent, and what
    /// comes is kept as before the first ones.
    pub fn forget_keys(&mut self) {
        self.keys = None;
        self.early = Early::default();
    }

    /// Sets whether there is a path. Without one, packets are refused, although they take part in
    /// the counting of their origin, and nothing is reported.
    pub fn set_writable(&mut self, now: Instant, writable: bool) {
        self.is_writable = writable;
        if self.can_send() {
            self.send_key_frame_requests(now);
        }
    }

    /// Whether a datagram would go out.
    fn can_send(&self) -> bool {
        self.is_writable && !self.is_closed && self.keys.is_some()
    }

    /// Handles a datagram whose first byte is that of RTP (RFC 7983).
    ///
    /// # Errors
    /// [`Dropped`].
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Dropped> {
        if self.events.len() >= EVENTS {
            return Err(Dropped::Full);
        }
        if self.keys.is_none() || !self.is_described {
            let is_kept = self.early.keep(now, datagram);
            return Err(if is_kept { Dropped::Early } else { Dropped::TooEarly });
        }
        self.open(now, datagram)
    }

    /// Handles what came before there were keys and descriptions.
    fn handle_early(&mut self) {
        if self.keys.is_none() || !self.is_described {
            return;
        }
        for (at, datagram) in self.early.take() {
            if let Err(dropped) = self.open(at, &datagram) {
                tracing::debug!(%dropped, "a datagram that came early is dropped");
            }
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next datagram to send: a buffer, and where the datagram begins in it. The room before
    /// and behind it is that of the [`Config`].
    pub fn poll_transmit(&mut self) -> Option<(BytesMut, usize)> {
        self.transmit.pop()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.can_send() {
            return None;
        }
        let mut due = self.reports.due();
        earlier(&mut due, self.key_frame_due);
        earlier(&mut due, self.requests_due);
        due
    }

    /// Sends the reports and requests that are due, and tells of the peer's.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.can_send() {
            return;
        }
        self.send_reports(now);
        self.send_key_frame_requests(now);
        self.tell_requests(now);
    }

    /// Statistics of the peer's sources that have been heard, and not forgotten.
    pub fn inbound(&self) -> impl Iterator<Item = Inbound> {
        let media = self.sources.iter().filter(|(_, stream)| stream.role == Role::Media);
        media.map(|(ssrc, stream)| {
            let receiving = self.receiving.iter().find(|known| known.id == stream.section);
            let named = receiving.and_then(|receiving| receiving.repair_of(*ssrc));
            stream.statistics(*ssrc, named.or_else(|| self.sources.repair_of(*ssrc)))
        })
    }

    /// Statistics of our encodings that the descriptions name.
    pub fn outbound(&self) -> impl Iterator<Item = Outbound> {
        self.sending.iter().flat_map(|sending| {
            let encodings = sending.encodings.iter().enumerate();
            encodings.map(|(place, stream)| stream.statistics(sending.id, sending.kind, place))
        })
    }
}
