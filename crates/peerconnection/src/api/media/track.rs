//! mediacapture-main §4.3 `MediaStreamTrack`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use idl::{MediaKind, MediaStreamTrackState};
use negotiation::TransceiverId;
use time::Instant;

use super::contributions::Contributions;
use super::meter::Meter;
use super::outlets::Outlets;
use super::source::{KeyFrameRequest, Source};
use super::{RtpPacket, RtpPackets, id};
use crate::api::handler::{self, Handler, handlers};
use crate::api::{Connection, Event, WeakConnection};

/// mediacapture-main §4.3: one source's sound or pictures, as one consumer takes them.
///
/// A cheap handle; clones made with `Clone` are the same object.
/// [`clone_track`](Self::clone_track) makes another track of the same source.
///
/// A connection makes the tracks that it receives together with their
/// [`RTCRtpReceiver`](crate::RTCRtpReceiver). They are muted until media comes, and end when their
/// transceiver is stopped or their connection closed. A [`TrackSource`](super::TrackSource) has a
/// track for media that the application brings. [`new`](Self::new) makes a track without a source,
/// which gives nothing. Such tracks are never muted, and end with [`stop`](Self::stop) only.
///
/// The media of a track are packets of RTP: [`packets`](Self::packets) and
/// [`on_packet`](Self::on_packet) give them, and every sender of the track sends them. So a received
/// track that is added to another connection is forwarded there, without being decoded.
///
/// ```
/// use peerconnection::{MediaKind, MediaStreamTrack, MediaStreamTrackState};
///
/// let track = MediaStreamTrack::new(MediaKind::Audio);
/// let other = track.clone_track();
/// track.stop();
/// assert_eq!(track.ready_state(), MediaStreamTrackState::Ended);
/// assert_eq!(other.ready_state(), MediaStreamTrackState::Live);
/// ```
#[derive(Clone)]
pub struct MediaStreamTrack {
    pub(crate) object: Arc<TrackObject>,
}

pub(crate) struct TrackObject {
    /// Connections know the track by this number; no other track ever has it.
    pub(crate) number: u64,
    id: String,
    kind: MediaKind,
    label: String,
    enabled: AtomicBool,
    /// `[[Muted]]`
    muted: AtomicBool,
    /// `[[ReadyState]]`
    ended: AtomicBool,
    source: Option<Arc<Source>>,
    outlets: Outlets,
    meter: Mutex<Meter>,
    pub(crate) onmute: Handler<Event<MediaStreamTrack>>,
    pub(crate) onunmute: Handler<Event<MediaStreamTrack>>,
    pub(crate) onended: Handler<Event<MediaStreamTrack>>,
}

impl TrackObject {
    fn new(id: String, kind: MediaKind, label: String, source: Option<Arc<Source>>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            number: LAST.fetch_add(1, Ordering::Relaxed),
            id,
            kind,
            label,
            enabled: AtomicBool::new(true),
            muted: AtomicBool::new(source.as_ref().is_some_and(|s| s.connection().is_some())),
            ended: AtomicBool::new(false),
            source,
            outlets: Outlets::new(),
            meter: Mutex::default(),
            onmute: Handler::new("mute"),
            onunmute: Handler::new("unmute"),
            onended: Handler::new("ended"),
        }
    }

    /// Nothing will be fired at the track any more. Drops its handlers and what they captured.
    pub(crate) fn end_handlers(&self) {
        self.onmute.end();
        self.onunmute.end();
        self.onended.end();
    }

    /// The same, but a handler with missed events still gets them first.
    pub(crate) fn retire_handlers(&self) {
        self.onmute.retire();
        self.onunmute.retire();
        self.onended.retire();
    }
}

impl MediaStreamTrack {
    /// A live track without a source.
    pub fn new(kind: MediaKind) -> Self {
        let object = TrackObject::new(id::generate(), kind, String::new(), None);
        Self { object: Arc::new(object) }
    }

    /// A track without a source that has this id: one of another time.
    pub(crate) fn with_id(kind: MediaKind, id: String) -> Self {
        Self { object: Arc::new(TrackObject::new(id, kind, String::new(), None)) }
    }

    /// webrtc-pc §5.3 "create an RTCRtpReceiver", steps 2 to 6.
    pub(crate) fn remote(
        connection: WeakConnection,
        transceiver: TransceiverId,
        kind: MediaKind,
        random: [u8; 16],
    ) -> Self {
        let source = Source::receiver(connection, transceiver);
        let label = format!("remote {kind}");
        let object = TrackObject::new(id::uuid(random), kind, label, Some(source.clone()));
        let object = Arc::new(object);
        source.add(&object);
        Self { object }
    }

