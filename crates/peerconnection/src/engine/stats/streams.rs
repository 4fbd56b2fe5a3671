//! webrtc-stats §8.3 to §8.10: codecs, RTP streams and media sources.

use std::collections::BTreeMap;

use negotiation::{
    MediaKind, RTCRtpCodecParameters, TransceiverId, TransportId, repaired_payload_type,
};
use time::Instant;
use transport::media::{Inbound, Media, Outbound, RemoteInbound, RemoteOutbound};

use super::super::Engine;
use super::UNIX_EPOCH;
use super::gathering::Gathering;
use crate::api::{
    MediaStreamTrack, RTCAudioSourceStats, RTCCodecStats, RTCInboundRtpStreamStats,
    RTCMediaSourceStats, RTCOutboundRtpStreamStats, RTCReceivedRtpStreamStats,
    RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats, RTCRtpStreamStats,
    RTCSentRtpStreamStats, RTCStats, RTCStatsType, RTCVideoSourceStats, Side,
};

/// Streams of ours go on when another peer takes over, those of the peer do not: an SSRC that comes
/// again after its stream was deleted is another object, with another id.
const OURS: u32 = 0;

/// What a stream is of.
#[derive(Clone, Copy)]
struct Place<'a> {
    transport: TransportId,
    section: TransceiverId,
    mid: Option<&'a str>,
    kind: MediaKind,
    /// The codecs of this direction.
    codecs: &'a [RTCRtpCodecParameters],
}

impl Engine {
    /// Adds the RTP streams of all transports, and what they refer to. Returns the ids of the
    /// streams of one sender or receiver, and the tracks of the senders, to be dropped with nothing
    /// locked.
    pub(super) fn gather_streams(
        &self,
        gathering: &mut Gathering,
        of: Option<(TransceiverId, Side)>,
    ) -> (Vec<String>, Vec<MediaStreamTrack>) {
        let mut selected = Vec::new();
        let mut sources = BTreeMap::new();
        for (transport, media) in self.media() {
            for stream in media.inbound() {
                let section = TransceiverId(stream.section.0);
                let Some(transceiver) = self.session.transceiver(section) else { continue };
                let Some(slot) = self.transceivers.slots.get(&section) else { continue };
                let parameters = self.session.get_receive_parameters(section);
                let (kind, mid) = (transceiver.kind(), transceiver.mid());
                let codecs = &parameters.codecs[..];
                let place = Place { transport, section, mid, kind, codecs };
                let id = gathering.inbound(place, &stream, &slot.track);
                if of == Some((section, Side::Receiver)) {
                    selected.push(id);
                }
            }
            for stream in media.outbound() {
                let section = TransceiverId(stream.section.0);
                let Some(transceiver) = self.session.transceiver(section) else { continue };
                let codecs = self.rtp.codecs_sent(section);
                let (kind, mid) = (transceiver.kind(), transceiver.mid());
                let place = Place { transport, section, mid, kind, codecs };
                let track = self.sender_track(section);
                let source = track.map(|track| {
                    let id = gathering.ids.id(RTCStatsType::MediaSource, track.object.number);
                    sources.insert(id.clone(), track);
                    id
                });
                let id = gathering.outbound(place, &stream, source);
                if of == Some((section, Side::Sender)) {
                    selected.push(id);
                }
            }
        }
        for (id, track) in &sources {
            gathering.media_source(id.clone(), track, self.transceivers.tracks.since(track));
        }
        (selected, sources.into_values().collect())
    }

    /// The media of each transport.
    fn media(&self) -> impl Iterator<Item = (TransportId, &Media)> {
        self.transports.iter().filter_map(|(id, transport)| Some((*id, transport.media()?)))
    }
}

impl Gathering {
    fn stream(
        &mut self,
        of: RTCStatsType,
        at: Option<Instant>,
        place: Place<'_>,
        (ssrc, peer): (u32, u32),
        payload_type: Option<u8>,
    ) -> RTCRtpStreamStats {
        let codec = payload_type.and_then(|payload_type| self.codec(place, payload_type));
        RTCRtpStreamStats {
            timestamp: at.map_or(self.timestamp, |at| self.clock.timestamp(at)),
            id: self.ids.id(of, (place.section, ssrc, peer)),
            ssrc,
            kind: place.kind,
            transport_id: Some(self.ids.id(RTCStatsType::Transport, place.transport)),
            codec_id: codec,
        }
    }

