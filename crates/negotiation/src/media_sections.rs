//! What descriptions and senders say about RTP, for the host, which carries the packets.

use std::sync::Arc;

use sdp::Media;

use crate::description::{Description, SimulcastRids};
use crate::effect::{MediaCommand, TransportId};
use crate::rtp;
use crate::session::Session;
use crate::transceiver::{Transceiver, TransceiverId};
use idl::{
    MediaKind, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, RTCRtpTransceiverDirection,
};

/// How many sources of the peer are taken from one m= section. Three layers with retransmission
/// and error correction are nine.
const MAX_SOURCES: usize = 64;

/// The media of one transceiver: what is received and sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaSection {
    /// The transceiver.
    pub transceiver: TransceiverId,
    /// The transport of its sender and its receiver.
    pub transport: TransportId,
    /// The mid of its m= section.
    pub mid: String,
    /// The kind of media.
    pub kind: MediaKind,
    /// Whether RTCP packets may be of reduced size (RFC 5506).
    pub reduced_size_rtcp: bool,
    /// Whether one stream may mix header extensions of one and two bytes: both descriptions have
    /// `a=extmap-allow-mixed` (RFC 8285 §6).
    pub extmap_allow_mixed: bool,
    /// What is received; `None` unless `[[Receptive]]`.
    pub receive: Option<MediaReceive>,
    /// What is sent; `None` unless `[[CurrentDirection]]` sends.
    pub send: Option<MediaSend>,
}

/// What a receiver is prepared to receive.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaReceive {
    /// `[[ReceiveCodecs]]`
    pub codecs: Arc<[RTCRtpCodecParameters]>,
    /// The header extensions, with the ids of this side.
    pub header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    /// The layers of simulcast that the peer sends, in its order.
    pub rids: Vec<String>,
    /// The sources that the peer has announced with `a=ssrc`, at most 64. It need not announce
    /// any.
    pub sources: Vec<MediaSource>,
}

/// A source of the peer (RFC 5576).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaSource {
    /// Its SSRC.
    pub ssrc: u32,
    /// The SSRC whose packets it retransmits: `a=ssrc-group:FID` (RFC 4588 §8).
    pub repairs: Option<u32>,
}

/// What a sender sends.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaSend {
    /// `[[SendCodecs]]`
    pub codecs: Arc<[RTCRtpCodecParameters]>,
    /// The header extensions, with the ids of the peer.
    pub header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    /// `[[SendEncodings]]`
    pub encodings: Vec<MediaEncoding>,
}

/// One encoding of a sender.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaEncoding {
    /// The name that packets have in the RTP header extension for it (RFC 8852); `None` if the
    /// peer does not expect one.
    pub rid: Option<String>,
    /// Whether it is sent.
    pub active: bool,
    /// Its SSRC. It stays the same as long as the sender exists.
    pub ssrc: u32,
    /// The SSRC of its retransmissions, if they are negotiated.
    pub rtx_ssrc: Option<u32>,
}

impl Session {
    /// The media of each transceiver that has an m= section and a transport and is not stopped, in
    /// the order of the transceivers. [`MediaCommand::Update`] says when it may have changed.
    ///
    /// ```
    /// # use peerconnection_negotiation::{Certificate, Configuration, MediaKind, Session};
    /// # use peerconnection_negotiation::{TrackOrKind, TransceiverInit};
    /// # fn run(session: &mut Session) {
    /// #     while let Some(task) = session.poll_task() {
    /// #         session.run_task(task);
    /// #         while { while session.poll_effect().is_some() {} session.run_microtask() } {}
    /// #     }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let certificate = Certificate { id: 1, fingerprints: vec!["sha-256 4A:AD:B9".parse()?] };
    /// # let configuration = Configuration { certificates: vec![certificate], ..Default::default() };
    /// # let mut session = Session::new(configuration, [7; 32])?;
    /// session.add_transceiver(TrackOrKind::Kind(MediaKind::Audio), TransceiverInit::default())?;
    /// session.set_local_description(None);
    /// run(&mut session);
    ///
    /// let sections = session.media_sections();
    /// // The peer may send as soon as it has the offer; this side waits for the answer.
    /// let received = sections[0].receive.as_ref().ok_or("nothing is received")?;
    /// assert_eq!(received.codecs[0].mime_type, "audio/opus");
    /// assert_eq!(sections[0].send, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn media_sections(&self) -> Vec<MediaSection> {
        let (local, remote) = (self.local(), self.remote());
        let allows_mixed = |description: Option<&Description>, mid: &str| {
            description.is_some_and(|description| {
                description.index_of_mid(mid).is_some_and(|i| description.allows_mixed(i))
            })
        };
        let section = |(id, transceiver): (TransceiverId, &Transceiver)| {
            if transceiver.stopped {
                return None;
            }
            let mid = transceiver.mid.as_deref()?;
            let theirs = remote.and_then(|remote| remote.media_of_mid(mid));
            let ours = local.and_then(|local| local.media_of_mid(mid));
            Some(MediaSection {
                transceiver: id,
                // Both always have the same.
                transport: transceiver.receiver.receiver_transport?,
                mid: mid.to_owned(),
                kind: transceiver.kind,
                reduced_size_rtcp: transceiver.receiver.reduced_size_rtcp,
                extmap_allow_mixed: allows_mixed(local, mid) && allows_mixed(remote, mid),
                receive: transceiver.media_receive(ours, theirs),
                send: transceiver.media_send(theirs),
            })
        };
        self.transceivers.iter().filter_map(section).collect()
    }

    /// The canonical name of this side's sources (RFC 7022), one for the connection.
    pub fn cname(&mut self) -> String {
        self.identifiers.cname()
    }

    /// Tells the host that [`media_sections`](Self::media_sections) may have changed. A connection
    /// without transceivers never does.
    pub(crate) fn update_media(&mut self) {
        if !self.transceivers.ids().is_empty() {
            // A description of the peer may have changed the encodings of a sender.
            self.name_sources();
            self.outputs.push_effect(MediaCommand::Update);
        }
    }
}

