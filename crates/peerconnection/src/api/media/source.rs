//! Sources of tracks: a receiver, or the application.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use negotiation::{MediaKind, TransceiverId};

use super::contributions::Contributions;
use super::{MediaStreamTrack, RtpPacket, TrackObject};
use crate::api::WeakConnection;
use crate::api::handler::{Fired, Handler};

/// What gives the media of tracks.
pub(super) struct Source {
    pub(super) feed: Feed,
    tracks: Mutex<Vec<Weak<TrackObject>>>,
}

pub(super) enum Feed {
    /// A receiver, whose connection fires the events of the tracks.
    Receiver {
        connection: WeakConnection,
        transceiver: TransceiverId,
        contributions: Mutex<Contributions>,
    },
    /// A [`TrackSource`].
    Application { key_frame_request: Handler<KeyFrameRequest> },
}

impl Source {
    pub(super) fn receiver(connection: WeakConnection, transceiver: TransceiverId) -> Arc<Self> {
        let contributions = Mutex::default();
        let feed = Feed::Receiver { connection, transceiver, contributions };
        Arc::new(Self { feed, tracks: Mutex::default() })
    }

    /// The connection of the receiver.
    pub(super) fn connection(&self) -> Option<&WeakConnection> {
        match &self.feed {
            Feed::Receiver { connection, .. } => Some(connection),
            Feed::Application { .. } => None,
        }
    }

    pub(super) fn contributions(&self) -> Option<MutexGuard<'_, Contributions>> {
        match &self.feed {
            Feed::Receiver { contributions, .. } => {
                Some(contributions.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Feed::Application { .. } => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<TrackObject>>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, track: &Arc<TrackObject>) {
        let mut tracks = self.lock();
        if tracks.len() == tracks.capacity() {
            tracks.retain(|track| track.strong_count() > 0);
        }
        tracks.push(Arc::downgrade(track));
    }

    pub(super) fn tracks(&self) -> Vec<MediaStreamTrack> {
        let tracks = self.lock();
        let alive = tracks.iter().filter_map(Weak::upgrade);
        alive.map(|object| MediaStreamTrack { object }).collect()
    }

    /// Gives a packet to the tracks that are used. Call it with nothing locked.
    pub(super) fn deliver(&self, packet: &RtpPacket) {
        // Most sources have one track, for which this needs no memory.
        let (first, others) = {
            let tracks = self.lock();
            let mut used = tracks
                .iter()
                .filter_map(Weak::upgrade)
                .map(|object| MediaStreamTrack { object })
                .filter(MediaStreamTrack::is_used);
            (used.next(), used.collect::<Vec<_>>())
        };
        first.iter().chain(&others).for_each(|track| track.deliver(packet));
    }

    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.lock().len()
    }

    /// Asks for a key frame. Call it with nothing locked.
    pub(super) fn request_key_frame(&self, request: KeyFrameRequest) {
        match &self.feed {
            Feed::Receiver { connection, transceiver, .. } => {
                if let Some(connection) = connection.upgrade() {
                    let rid = request.rid.as_deref();
                    connection.api(|engine, now| engine.request_key_frame(now, *transceiver, rid));
                }
            }
            Feed::Application { key_frame_request } => {
                key_frame_request.call(|| Some(()), request);
            }
        }
    }
}

/// A receiver of pictures cannot go on without a key frame (PLI, FIR, or a lost packet that cannot
/// be sent again).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFrameRequest {
    /// The layer of simulcast that is meant; `None` means all that there is.
    pub rid: Option<String>,
}

impl Fired for KeyFrameRequest {
    type Target = ();
    type Payload = Self;
    const REMEMBERED: usize = 1;

    fn create((): (), request: Self) -> Self {
        request
    }
}

/// A source of packets for tracks that are sent: what `getUserMedia()` or a canvas is to a page,
/// for media that the application has encoded.
///
/// All connections that send a track of this source get each packet. They give it their own payload
/// types, extension ids, sequence numbers and timestamps, so packets that were received somewhere
/// else may be sent as they are. A packet whose codec a connection has not negotiated is not sent
/// there.
///
/// To send a track that was received, no source is needed: `add_track()` takes it.
///
/// A cheap handle; clones are the same object. When the last one is dropped, the tracks give nothing
/// any more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), peerconnection::Error> {
/// use peerconnection::{
///     MediaKind, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RtpHeader, RtpStream,
///     TrackSource,
/// };
///
/// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let microphone = TrackSource::new(MediaKind::Audio);
/// pc.add_track(microphone.track(), &[])?;
///
/// let codecs = RTCRtpSender::get_capabilities(MediaKind::Audio).codecs;
/// let opus = codecs.into_iter().find(|codec| codec.mime_type == "audio/opus").expect("Opus");
/// let stream = RtpStream::new(opus);
/// // Every 20 ms:
/// let header = RtpHeader { sequence_number: 1, timestamp: 960, marker: true };
/// microphone.send(stream.packet(header, vec![0xf8, 0xff, 0xfe]));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TrackSource {
    source: Arc<Source>,
    track: MediaStreamTrack,
}

