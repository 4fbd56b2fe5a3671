//! RTP packets, as tracks give and take them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use negotiation::{MediaKind, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters};
use transport::media::payload::Fragment;
use transport::media::rtp::{Element, Header, Packet};

/// RFC 6464: the level of a packet's sound.
pub(crate) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// A payload type for streams that an application makes: its number means nothing outside.
const PAYLOAD_TYPE: u8 = 96;

/// What the payload types and the extension ids of a stream stand for.
#[derive(Debug)]
pub(crate) struct RtpFormats {
    /// No other formats have this number.
    pub(crate) number: u64,
    pub(crate) codecs: Arc<[RTCRtpCodecParameters]>,
    pub(crate) header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
}

impl RtpFormats {
    pub(crate) fn new(
        codecs: Arc<[RTCRtpCodecParameters]>,
        header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    ) -> Arc<Self> {
        Arc::new(Self { number: unique(), codecs, header_extensions })
    }

    pub(crate) fn codec(&self, payload_type: u8) -> Option<&RTCRtpCodec> {
        let found = self.codecs.iter().find(|codec| codec.payload_type == payload_type);
        found.map(|found| &found.codec)
    }

    pub(crate) fn extension_id(&self, uri: &str) -> Option<u8> {
        let found = self.header_extensions.iter().find(|extension| extension.uri == uri)?;
        u8::try_from(found.id).ok()
    }
}

fn unique() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

/// One stream of RTP packets: their sequence numbers and timestamps belong together.
///
/// A receiver makes one for each source that it hears, and so for each layer of simulcast. An
/// application makes one for packets of its own, and another one when it begins anew with other
/// numbers. A cheap handle.
///
/// ```
/// use peerconnection::{RTCRtpCodec, RtpHeader, RtpStream};
///
/// let opus = RTCRtpCodec {
///     mime_type: "audio/opus".into(),
///     clock_rate: 48_000,
///     channels: Some(2),
///     ..Default::default()
/// };
/// let stream = RtpStream::new(opus);
/// // 20 ms later the next one would have the sequence number 2 and the timestamp 1920.
/// let header = RtpHeader { sequence_number: 1, timestamp: 960, marker: false };
/// let packet = stream.packet(header, vec![0xf8, 0xff, 0xfe]);
/// assert_eq!(packet.codec().map(|codec| codec.clock_rate), Some(48_000));
/// assert_eq!(packet.payload()[0], 0xf8);
/// ```
#[derive(Clone, Debug)]
pub struct RtpStream {
    object: Arc<StreamIdentity>,
}

#[derive(Debug)]
struct StreamIdentity {
    /// No other stream has this number.
    origin: u64,
    rid: Option<Arc<str>>,
    formats: Arc<RtpFormats>,
}

/// What an application says of a packet that it makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RtpHeader {
    /// One more than that of the packet before it, modulo 65,536. A gap tells the peer that a packet
    /// is lost.
    pub sequence_number: u16,
    /// When the payload was sampled, in ticks of the codec's clock rate from any beginning. The
    /// packets of one picture have the same.
    pub timestamp: u32,
    /// The last packet of a picture; the first one of sound after silence (RFC 3551 §4.1).
    pub marker: bool,
}