    /// Adds a codec, unless it was added before. Returns its id.
    fn codec(&mut self, place: Place<'_>, payload_type: u8) -> Option<String> {
        let codec = place.codecs.iter().find(|codec| codec.payload_type == payload_type)?;
        let key = (place.transport, codec);
        let id = self.ids.id(RTCStatsType::Codec, key);
        let is_it = |stats: &RTCStats| matches!(stats, RTCStats::Codec(stats) if stats.id == id);
        if !self.stats.iter().any(is_it) {
            self.stats.push(RTCStats::Codec(RTCCodecStats {
                timestamp: self.timestamp,
                id: id.clone(),
                payload_type,
                transport_id: self.ids.id(RTCStatsType::Transport, place.transport),
                mime_type: codec.mime_type.clone(),
                clock_rate: Some(codec.clock_rate),
                channels: codec.channels,
                sdp_fmtp_line: codec.sdp_fmtp_line.clone(),
            }));
        }
        Some(id)
    }

    /// Adds a stream that is received, with what the peer says of it. Returns its id.
    fn inbound(&mut self, place: Place<'_>, of: &Inbound, track: &MediaStreamTrack) -> String {
        let is_video = place.kind == MediaKind::Video;
        let video = |value: u32| is_video.then_some(value);
        // RFC 4588: nothing else tells what was sent again.
        let has_rtx = place.codecs.iter().any(|codec| repaired_payload_type(codec).is_some());
        let again = |value: u64| has_rtx.then_some(value);
        let level = || track.contributions()?.audio_level(of.ssrc);
        let rtp_stream =
            self.stream(RTCStatsType::InboundRtp, None, place, (of.ssrc, of.peer), of.payload_type);
        let id = rtp_stream.id.clone();
        let remote = of.remote.map(|remote| self.remote_outbound(place, of, &remote, &id));
        let received = RTCReceivedRtpStreamStats {
            rtp_stream,
            packets_received: of.packets_received,
            packets_lost: of.packets_lost,
            jitter: of.jitter,
        };
        self.stats.push(RTCStats::InboundRtp(RTCInboundRtpStreamStats {
            received,
            track_identifier: track.id().to_owned(),
            mid: place.mid.map(str::to_owned),
            remote_id: remote,
            last_packet_received_timestamp: of
                .last_packet_received
                .map(|at| self.clock.timestamp(at)),
            header_bytes_received: of.header_bytes_received,
            bytes_received: of.bytes_received,
            nack_count: of.nack_count,
            fir_count: video(of.fir_count),
            pli_count: video(of.pli_count),
            frames_received: video(of.frames_received),
            audio_level: if is_video { None } else { level() },
            retransmitted_packets_received: again(of.retransmitted_packets_received),
            retransmitted_bytes_received: again(of.retransmitted_bytes_received),
            rtx_ssrc: of.rtx_ssrc,
        }));
        id
    }

    fn remote_outbound(
        &mut self,
        place: Place<'_>,
        of: &Inbound,
        remote: &RemoteOutbound,
        local: &str,
    ) -> String {
        let kind = RTCStatsType::RemoteOutboundRtp;
        let source = (of.ssrc, of.peer);
        let rtp_stream = self.stream(kind, Some(remote.at), place, source, of.payload_type);
        let id = rtp_stream.id.clone();
        let sent = RTCSentRtpStreamStats {
            rtp_stream,
            packets_sent: remote.packets_sent,
            bytes_sent: remote.bytes_sent,
        };
        self.stats.push(RTCStats::RemoteOutboundRtp(RTCRemoteOutboundRtpStreamStats {
            sent,
            local_id: Some(local.to_owned()),
            remote_timestamp: Some(unix_time(remote.ntp)),
            reports_sent: remote.reports_sent,
            round_trip_time: remote.round_trip_time.map(|time| time.as_secs_f64()),
            total_round_trip_time: remote.total_round_trip_time.as_secs_f64(),
            round_trip_time_measurements: remote.round_trip_time_measurements,
        }));
        id
    }