impl Transceiver {
    /// webrtc-pc §5.4, stop sending and receiving: a stopping transceiver does neither any more.
    fn media_receive(&self, ours: Option<&Media>, theirs: Option<&Media>) -> Option<MediaReceive> {
        if !self.receptive || self.stopping {
            return None;
        }
        let simulcast = ours.map(SimulcastRids::read).unwrap_or_default();
        Some(MediaReceive {
            codecs: self.receiver.receive_codecs.clone(),
            header_extensions: self.receiver.header_extensions.clone(),
            rids: simulcast.received().map(str::to_owned).collect(),
            sources: theirs.map(read_sources).unwrap_or_default(),
        })
    }

    fn media_send(&self, theirs: Option<&Media>) -> Option<MediaSend> {
        let sends = self.current_direction.is_some_and(RTCRtpTransceiverDirection::sends);
        if !sends || self.stopping {
            return None;
        }
        let sender = &self.sender;
        let repairs = sender.send_codecs.iter().any(|codec| rtp::is_rtx(codec));
        // RFC 8853 §5.3: what the peer does not know has no name. The transceiver may keep one
        // from an offer whose simulcast the peer did not accept.
        let is_lone = sender.send_encodings.len() == 1;
        let simulcast = theirs.filter(|_| is_lone).map(SimulcastRids::read).unwrap_or_default();
        let encodings = sender.send_encodings.iter().zip(sender.sources.iter());
        let encodings = encodings.map(|(encoding, source)| MediaEncoding {
            rid: encoding.rid.clone().filter(|rid| !is_lone || simulcast.receives(rid)),
            active: encoding.active,
            ssrc: source.ssrc,
            rtx_ssrc: source.rtx_ssrc.filter(|_| repairs),
        });
        Some(MediaSend {
            codecs: sender.send_codecs.clone(),
            header_extensions: sender.header_extensions.clone(),
            encodings: encodings.collect(),
        })
    }
}

/// The sources of a section of the peer, in its order.
fn read_sources(media: &Media) -> Vec<MediaSource> {
    let mut sources = Vec::new();
    for line in media.ssrcs() {
        find_or_add(&mut sources, line.id);
    }
    for group in media.ssrc_groups().filter(|group| group.semantics == "FID") {
        let [repaired, repairing, ..] = *group.ssrcs else { continue };
        // A retransmission is not retransmitted itself.
        let is_repaired = sources.iter().any(|source| source.repairs == Some(repairing));
        let original = find_or_add(&mut sources, repaired);
        let is_original = original.is_some_and(|source| source.repairs.is_none());
        if repaired != repairing
            && is_original
            && !is_repaired
            && let Some(source) = find_or_add(&mut sources, repairing)
        {
            source.repairs.get_or_insert(repaired);
        }
    }
    sources
}

/// The source of this SSRC; `None` if there is no room for another.
fn find_or_add(sources: &mut Vec<MediaSource>, ssrc: u32) -> Option<&mut MediaSource> {
    let known = sources.iter().position(|source| source.ssrc == ssrc);
    if known.is_none() && sources.len() >= MAX_SOURCES {
        return None;
    }
    let index = known.unwrap_or(sources.len());
    if known.is_none() {
        sources.push(MediaSource { ssrc, repairs: None });
    }
    sources.get_mut(index)
}