/// Octets are no packet of RTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no packet of RTP: {0}")]
pub struct MalformedRtp(#[from] transport::media::rtp::Malformed);

impl RtpStream {
    /// A stream of packets that the application makes.
    pub fn new(codec: RTCRtpCodec) -> Self {
        let codecs = vec![RTCRtpCodecParameters { codec, payload_type: PAYLOAD_TYPE }];
        Self::with_parameters(codecs, Vec::new())
    }

    /// A stream of packets that another implementation writes: see [`parse`](Self::parse). These are
    /// its payload types and extension ids.
    pub fn with_parameters(
        codecs: Vec<RTCRtpCodecParameters>,
        header_extensions: Vec<RTCRtpHeaderExtensionParameters>,
    ) -> Self {
        Self::received(unique(), None, RtpFormats::new(codecs.into(), header_extensions.into()))
    }

    /// The same formats for another stream, which is the layer of simulcast with this rid.
    #[must_use]
    pub fn layer(&self, rid: &str) -> Self {
        Self::received(unique(), Some(rid.into()), self.object.formats.clone())
    }

    /// A stream of a receiver.
    pub(crate) fn received(origin: u64, rid: Option<Arc<str>>, formats: Arc<RtpFormats>) -> Self {
        Self { object: Arc::new(StreamIdentity { origin, rid, formats }) }
    }

    /// The same stream, after the formats have changed.
    pub(crate) fn with_formats(&self, formats: Arc<RtpFormats>) -> Self {
        Self::received(self.object.origin, self.object.rid.clone(), formats)
    }

    /// A number for a stream that is new.
    pub(crate) fn new_origin() -> u64 {
        unique()
    }

    pub(crate) fn origin(&self) -> u64 {
        self.object.origin
    }

    pub(crate) fn formats(&self) -> &Arc<RtpFormats> {
        &self.object.formats
    }

    /// The rid of its layer, with simulcast.
    pub fn rid(&self) -> Option<&str> {
        self.object.rid.as_deref()
    }

    /// The codecs that its packets may have, the preferred one first.
    pub fn codecs(&self) -> &[RTCRtpCodecParameters] {
        &self.object.formats.codecs
    }

    /// A packet of the first codec. The payload is as the codec's payload format has it, for
    /// instance RFC 7587 for Opus.
    pub fn packet(&self, header: RtpHeader, payload: impl Into<Bytes>) -> RtpPacket {
        let RtpHeader { sequence_number, timestamp, marker } = header;
        let octets: Bytes = payload.into();
        let payload_type = self.codecs().first().map_or(PAYLOAD_TYPE, |first| first.payload_type);
        RtpPacket {
            header: Header { marker, payload_type, sequence_number, timestamp, ssrc: 0 },
            payload: 0..octets.len(),
            octets,
            stream: self.clone(),
        }
    }

    /// A packet that another implementation has written, as it is on the wire without protection.
    ///
    /// # Errors
    /// [`MalformedRtp`].
    pub fn parse(&self, octets: Bytes) -> Result<RtpPacket, MalformedRtp> {
        let packet = Packet::parse(&octets)?;
        let (header, payload) = (packet.head(), packet.payload_range());
        Ok(RtpPacket { header, payload, octets, stream: self.clone() })
    }
}

/// Handles of the same stream are equal.
impl PartialEq for RtpStream {
    fn eq(&self, other: &Self) -> bool {
        self.origin() == other.origin()
    }
}

impl Eq for RtpStream {}

/// A packet of RTP (RFC 3550 §5), opened. A clone is cheap: it shares the memory.
///
/// [`MediaStreamTrack::packets`](super::MediaStreamTrack::packets) gives those that a peer has
/// sent, [`RtpStream::packet`] makes one, and
/// [`TrackSource::send`](super::TrackSource::send) sends both kinds.
#[derive(Clone)]
pub struct RtpPacket {
    header: Header,
    octets: Bytes,
    /// Where the payload lies in `octets`. At the beginning, if there is no header in them.
    payload: Range<usize>,
    stream: RtpStream,
}

impl RtpPacket {
    /// The stream that it is of.
    pub fn stream(&self) -> &RtpStream {
        &self.stream
    }

    /// The rid of its layer, with simulcast.
    pub fn rid(&self) -> Option<&str> {
        self.stream.rid()
    }

    /// The codec of the payload.
    pub fn codec(&self) -> Option<&RTCRtpCodec> {
        self.stream.formats().codec(self.header.payload_type)
    }

    /// The payload, without padding. It is empty in packets of padding alone.
    pub fn payload(&self) -> &[u8] {
        self.octets.get(self.payload.clone()).unwrap_or_default()
    }

    /// The same, sharing the memory.
    pub fn payload_bytes(&self) -> Bytes {
        self.octets.slice_ref(self.payload())
    }

    /// The sequence number.
    pub fn sequence_number(&self) -> u16 {
        self.header.sequence_number
    }

    /// The timestamp, in ticks of the codec's clock rate.
    pub fn timestamp(&self) -> u32 {
        self.header.timestamp
    }

    /// The marker bit: the last packet of a picture; the first one of sound after silence.
    pub fn marker(&self) -> bool {
        self.header.marker
    }

    /// The payload type, as its own stream has it.
    pub fn payload_type(&self) -> u8 {
        self.header.payload_type
    }

    /// The synchronization source; 0 in a packet that the application has made.
    pub fn ssrc(&self) -> u32 {
        self.header.ssrc
    }

    /// The contributing sources, at most 15.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = u32> {
        let csrcs: Vec<u32> =
            self.read().map(|packet| packet.csrcs().collect()).unwrap_or_default();
        csrcs.into_iter()
    }

    /// The value of the header extension with this URI.
    pub fn header_extension(&self, uri: &str) -> Option<&[u8]> {
        let id = self.stream.formats().extension_id(uri)?;
        self.read()?.extensions().get(id)
    }

    /// How loud the sound is, linear from 0 (silence) to 1 (0 dBov), if the peer says it
    /// (RFC 6464).
    pub fn audio_level(&self) -> Option<f64> {
        let level = self.header_extension(AUDIO_LEVEL)?.first()? & 0x7f;
        Some(linear(level))
    }

    /// The whole packet as it came, opened: header, payload, padding. `None` if the application has
    /// made it.
    pub fn octets(&self) -> Option<&Bytes> {
        (self.payload.start > 0).then_some(&self.octets)
    }

    /// What puts frames together needs: see [`Depacketizer`](crate::payload::Depacketizer).
    pub fn fragment(&self) -> Fragment<'_> {
        Fragment {
            sequence_number: self.header.sequence_number,
            timestamp: self.header.timestamp,
            marker: self.header.marker,
            payload: self.payload(),
        }
    }

    pub(crate) fn header(&self) -> Header {
        self.header
    }

    /// The header as it was read, if the packet has one.
    pub(crate) fn read(&self) -> Option<Packet<'_>> {
        Packet::parse(self.octets()?).ok()
    }

    /// The elements of its header extension.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.read().into_iter().flat_map(|packet| packet.extensions())
    }

    /// What a track that is not enabled gives instead (mediacapture-main §4.3.4): silence. `None`
    /// for pictures and for codecs whose silence is not known: then nothing is given.
    pub(crate) fn silenced(&self, kind: MediaKind) -> Option<Self> {
        let codec = self.codec().filter(|_| kind == MediaKind::Audio)?;
        let name = codec.mime_type.strip_prefix("audio/")?;
        let octets = match name.to_ascii_lowercase().as_str() {
            // RFC 6716 §3.1: one frame of 20 ms, with nothing in it.
            "opus" => Bytes::from_static(&[0xf8, 0xff, 0xfe]),
            "pcmu" => vec![0xff; self.payload.len()].into(),
            "pcma" => vec![0xd5; self.payload.len()].into(),
            _ => return None,
        };
        let (header, stream) = (self.header, self.stream.clone());
        Some(Self { header, payload: 0..octets.len(), octets, stream })
    }
}

