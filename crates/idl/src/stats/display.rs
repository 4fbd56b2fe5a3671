//! A report as text, one object a line, with what it refers to in words.

use std::fmt::{Display, Formatter, Result};

use super::{
    RTCCodecStats, RTCDataChannelStats, RTCIceCandidatePairStats, RTCIceCandidateStats,
    RTCInboundRtpStreamStats, RTCMediaSourceStats, RTCOutboundRtpStreamStats,
    RTCReceivedRtpStreamStats, RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats,
    RTCRtpStreamStats, RTCStats, RTCStatsReport, RTCTransportStats,
};

/// For people: one object a line. Programs take the members, whose text may change.
impl Display for RTCStatsReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (at, stats) in self.values().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{}: {}", stats.type_(), Line { report: self, stats })?;
        }
        Ok(())
    }
}

struct Line<'a> {
    report: &'a RTCStatsReport,
    stats: &'a RTCStats,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.stats {
            RTCStats::Codec(stats) => codec(f, stats),
            RTCStats::InboundRtp(stats) => self.inbound_rtp(f, stats),
            RTCStats::OutboundRtp(stats) => self.outbound_rtp(f, stats),
            RTCStats::RemoteInboundRtp(stats) => self.remote_inbound_rtp(f, stats),
            RTCStats::RemoteOutboundRtp(stats) => self.remote_outbound_rtp(f, stats),
            RTCStats::MediaSource(stats) => media_source(f, stats),
            RTCStats::PeerConnection(stats) => write!(
                f,
                "{} data channels opened, {} closed",
                stats.data_channels_opened, stats.data_channels_closed
            ),
            RTCStats::DataChannel(stats) => data_channel(f, stats),
            RTCStats::Transport(stats) => transport(f, stats),
            RTCStats::CandidatePair(stats) => self.candidate_pair(f, stats),
            RTCStats::LocalCandidate(stats) | RTCStats::RemoteCandidate(stats) => {
                candidate(f, stats)?;
                write!(f, ", priority {}", stats.priority)?;
                stats.url.iter().try_for_each(|url| write!(f, ", {url}"))
            }
            RTCStats::Certificate(stats) => {
                write!(f, "{} {}", stats.fingerprint_algorithm, stats.fingerprint)
            }
        }
    }
}

impl Line<'_> {
    fn inbound_rtp(&self, f: &mut Formatter<'_>, stats: &RTCInboundRtpStreamStats) -> Result {
        self.rtp_stream(f, stats, stats.mid.as_deref(), None)?;
        write!(f, "; ")?;
        received(f, stats, Some(stats.bytes_received))?;
        frames(f, stats.frames_received)?;
        retransmissions(f, stats.retransmitted_packets_received)?;
        feedback(f, stats.nack_count, stats.pli_count, stats.fir_count)
    }

    fn outbound_rtp(&self, f: &mut Formatter<'_>, stats: &RTCOutboundRtpStreamStats) -> Result {
        self.rtp_stream(f, stats, stats.mid.as_deref(), stats.rid.as_deref())?;
        if !stats.active {
            write!(f, ", inactive")?;
        }
        write!(f, "; sent {}", Traffic(stats.packets_sent, stats.bytes_sent))?;
        frames(f, stats.frames_sent)?;
        retransmissions(f, Some(stats.retransmitted_packets_sent))?;
        feedback(f, stats.nack_count, stats.pli_count, stats.fir_count)
    }

    fn remote_inbound_rtp(
        &self,
        f: &mut Formatter<'_>,
        stats: &RTCRemoteInboundRtpStreamStats,
    ) -> Result {
        self.rtp_stream(f, stats, None, None)?;
        write!(f, "; ")?;
        received(f, stats, None)?;
        write!(f, ", {:.1} % lost lately", stats.fraction_lost * 100.0)?;
        round_trip_time(f, stats.round_trip_time)
    }

    fn remote_outbound_rtp(
        &self,
        f: &mut Formatter<'_>,
        stats: &RTCRemoteOutboundRtpStreamStats,
    ) -> Result {
        self.rtp_stream(f, stats, None, None)?;
        write!(f, "; sent {}", Traffic(stats.packets_sent, stats.bytes_sent))?;
        write!(f, ", {} reports", stats.reports_sent)?;
        round_trip_time(f, stats.round_trip_time)
    }

    fn rtp_stream(
        &self,
        f: &mut Formatter<'_>,
        stats: &RTCRtpStreamStats,
        mid: Option<&str>,
        rid: Option<&str>,
    ) -> Result {
        let codec = stats.codec_id.as_deref().and_then(|id| self.report.get(id));
        match codec {
            Some(RTCStats::Codec(codec)) => write!(f, "{}", codec.mime_type)?,
            _ => write!(f, "{}", stats.kind)?,
        }
        mid.iter().try_for_each(|mid| write!(f, ", mid {mid:?}"))?;
        rid.iter().try_for_each(|rid| write!(f, ", rid {rid:?}"))?;
        write!(f, ", ssrc {}", stats.ssrc)
    }

    fn candidate_pair(&self, f: &mut Formatter<'_>, stats: &RTCIceCandidatePairStats) -> Result {
        self.candidate_of(f, &stats.local_candidate_id)?;
        write!(f, " to ")?;
        self.candidate_of(f, &stats.remote_candidate_id)?;
        write!(f, "; {}", stats.state)?;
        if stats.nominated {
            write!(f, ", nominated")?;
        }
        let in_use = self.report.values().any(|other| match other {
            RTCStats::Transport(transport) => {
                transport.selected_candidate_pair_id.as_deref() == Some(stats.id.as_str())
            }
            _ => false,
        });
        if in_use {
            write!(f, ", in use")?;
        }
        round_trip_time(f, stats.current_round_trip_time)?;
        write!(
            f,
            "; sent {}, received {}",
            Traffic(stats.packets_sent, stats.bytes_sent),
            Traffic(stats.packets_received, stats.bytes_received)
        )
    }

    fn candidate_of(&self, f: &mut Formatter<'_>, id: &str) -> Result {
        match self.report.get(id) {
            Some(RTCStats::LocalCandidate(stats) | RTCStats::RemoteCandidate(stats)) => {
                candidate(f, stats)
            }
            _ => write!(f, "{id}"),
        }
    }
}