    /// The first track of a source of the application.
    pub(super) fn of_source(kind: MediaKind, source: Arc<Source>) -> Self {
        let object = TrackObject::new(id::generate(), kind, String::new(), Some(source.clone()));
        let object = Arc::new(object);
        source.add(&object);
        Self { object }
    }

    /// The track and all others of its source.
    pub(crate) fn list_tracks_of_source(&self) -> Vec<Self> {
        match &self.object.source {
            None => vec![self.clone()],
            Some(source) => source.tracks(),
        }
    }

    /// Gives a packet that a receiver has received to all tracks of its source. Call it with nothing
    /// locked.
    pub(crate) fn deliver_received(&self, now: Instant, packet: &RtpPacket) {
        let Some(source) = &self.object.source else { return };
        if let Some(mut contributions) = source.contributions() {
            contributions.note(now, packet);
        }
        source.deliver(packet);
    }

    /// What a receiver says of its sources.
    pub(crate) fn contributions(&self) -> Option<MutexGuard<'_, Contributions>> {
        self.object.source.as_ref()?.contributions()
    }

    /// Whether somebody takes what the track gives.
    pub(super) fn is_used(&self) -> bool {
        !self.object.ended.load(Ordering::Acquire) && self.object.outlets.are_used()
    }

    /// Gives a packet to all that take it. mediacapture-main §4.3.4: a track that is not enabled
    /// gives silence or black frames. Nobody encodes black frames here: it gives no pictures.
    pub(super) fn deliver(&self, packet: &RtpPacket) {
        let kind = self.kind();
        if self.enabled() {
            self.meter().note(kind, packet, false);
            self.object.outlets.deliver(packet);
        } else if let Some(silence) = packet.silenced(kind) {
            self.meter().note(kind, &silence, true);
            self.object.outlets.deliver(&silence);
        }
    }

    /// What the track has given.
    pub(crate) fn meter(&self) -> MutexGuard<'_, Meter> {
        self.object.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sender sends this track from now on.
    pub(crate) fn add_sender(&self, connection: &WeakConnection, transceiver: TransceiverId) {
        self.object.outlets.add_sender(connection, transceiver);
    }

    /// A sender does not send this track any more.
    pub(crate) fn remove_sender(&self, connection: &WeakConnection, transceiver: TransceiverId) {
        self.object.outlets.remove_senders(connection, |id| id == transceiver);
    }

    /// A connection has closed: none of its senders sends this track any more.
    pub(crate) fn remove_senders_of(&self, connection: &WeakConnection) {
        self.object.outlets.remove_senders(connection, |_| true);
    }

    /// Passes on what a receiver at the peer needs. Call it with nothing locked.
    pub(crate) fn key_frame_requested(&self, request: KeyFrameRequest) {
        if let Some(source) = &self.object.source {
            source.request_key_frame(request);
        }
    }

    /// The packets from now on, as a stream. Each call makes a stream of its own. The stream keeps
    /// the newest 512 packets that were not read, and counts what it drops; with simulcast all
    /// layers come through it, told apart by [`RtpPacket::stream`].
    ///
    /// Subscribe in the handler of `track`, before the first packet comes. Later is as good, but
    /// pictures then begin with the next key frame: see
    /// [`request_key_frame`](Self::request_key_frame).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), peerconnection::Error> {
    /// # use peerconnection::{RTCConfiguration, RTCPeerConnection};
    /// # let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    /// pc.on_track(|event| {
    ///     let mut packets = event.track().packets();
    ///     tokio::spawn(async move {
    ///         while let Some(packet) = packets.next().await {
    ///             println!("{packet:?}");
    ///         }
    ///     });
    /// });
    /// # Ok(()) }
    /// ```
    pub fn packets(&self) -> RtpPackets {
        self.object.outlets.subscribe(self.ready_state() == MediaStreamTrackState::Ended)
    }

    /// Calls `handler` with each packet from now on. It replaces the handler set before, and is
    /// called with nothing locked where the packet comes from: on the event loop of the connection
    /// that has received it, or in [`TrackSource::send`](super::TrackSource::send). It should not
    /// block.
    pub fn on_packet(&self, handler: impl FnMut(RtpPacket) + Send + 'static) {
        // `false`: packets are never remembered.
        let _ = self.object.outlets.onpacket.set(Box::new(handler));
    }

    /// Clears the handler set by [`on_packet`](Self::on_packet).
    pub fn clear_on_packet(&self) {
        self.object.outlets.onpacket.clear();
    }

    /// Asks the source for a picture that can be decoded without those before it: a peer by a
    /// Picture Loss Indication (RFC 4585 §6.3.1), an application by its
    /// [handler](super::TrackSource::on_key_frame_request). One call asks once, so call it again for
    /// each frame that cannot be decoded: of calls within 350 ms of the last request a peer gets one,
    /// at the end of that time; a handler is called each time. Does nothing for sound.
    pub fn request_key_frame(&self) {
        if self.kind() == MediaKind::Video {
            self.key_frame_requested(KeyFrameRequest::default());
        }
    }

    /// mediacapture-main §4.3.1 "set a track's muted state", steps 2 and 3. Returns whether to fire
    /// the event.
    pub(crate) fn set_the_muted_state(&self, muted: bool) -> bool {
        self.object.muted.swap(muted, Ordering::AcqRel) != muted
    }

    /// mediacapture-main §4.3.1: the track has ended, for another reason than `stop()`. Returns
    /// whether to fire the event.
    pub(crate) fn end(&self) -> bool {
        let ends = self.set_ended();
        if ends {
            self.object.outlets.end();
        }
        ends
    }

    /// Returns whether it was live.
    fn set_ended(&self) -> bool {
        !self.object.ended.swap(true, Ordering::AcqRel)
    }

    /// The identifier, a UUID. The corresponding track at the peer has another one.
    #[doc(alias("MediaStreamTrack.id"))]
    pub fn id(&self) -> &str {
        &self.object.id
    }

    /// What the track carries.
    #[doc(alias("MediaStreamTrack.kind"))]
    pub fn kind(&self) -> MediaKind {
        self.object.kind
    }

    /// The label of the source: `remote audio` or `remote video` for a remote track, else empty.
    #[doc(alias("MediaStreamTrack.label"))]
    pub fn label(&self) -> &str {
        &self.object.label
    }

    /// Whether the track gives its media; if `false`, it gives silence or black frames.
    #[doc(alias("MediaStreamTrack.enabled"))]
    pub fn enabled(&self) -> bool {
        self.object.enabled.load(Ordering::Acquire)
    }

    /// Sets [`enabled`](Self::enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.object.enabled.store(enabled, Ordering::Release);
    }

    /// Whether the source gives no media at present.
    #[doc(alias("MediaStreamTrack.muted"))]
    pub fn muted(&self) -> bool {
        self.object.muted.load(Ordering::Acquire)
    }

    /// Whether the track can still give media.
    #[doc(alias = "readyState")]
    pub fn ready_state(&self) -> MediaStreamTrackState {
        if self.object.ended.load(Ordering::Acquire) {
            MediaStreamTrackState::Ended
        } else {
            MediaStreamTrackState::Live
        }
    }

    /// Ends the track without an event. Other tracks of the same source go on.
    #[doc(alias("MediaStreamTrack.stop"))]
    pub fn stop(&self) {
        let ends = match self.recorded_by() {
            Some(connection) => {
                let now = connection.host.now();
                let engine = connection.engine();
                engine.record_stop(now, self);
                self.set_ended()
            }
            None => self.set_ended(),
        };
        // With nothing locked: readers are woken, and a handler is dropped.
        if ends {
            self.object.outlets.end();
        }
    }

    /// The connection that has received the track, if that is recorded.
    fn recorded_by(&self) -> Option<Arc<Connection>> {
        let connection = self.object.source.as_ref()?.connection()?.upgrade()?;
        connection.recorder().is_some().then_some(connection)
    }

    /// `clone()`: another track of the same source, with its own id and the same
    /// [`enabled`](Self::enabled), [`muted`](Self::muted) and [`ready_state`](Self::ready_state).
    /// (`Clone::clone` gives another handle to the same track.)
    #[doc(alias = "clone")]
    #[must_use]
    pub fn clone_track(&self) -> Self {
        self.clone_as(id::generate())
    }

    /// The same with this id.
    pub(crate) fn clone_as(&self, id: String) -> Self {
        let Some(connection) = self.recorded_by() else { return self.copy(id) };
        let now = connection.host.now();
        let mut engine = connection.engine();
        let clone = self.copy(id);
        engine.record_clone(now, self, &clone);
        clone
    }

    fn copy(&self, id: String) -> Self {
        let original = &self.object;
        let (label, source) = (original.label.clone(), original.source.clone());
        let object = Arc::new(TrackObject::new(id, original.kind, label, source));
        // The source gets the clone before the clone gets its state, so that it misses no change.
        if let Some(source) = &object.source {
            source.add(&object);
        }
        object.enabled.store(self.enabled(), Ordering::Release);
        object.muted.store(self.muted(), Ordering::Release);
        if self.ready_state() == MediaStreamTrackState::Ended {
            object.ended.store(true, Ordering::Release);
        }
        Self { object }
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        // Nothing is fired at a track that no connection has received.
        let Some(connection) = self.object.source.as_ref().and_then(|s| s.connection()) else {
            return;
        };
        handler::queue_delivery(connection, self, move |track: &Self| {
            deliver(track);
            if track.ready_state() == MediaStreamTrackState::Ended {
                track.object.retire_handlers();
            }
        });
    }

    handlers! {
        /// `mute`: the source gives no media for now.
        #[doc(alias = "onmute")]
        on_mute / clear_on_mute / add_mute_listener: Event<MediaStreamTrack> => object.onmute;
        /// `unmute`: the source gives media again, or for the first time.
        #[doc(alias = "onunmute")]
        on_unmute / clear_on_unmute / add_unmute_listener: Event<MediaStreamTrack> => object.onunmute;
        /// `ended`: the source has ended; not fired for [`stop`](Self::stop).
        #[doc(alias = "onended")]
        on_ended / clear_on_ended / add_ended_listener: Event<MediaStreamTrack> => object.onended;
    }
}