/// webrtc-pc §5.3 `audioLevel`: from -dBov, 0 to 127, where 127 is silence (RFC 6464 §3).
fn linear(level: u8) -> f64 {
    match level {
        127.. => 0.0,
        level => 10_f64.powf(f64::from(level) / -20.0),
    }
}

impl std::fmt::Debug for RtpPacket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RtpPacket")
            .field("codec", &self.codec().map(|codec| &codec.mime_type))
            .field("rid", &self.rid())
            .field("sequence_number", &self.header.sequence_number)
            .field("timestamp", &self.header.timestamp)
            .field("marker", &self.header.marker)
            .field("payload", &self.payload.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use transport::media::rtp::Form;

    use super::*;

    fn codec(name: &str) -> RTCRtpCodec {
        RTCRtpCodec { mime_type: name.into(), clock_rate: 48_000, ..RTCRtpCodec::default() }
    }

    fn stream() -> RtpStream {
        let codecs = vec![RTCRtpCodecParameters { codec: codec("audio/opus"), payload_type: 111 }];
        let level =
            RTCRtpHeaderExtensionParameters { uri: AUDIO_LEVEL.into(), id: 3, encrypted: false };
        RtpStream::with_parameters(codecs, vec![level])
    }

    #[test]
    fn a_packet_of_another_implementation_is_read_by_the_streams_parameters() {
        let (marker, payload_type, sequence_number, timestamp, ssrc) = (true, 111, 7, 960, 9);
        let header = Header { marker, payload_type, sequence_number, timestamp, ssrc };
        let mut octets = Vec::new();
        header.write(&[5, 6], &[(3, &[0x80 | 20])], Form::OneByte, &mut octets).unwrap();
        octets.extend_from_slice(b"sound");
        let packet = stream().parse(octets.clone().into()).unwrap();
        assert_eq!(packet.codec(), Some(&codec("audio/opus")));
        assert_eq!((packet.payload(), packet.ssrc()), (&b"sound"[..], 9));
        assert_eq!(packet.csrcs().collect::<Vec<_>>(), [5, 6]);
        // -20 dBov is a tenth of the amplitude.
        assert!((packet.audio_level().unwrap() - 0.1).abs() < 1e-9);
        assert_eq!(packet.octets().map(|octets| &octets[..]), Some(&octets[..]));
        assert!(stream().parse(Bytes::from_static(b"x")).is_err());
    }

    #[test]
    fn the_levels_of_rfc_6464_are_decibels_below_the_overload() {
        assert_eq!((linear(0), linear(127)), (1.0, 0.0));
        assert!((linear(6) - 0.501).abs() < 0.001);
        assert!(linear(126) > 0.0);
    }

    #[test]
    fn layers_are_streams_of_their_own_with_the_same_formats() {
        let (all, high) = (stream(), stream().layer("h"));
        assert_ne!(all, high);
        assert_eq!((high.rid(), high.codecs().len()), (Some("h"), 1));
        let packet = high.packet(RtpHeader::default(), Bytes::new());
        assert_eq!((packet.rid(), packet.payload_type()), (Some("h"), 111));
        assert_eq!(packet.octets(), None);
    }

    #[test]
    fn a_track_that_is_not_enabled_gives_silence_and_no_pictures() {
        let header = RtpHeader { sequence_number: 3, timestamp: 4, marker: true };
        let silence = |name: &str, kind| {
            let packet = RtpStream::new(codec(name)).packet(header, &b"loud"[..]);
            packet.silenced(kind).map(|packet| (packet.payload().to_vec(), packet.timestamp()))
        };
        assert_eq!(silence("audio/opus", MediaKind::Audio), Some((vec![0xf8, 0xff, 0xfe], 4)));
        assert_eq!(silence("audio/PCMU", MediaKind::Audio), Some((vec![0xff; 4], 4)));
        assert_eq!(silence("audio/G722", MediaKind::Audio), None);
        assert_eq!(silence("video/VP8", MediaKind::Video), None);
    }
}
