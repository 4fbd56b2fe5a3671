//! webrtc-pc §5: transceivers, each with its one sender and its one receiver.
//!
//! - `add`: `addTrack()`, `removeTrack()`, `addTransceiver()` and the legacy options of an offer
//! - `association`: which transceiver an m= section belongs to (RFC 9429 §5.10)
//! - `direction`: `direction`, `stop()` and codec preferences
//! - `dtmf`: whether telephone tones can be sent
//! - `parameters`: `getParameters()` and `setParameters()`
//! - `receiver`, `sender`: their slots, `replaceTrack()` and `setStreams()`
//! - `remote_tracks`: processing remote MediaStreamTracks (§5.1.1)
//! - `sources`: the SSRCs of senders

mod add;
mod association;
mod direction;
mod dtmf;
mod parameters;
mod receiver;
mod remote_tracks;
mod sender;
mod sources;

use std::collections::{BTreeMap, HashMap};

use crate::effect::TransportId;
use crate::session::Session;
use idl::RTCRtpTransceiverDirection::{self, Stopped};
use idl::{MediaKind, RTCRtpCodec, RTCRtpEncodingParameters};

pub(crate) use association::Association;
pub(crate) use receiver::Receiver;
pub(crate) use remote_tracks::{TrackEvents, process_the_removal_of_a_remote_track};
pub(crate) use sender::Sender;
pub(crate) use sources::Sources;

/// An `RTCRtpTransceiver` with its `RTCRtpSender` and its `RTCRtpReceiver`. Unique in its session
/// and never reused; later transceivers have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransceiverId(pub u32);

/// A `MediaStreamTrack` of the host, by the number that the host gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// A track to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalTrack {
    /// Which track.
    pub id: TrackId,
    /// Its kind.
    pub kind: MediaKind,
}

/// The first argument of `addTransceiver()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackOrKind {
    /// The first track of the sender.
    Track(LocalTrack),
    /// A sender without a track.
    Kind(MediaKind),
}

/// webrtc-pc §5.1 `RTCRtpTransceiverInit`, with the ids of the streams.
#[derive(Clone, Debug, PartialEq)]
pub struct TransceiverInit {
    /// The preferred direction.
    pub direction: RTCRtpTransceiverDirection,
    /// The ids of the streams that will contain the track at the peer.
    pub streams: Vec<String>,
    /// The encodings to send. The empty list stands for one encoding without a rid.
    pub send_encodings: Vec<RTCRtpEncodingParameters>,
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self {
            direction: RTCRtpTransceiverDirection::Sendrecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        }
    }
}

/// The slots of an `RTCRtpTransceiver`, its sender and its receiver.
#[derive(Clone, Debug)]
pub struct Transceiver {
    pub(crate) kind: MediaKind,
    /// `[[Sender]]`
    pub(crate) sender: Sender,
    /// `[[Receiver]]`
    pub(crate) receiver: Receiver,
    /// `[[Stopping]]`
    pub(crate) stopping: bool,
    /// `[[Stopped]]`
    pub(crate) stopped: bool,
    /// `[[Direction]]`
    pub(crate) direction: RTCRtpTransceiverDirection,
    /// `[[Receptive]]`
    pub(crate) receptive: bool,
    /// `[[CurrentDirection]]`
    pub(crate) current_direction: Option<RTCRtpTransceiverDirection>,
    /// `[[FiredDirection]]`
    pub(crate) fired_direction: Option<RTCRtpTransceiverDirection>,
    /// `[[PreferredCodecs]]`
    pub(crate) preferred_codecs: Vec<RTCRtpCodec>,
    /// `[[JsepMid]]`
    pub(crate) jsep_mid: Option<String>,
    /// `[[Mid]]`
    pub(crate) mid: Option<String>,

    /// Whether `[[CurrentDirection]]` has ever been sendrecv or sendonly (§5.1 addTrack step 7).
    pub(crate) has_sent: bool,
    /// RFC 9429 §5.10: "added to the PeerConnection by addTrack".
    pub(crate) added_by_add_track: bool,
    /// Whether "a track has [...] been attached to it via addTrack()" (§4.4.1.4 step 4.7.12.3.7).
    pub(crate) track_attached: bool,
    /// Whether it was "created when pendingDescription was set" (§4.4.1.4 step 4.7.12.3.7).
    pub(crate) created_by_pending: bool,
    /// The mid when the connection was last stable. There is one if the transceiver "was associated
    /// with a media description prior to pendingDescription being set" (§4.4.1.4 step 4.7.12.3.1).
    pub(crate) last_stable_state_mid: Option<String>,
}

impl Transceiver {
    /// webrtc-pc §5.4: create an RTCRtpTransceiver.
    fn new(
        kind: MediaKind,
        sender: Sender,
        receiver: Receiver,
        direction: RTCRtpTransceiverDirection,
    ) -> Self {
        Self {
            kind,
            sender,
            receiver,
            stopping: false,
            stopped: false,
            direction,
            receptive: false,
            current_direction: None,
            fired_direction: None,
            preferred_codecs: Vec::new(),
            jsep_mid: None,
            mid: None,
            has_sent: false,
            added_by_add_track: false,
            track_attached: false,
            created_by_pending: false,
            last_stable_state_mid: None,
        }
    }

    /// The transceiver kind.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// `mid`
    pub fn mid(&self) -> Option<&str> {
        self.mid.as_deref()
    }

    /// `direction`
    pub fn direction(&self) -> RTCRtpTransceiverDirection {
        if self.stopping { Stopped } else { self.direction }
    }

    /// `currentDirection`
    pub fn current_direction(&self) -> Option<RTCRtpTransceiverDirection> {
        if self.stopped { Some(Stopped) } else { self.current_direction }
    }