    /// Adds a stream that is sent, with what the peer says of it. Returns its id.
    fn outbound(&mut self, place: Place<'_>, of: &Outbound, source: Option<String>) -> String {
        let is_video = place.kind == MediaKind::Video;
        let video = |value: u32| is_video.then_some(value);
        let rtp_stream =
            self.stream(RTCStatsType::OutboundRtp, None, place, (of.ssrc, OURS), of.payload_type);
        let id = rtp_stream.id.clone();
        let remote = of.remote.map(|remote| self.remote_inbound(place, of, &remote, &id));
        let sent = RTCSentRtpStreamStats {
            rtp_stream,
            packets_sent: of.packets_sent,
            bytes_sent: of.bytes_sent,
        };
        self.stats.push(RTCStats::OutboundRtp(RTCOutboundRtpStreamStats {
            sent,
            mid: place.mid.map(str::to_owned),
            media_source_id: source,
            remote_id: remote,
            rid: of.rid.as_deref().map(str::to_owned),
            encoding_index: u32::try_from(of.encoding).ok(),
            header_bytes_sent: of.header_bytes_sent,
            retransmitted_packets_sent: of.retransmitted_packets_sent,
            retransmitted_bytes_sent: of.retransmitted_bytes_sent,
            rtx_ssrc: of.rtx_ssrc,
            frames_sent: video(of.frames_sent),
            nack_count: of.nack_count,
            fir_count: video(of.fir_count),
            pli_count: video(of.pli_count),
            active: of.active,
        }));
        id
    }

    fn remote_inbound(
        &mut self,
        place: Place<'_>,
        of: &Outbound,
        remote: &RemoteInbound,
        local: &str,
    ) -> String {
        let kind = RTCStatsType::RemoteInboundRtp;
        let source = (of.ssrc, OURS);
        let rtp_stream = self.stream(kind, Some(remote.at), place, source, of.payload_type);
        let id = rtp_stream.id.clone();
        let received = RTCReceivedRtpStreamStats {
            rtp_stream,
            packets_received: remote.packets_received,
            packets_lost: remote.packets_lost,
            jitter: remote.jitter,
        };
        self.stats.push(RTCStats::RemoteInboundRtp(RTCRemoteInboundRtpStreamStats {
            received,
            local_id: Some(local.to_owned()),
            round_trip_time: remote.round_trip_time.map(|time| time.as_secs_f64()),
            total_round_trip_time: remote.total_round_trip_time.as_secs_f64(),
            fraction_lost: remote.fraction_lost,
            round_trip_time_measurements: remote.round_trip_time_measurements,
        }));
        id
    }

    /// Adds what a sender sends, which has had it `since` then.
    fn media_source(&mut self, id: String, track: &MediaStreamTrack, since: Option<Instant>) {
        let (timestamp, track_identifier) = (self.timestamp, track.id().to_owned());
        let meter = track.meter();
        let age = timestamp - since.map_or(timestamp, |since| self.clock.timestamp(since));
        self.stats.push(RTCStats::MediaSource(match track.kind() {
            MediaKind::Audio => RTCMediaSourceStats::Audio(RTCAudioSourceStats {
                timestamp,
                id,
                track_identifier,
                audio_level: meter.sound.audio_level,
                total_audio_energy: meter.sound.total_audio_energy,
                total_samples_duration: meter.sound.total_samples_duration,
            }),
            MediaKind::Video => RTCMediaSourceStats::Video(RTCVideoSourceStats {
                timestamp,
                id,
                track_identifier,
                width: meter.pictures.size.map(|(width, _)| width.into()),
                height: meter.pictures.size.map(|(_, height)| height.into()),
                frames: Some(meter.pictures.frames),
                // "For the first second of this object's lifetime this member MUST NOT exist."
                frames_per_second: (age >= 1000.0).then(|| meter.pictures.frames_per_second()),
            }),
        }));
    }
}

/// Milliseconds since the Unix epoch, of an NTP time.
fn unix_time(ntp: u64) -> f64 {
    (ntp as f64 / 4_294_967_296.0 - UNIX_EPOCH as f64) * 1000.0
}

/// §8.5: keeps these streams and everything that they refer to, directly or not.
pub(super) fn select(stats: Vec<RTCStats>, selected: Vec<String>) -> Vec<RTCStats> {
    let mut wanted: std::collections::BTreeSet<String> = selected.into_iter().collect();
    let mut open: Vec<String> = wanted.iter().cloned().collect();
    while let Some(id) = open.pop() {
        for stats in stats.iter().filter(|stats| stats.id() == id) {
            for reference in stats.references() {
                if wanted.insert(reference.to_owned()) {
                    open.push(reference.to_owned());
                }
            }
        }
    }
    stats.into_iter().filter(|stats| wanted.contains(stats.id())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_times_are_dates() {
        // 2000-01-01 and a half second.
        let ntp = (3_155_673_600_u64 << 32) | 1 << 31;
        assert!((unix_time(ntp) - 946_684_800_500.0).abs() < 0.01);
    }
}