impl TrackSource {
    /// A source with one track.
    pub fn new(kind: MediaKind) -> Self {
        let feed = Feed::Application { key_frame_request: Handler::new("keyframerequest") };
        let source = Arc::new(Source { feed, tracks: Mutex::default() });
        Self { track: MediaStreamTrack::of_source(kind, source.clone()), source }
    }

    /// The track. [`clone_track`](MediaStreamTrack::clone_track) makes more.
    pub fn track(&self) -> MediaStreamTrack {
        self.track.clone()
    }

    /// Gives a packet to all tracks of this source that are live. It never blocks, and copies no
    /// payload. A track that is not [`enabled`](MediaStreamTrack::enabled) gives silence instead of
    /// Opus and G.711, and no pictures.
    ///
    /// What is sent while nothing is connected is lost.
    pub fn send(&self, packet: impl Borrow<RtpPacket>) {
        self.source.deliver(packet.borrow());
    }

    /// Calls `handler` when a receiver of pictures needs a key frame, also because a sender has begun
    /// with a packet in the middle of a stream. It is called on the event loop
    /// of the connection that sends there, with nothing locked, and should not block; also for the
    /// last request before it was set. It replaces the handler set before.
    ///
    /// However often a peer asks, its connection calls at most once in 300 ms for each layer. Many
    /// peers may ask at once: an encoder needs to make but one key frame for all of them.
    pub fn on_key_frame_request(&self, handler: impl FnMut(KeyFrameRequest) + Send + 'static) {
        if let Feed::Application { key_frame_request } = &self.source.feed
            && key_frame_request.set(Box::new(handler))
        {
            key_frame_request.deliver_missed(|| Some(()));
        }
    }

    /// Clears the handler set by [`on_key_frame_request`](Self::on_key_frame_request).
    pub fn clear_on_key_frame_request(&self) {
        if let Feed::Application { key_frame_request } = &self.source.feed {
            key_frame_request.clear();
        }
    }
}

impl PartialEq for TrackSource {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }
}

impl Eq for TrackSource {}

impl Hash for TrackSource {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.source).addr().hash(state);
    }
}

impl std::fmt::Debug for TrackSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrackSource").field("track", &self.track).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use negotiation::RTCRtpCodec;

    use super::*;
    use crate::api::{RtpHeader, RtpStream};

    #[test]
    fn every_live_track_of_a_source_gets_its_packets() {
        let source = TrackSource::new(MediaKind::Video);
        let (one, two) = (source.track(), source.track().clone_track());
        let (mut first, mut second) = (one.packets(), two.packets());
        let stream = RtpStream::new(RTCRtpCodec::default());
        let send = |sequence_number| {
            let header = RtpHeader { sequence_number, ..RtpHeader::default() };
            source.send(stream.packet(header, &b"x"[..]));
        };
        send(1);
        two.set_enabled(false);
        send(2);
        two.set_enabled(true);
        one.stop();
        send(3);
        two.stop();
        let numbers = |packets: &mut crate::api::RtpPackets| {
            let mut numbers = Vec::new();
            while let Some(packet) = futures::executor::block_on(packets.next()) {
                numbers.push(packet.sequence_number());
            }
            numbers
        };
        assert_eq!((numbers(&mut first), numbers(&mut second)), (vec![1, 2], vec![1, 3]));
    }

    #[test]
    fn the_application_hears_that_a_key_frame_is_needed() {
        let source = TrackSource::new(MediaKind::Video);
        source.track().request_key_frame();
        source.track().clone_track().request_key_frame();
        let (send, requests) = std::sync::mpsc::channel();
        source.on_key_frame_request(move |request| send.send(request).unwrap());
        assert_eq!(requests.try_iter().count(), 1, "what came before the handler counts once");
        source.track().request_key_frame();
        assert_eq!(requests.try_recv(), Ok(KeyFrameRequest::default()));
    }
}