    /// `[[Stopping]]`
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// `[[Stopped]]`
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// `sender.track`
    pub fn sender_track(&self) -> Option<TrackId> {
        self.sender.sender_track
    }

    /// `sender.transport`
    pub fn sender_transport(&self) -> Option<TransportId> {
        self.sender.sender_transport
    }

    /// `receiver.transport`
    pub fn receiver_transport(&self) -> Option<TransportId> {
        self.receiver.receiver_transport
    }

    /// RFC 9429 §5.10: associates the transceiver with the section of this mid.
    pub(crate) fn associate(&mut self, mid: &str) {
        self.jsep_mid = Some(mid.to_owned());
        self.mid.clone_from(&self.jsep_mid);
    }

    /// RFC 9429 §5.10: the transceiver has no section any more.
    pub(crate) fn disassociate(&mut self) {
        self.jsep_mid = None;
        self.mid = None;
    }

    /// Sets `[[CurrentDirection]]`.
    pub(crate) fn set_current_direction(&mut self, direction: RTCRtpTransceiverDirection) {
        self.has_sent |= direction.sends();
        self.current_direction = Some(direction);
    }
}

/// The direction in SDP. A stopped transceiver is inactive.
pub(crate) fn sdp_direction(direction: RTCRtpTransceiverDirection) -> sdp::Direction {
    match (direction.sends(), direction.receives()) {
        (true, true) => sdp::Direction::SendRecv,
        (true, false) => sdp::Direction::SendOnly,
        (false, true) => sdp::Direction::RecvOnly,
        (false, false) => sdp::Direction::Inactive,
    }
}

/// The direction that SDP has.
pub(crate) fn direction_in(direction: sdp::Direction) -> RTCRtpTransceiverDirection {
    RTCRtpTransceiverDirection::of(direction.sends(), direction.receives())
}

/// The set of transceivers. The slots of a transceiver that has left the set stay here while
/// something refers to it.
#[derive(Debug, Default)]
pub(crate) struct Transceivers {
    /// Boxed: a node of the map reserves room for eleven, and most connections have one or two.
    all: BTreeMap<TransceiverId, Box<Transceiver>>,
    /// In order of insertion, which is that of the ids.
    set: Vec<TransceiverId>,
    next: u32,
}

impl Transceivers {
    /// Adds a transceiver to the set.
    pub(crate) fn add(&mut self, transceiver: Transceiver) -> TransceiverId {
        let id = TransceiverId(self.next);
        self.next = self.next.wrapping_add(1);
        self.all.insert(id, Box::new(transceiver));
        self.set.push(id);
        id
    }

    /// Takes transceivers out of the set and returns them. Their slots stay until they are
    /// forgotten.
    pub(crate) fn remove_where(
        &mut self,
        mut condition: impl FnMut(&Transceiver) -> bool,
    ) -> Vec<TransceiverId> {
        let all = &self.all;
        let (removed, kept) =
            self.set.drain(..).partition(|id| all.get(id).is_none_or(|found| condition(found)));
        self.set = kept;
        removed
    }

    /// CollectTransceivers (webrtc-pc §5.1).
    pub(crate) fn ids(&self) -> &[TransceiverId] {
        &self.set
    }

    pub(crate) fn contains(&self, id: TransceiverId) -> bool {
        self.set.binary_search(&id).is_ok()
    }

    /// The transceivers of the set, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TransceiverId, &Transceiver)> {
        self.set.iter().filter_map(|id| Some((*id, self.all.get(id)?.as_ref())))
    }

    /// A transceiver, whether it is in the set or has left it.
    pub(crate) fn get(&self, id: TransceiverId) -> Option<&Transceiver> {
        self.all.get(&id).map(AsRef::as_ref)
    }

    pub(crate) fn get_mut(&mut self, id: TransceiverId) -> Option<&mut Transceiver> {
        self.all.get_mut(&id).map(AsMut::as_mut)
    }

    /// Calls `change` with each transceiver of the set, in order.
    pub(crate) fn for_each_mut(&mut self, mut change: impl FnMut(&mut Transceiver)) {
        for id in &self.set {
            if let Some(transceiver) = self.all.get_mut(id) {
                change(transceiver);
            }
        }
    }

    /// All transceivers, even if they have left the set.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Transceiver> {
        self.all.values().map(AsRef::as_ref)
    }

    /// All transceivers, even if they have left the set.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Transceiver> {
        self.all.values_mut().map(AsMut::as_mut)
    }

    /// The transceivers of the set that are associated, by mid.
    pub(crate) fn by_mid(&self) -> HashMap<&str, TransceiverId> {
        self.iter().filter_map(|(id, t)| Some((t.jsep_mid.as_deref()?, id))).collect()
    }

    pub(crate) fn forget(&mut self, id: TransceiverId) {
        if !self.contains(id) {
            self.all.remove(&id);
        }
    }
}

impl Session {
    /// CollectTransceivers (webrtc-pc §5.1): the set of transceivers in order of insertion.
    pub fn transceivers(&self) -> impl Iterator<Item = TransceiverId> {
        self.transceivers.ids().iter().copied()
    }

    /// The slots of a transceiver. They are there until the transceiver is
    /// [forgotten](Self::forget_transceiver), even after it has left the set.
    pub fn transceiver(&self, id: TransceiverId) -> Option<&Transceiver> {
        self.transceivers.get(id)
    }

    /// Drops the slots of a transceiver that has left the set. The host calls this when nothing
    /// refers to the transceiver any more.
    pub fn forget_transceiver(&mut self, id: TransceiverId) {
        self.transceivers.forget(id);
    }
}