fn codec(f: &mut Formatter<'_>, stats: &RTCCodecStats) -> Result {
    write!(f, "{} {}", stats.payload_type, stats.mime_type)?;
    stats.clock_rate.iter().try_for_each(|rate| write!(f, "/{rate}"))?;
    stats.channels.iter().try_for_each(|channels| write!(f, "/{channels}"))?;
    stats.sdp_fmtp_line.iter().try_for_each(|line| write!(f, " {line}"))
}

fn media_source(f: &mut Formatter<'_>, stats: &RTCMediaSourceStats) -> Result {
    write!(f, "{}, track {}", stats.kind(), stats.track_identifier())?;
    match stats {
        RTCMediaSourceStats::Audio(stats) => {
            stats.audio_level.iter().try_for_each(|level| write!(f, ", level {level:.3}"))
        }
        RTCMediaSourceStats::Video(stats) => {
            if let (Some(width), Some(height)) = (stats.width, stats.height) {
                write!(f, ", {width}x{height}")?;
            }
            frames(f, stats.frames)?;
            let rate = stats.frames_per_second;
            rate.iter().try_for_each(|rate| write!(f, ", {rate:.0} a second"))
        }
    }
}

fn data_channel(f: &mut Formatter<'_>, stats: &RTCDataChannelStats) -> Result {
    write!(f, "{:?}", stats.label)?;
    stats.data_channel_identifier.iter().try_for_each(|id| write!(f, ", id {id}"))?;
    write!(
        f,
        ", {}; sent {} messages ({}), received {} messages ({})",
        stats.state,
        stats.messages_sent,
        Size(stats.bytes_sent),
        stats.messages_received,
        Size(stats.bytes_received)
    )
}

fn transport(f: &mut Formatter<'_>, stats: &RTCTransportStats) -> Result {
    write!(f, "ICE {}, {}; ", stats.ice_state, stats.ice_role)?;
    write!(f, "DTLS {}, {}", stats.dtls_state, stats.dtls_role)?;
    stats.tls_version.iter().try_for_each(|version| write!(f, ", {version}"))?;
    stats.dtls_cipher.iter().try_for_each(|cipher| write!(f, ", {cipher}"))?;
    stats.tls_group.iter().try_for_each(|group| write!(f, ", {group}"))?;
    stats.srtp_cipher.iter().try_for_each(|cipher| write!(f, ", {cipher}"))?;
    write!(
        f,
        "; sent {}, received {}",
        Traffic(stats.packets_sent, stats.bytes_sent),
        Traffic(stats.packets_received, stats.bytes_received)
    )
}

fn candidate(f: &mut Formatter<'_>, stats: &RTCIceCandidateStats) -> Result {
    let address = stats.address.as_deref().unwrap_or("(hidden)");
    write!(f, "{} {} {address} port {}", stats.candidate_type, stats.protocol, stats.port)
}

fn received(
    f: &mut Formatter<'_>,
    stats: &RTCReceivedRtpStreamStats,
    bytes: Option<u64>,
) -> Result {
    match bytes {
        Some(bytes) => write!(f, "received {}", Traffic(stats.packets_received, bytes))?,
        None => write!(f, "received {} packets", stats.packets_received)?,
    }
    write!(f, ", {} lost, jitter {:.1} ms", stats.packets_lost, stats.jitter * 1000.0)
}

fn frames(f: &mut Formatter<'_>, frames: Option<u32>) -> Result {
    frames.iter().try_for_each(|frames| write!(f, ", {frames} frames"))
}

fn retransmissions(f: &mut Formatter<'_>, packets: Option<u64>) -> Result {
    packets.iter().try_for_each(|packets| write!(f, ", {packets} retransmitted"))
}

fn feedback(f: &mut Formatter<'_>, nack: u32, pli: Option<u32>, fir: Option<u32>) -> Result {
    write!(f, "; {nack} NACK")?;
    pli.iter().try_for_each(|pli| write!(f, ", {pli} PLI"))?;
    fir.iter().try_for_each(|fir| write!(f, ", {fir} FIR"))
}

fn round_trip_time(f: &mut Formatter<'_>, seconds: Option<f64>) -> Result {
    seconds.iter().try_for_each(|seconds| write!(f, "; round trip {:.1} ms", seconds * 1000.0))
}

/// Packets and bytes.
struct Traffic(u64, u64);

impl Display for Traffic {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} packets ({})", self.0, Size(self.1))
    }
}

/// Bytes, in the unit that makes the number short.
struct Size(u64);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let bytes = self.0;
        match bytes {
            0..1_000 => write!(f, "{bytes} B"),
            1_000..1_000_000 => write!(f, "{:.1} kB", bytes as f64 / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", bytes as f64 / 1e6),
            _ => write!(f, "{:.1} GB", bytes as f64 / 1e9),
        }
    }
}