crate::api::identity!(MediaStreamTrack, "id" => id);

/// For arguments that are a track or none.
impl From<&MediaStreamTrack> for Option<MediaStreamTrack> {
    fn from(track: &MediaStreamTrack) -> Self {
        Some(track.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;

    #[test]
    fn a_new_track_is_live_and_enabled_and_not_muted() {
        let track = MediaStreamTrack::new(MediaKind::Video);
        assert_eq!(track.kind(), MediaKind::Video);
        assert_eq!(track.id().len(), 36);
        assert_eq!(track.label(), "");
        assert!(track.enabled() && !track.muted());
        assert_eq!(track.ready_state(), MediaStreamTrackState::Live);
    }

    #[test]
    fn a_remote_track_is_live_and_muted() {
        let track =
            MediaStreamTrack::remote(Weak::new(), TransceiverId(0), MediaKind::Audio, [7; 16]);
        assert_eq!(track.label(), "remote audio");
        assert!(track.muted());
        assert_eq!(track.ready_state(), MediaStreamTrackState::Live);
    }

    #[test]
    fn a_handle_is_the_same_track_and_a_cloned_track_is_another() {
        let track = MediaStreamTrack::new(MediaKind::Audio);
        track.set_enabled(false);
        let (same, other) = (track.clone(), track.clone_track());
        assert_eq!(same, track);
        assert_ne!(other, track);
        assert_ne!(other.id(), track.id());
        assert_ne!(other.object.number, track.object.number);
        assert!(!other.enabled());
        track.set_enabled(true);
        assert!(same.enabled() && !other.enabled());
    }

    #[test]
    fn stop_ends_one_track_and_the_end_of_a_source_all_of_its_tracks() {
        let track =
            MediaStreamTrack::remote(Weak::new(), TransceiverId(0), MediaKind::Audio, [7; 16]);
        let (first, second) = (track.clone_track(), track.clone_track());
        first.stop();
        assert_eq!(second.ready_state(), MediaStreamTrackState::Live);
        let to_fire: Vec<_> =
            track.list_tracks_of_source().into_iter().filter(MediaStreamTrack::end).collect();
        assert_eq!(to_fire, [track.clone(), second]);
        assert_eq!(first.clone_track().ready_state(), MediaStreamTrackState::Ended);
        assert_eq!(track.clone_track().ready_state(), MediaStreamTrackState::Ended);
    }

    #[test]
    fn muting_twice_is_one_event() {
        let track =
            MediaStreamTrack::remote(Weak::new(), TransceiverId(0), MediaKind::Video, [7; 16]);
        assert!(!track.set_the_muted_state(true));
        assert!(track.set_the_muted_state(false));
        assert!(!track.clone_track().muted());
        assert!(track.set_the_muted_state(true));
        assert!(track.clone_track().muted());
    }

    #[test]
    fn a_source_forgets_the_tracks_that_are_gone() {
        let track =
            MediaStreamTrack::remote(Weak::new(), TransceiverId(0), MediaKind::Video, [7; 16]);
        for _ in 0..1000 {
            drop(track.clone_track());
        }
        let source = track.object.source.as_ref().unwrap();
        assert!(source.listed() <= 16, "{}", source.listed());
        assert_eq!(track.list_tracks_of_source().len(), 1);
    }
}
