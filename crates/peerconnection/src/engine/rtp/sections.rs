//! What the descriptions say of media, for each transport.

use std::collections::BTreeMap;

use negotiation::{
    MediaReceive, MediaSection, MediaSend, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters,
    Transceiver, TransceiverId, TransportId, repaired_payload_type,
};
use time::Instant;
use transport::media::demux::Source;
use transport::media::{Codec, Encoding, Extension, Kind, Receive, Section, Send};

use super::{Receiver, Sender, section_id};
use crate::engine::Engine;

/// RFC 9143 §15, RFC 8852, RFC 5450, RFC 6464: the extensions that media reads or writes itself.
const EXTENSIONS: [(&str, Extension); 6] = [
    ("urn:ietf:params:rtp-hdrext:sdes:mid", Extension::Mid),
    ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", Extension::Rid),
    ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", Extension::RepairedRid),
    ("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", Extension::AbsSendTime),
    ("urn:ietf:params:rtp-hdrext:toffset", Extension::TransmissionOffset),
    (crate::api::AUDIO_LEVEL, Extension::AudioLevel),
];

impl Engine {
    /// Follows a change of what the descriptions say of media.
    pub(in crate::engine) fn update_media(&mut self, now: Instant) {
        let mut of_transports: BTreeMap<TransportId, Vec<Section>> = BTreeMap::new();
        let (mut receivers, mut senders) = (BTreeMap::new(), BTreeMap::new());
        let mut transports = BTreeMap::new();
        for section in self.session.media_sections() {
            let (id, transport) = (section.transceiver, section.transport);
            of_transports.entry(transport).or_default().push(of_media(&section));
            transports.insert(id, transport);
            if let Some(receive) = section.receive {
                let before = self.rtp.receivers.remove(&id);
                receivers.insert(id, Receiver::new(before, transport, receive));
            }
            if let Some(send) = section.send {
                let before = self.rtp.senders.remove(&id);
                senders.insert(id, Box::new(Sender::new(before, transport, send)));
            }
        }
        self.rtp.receivers = receivers;
        // §5.4 stop sending and receiving: an RTCP BYE for each stream that was being sent.
        for (id, sender) in std::mem::replace(&mut self.rtp.senders, senders) {
            let stops = self.session.transceiver(id).is_none_or(Transceiver::is_stopping);
            if stops && let Some(media) = self.media_of(sender.transport) {
                media.say_goodbye(section_id(id));
            }
        }
        let before = std::mem::replace(&mut self.rtp.transports, transports);
        for (section, from) in before {
            if let Some(to) = self.rtp.transports.get(&section).filter(|to| **to != from) {
                self.move_media(now, section, from, *to);
            }
            of_transports.entry(from).or_default();
        }
        for (id, sections) in of_transports {
            if let Some(transport) = self.transports.get_mut(&id) {
                transport.stack.set_media(now, sections);
            }
        }
    }

    /// RFC 9143 §7.4: a section goes on over another transport, and its streams with it.
    fn move_media(
        &mut self,
        now: Instant,
        section: TransceiverId,
        from: TransportId,
        to: TransportId,
    ) {
        // The old one leaves the map, so that both can be borrowed.
        let Some(mut old) = self.transports.remove(&from) else { return };
        if let Some(new) = self.transports.get_mut(&to) {
            new.stack.take_media_of(now, old.media_stack(), &[section_id(section)]);
        }
        self.transports.insert(from, old);
    }
}

fn of_media(section: &MediaSection) -> Section {
    Section {
        id: section_id(section.transceiver),
        mid: section.mid.clone(),
        kind: match section.kind {
            negotiation::MediaKind::Audio => Kind::Audio,
            negotiation::MediaKind::Video => Kind::Video,
        },
        reduced_size: section.reduced_size_rtcp,
        receive: section.receive.as_ref().map(receive),
        send: section.send.as_ref().map(|of| send(of, section.extmap_allow_mixed)),
    }
}

fn receive(of: &MediaReceive) -> Receive {
    Receive {
        codecs: codecs(&of.codecs),
        extensions: extensions(&of.header_extensions),
        rids: of.rids.clone(),
        sources: of
            .sources
            .iter()
            .map(|source| Source { ssrc: source.ssrc, repairs: source.repairs })
            .collect(),
    }
}

fn send(of: &MediaSend, allow_mixed: bool) -> Send {
    Send {
        codecs: codecs(&of.codecs),
        extensions: extensions(&of.header_extensions),
        encodings: of
            .encodings
            .iter()
            .map(|encoding| Encoding {
                ssrc: encoding.ssrc,
                rtx_ssrc: encoding.rtx_ssrc,
                rid: encoding.rid.clone(),
                active: encoding.active,
            })
            .collect(),
        allow_mixed,
    }
}

fn codecs(codecs: &[RTCRtpCodecParameters]) -> Vec<Codec> {
    let codec = |codec: &RTCRtpCodecParameters| Codec {
        payload_type: codec.payload_type,
        clock_rate: codec.clock_rate,
        repairs: repaired_payload_type(codec),
    };
    codecs.iter().map(codec).collect()
}

fn extensions(extensions: &[RTCRtpHeaderExtensionParameters]) -> Vec<(u8, Extension)> {
    let extension = |extension: &RTCRtpHeaderExtensionParameters| {
        let known = EXTENSIONS.iter().find(|(uri, _)| *uri == extension.uri);
        let known = known.map_or(Extension::Other, |(_, known)| *known);
        Some((u8::try_from(extension.id).ok()?, known))
    };
    extensions.iter().filter_map(extension).collect()
}
