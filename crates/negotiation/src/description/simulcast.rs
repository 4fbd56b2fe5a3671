//! Simulcast in a section (RFC 8853, webrtc-pc §4.4.1.4).

use std::collections::HashSet;

use sdp::{Media, RidDirection, SimulcastId};

use crate::rtp::max_encodings;
use idl::{MediaKind, RTCRtpCodingParameters, RTCRtpEncodingParameters};

/// The rids of a section, from the writer's point of view. Each list has its order and no
/// duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SimulcastRids {
    sends: Vec<String>,
    receives: Vec<String>,
}

impl SimulcastRids {
    /// The first of several alternatives counts. A rid without an `a=rid` line is discarded (RFC
    /// 8853 §5.2).
    pub(crate) fn read(media: &Media) -> Self {
        let Some(simulcast) = media.simulcast() else { return Self::default() };
        let described: HashSet<(String, RidDirection)> =
            media.rids().map(|rid| (rid.id, rid.direction)).collect();
        let list = |streams: Vec<Vec<SimulcastId>>, direction| {
            let mut seen = HashSet::new();
            let rids = streams.into_iter().filter_map(|stream| stream.into_iter().next());
            let rids = rids.map(|id| id.rid).filter(|rid| seen.insert(rid.clone()));
            rids.filter(|rid| described.contains(&(rid.clone(), direction))).collect()
        };
        Self {
            sends: list(simulcast.send, RidDirection::Send),
            receives: list(simulcast.recv, RidDirection::Recv),
        }
    }

    pub(crate) fn sent(&self) -> impl Iterator<Item = &str> {
        self.sends.iter().map(String::as_str)
    }

    pub(crate) fn received(&self) -> impl Iterator<Item = &str> {
        self.receives.iter().map(String::as_str)
    }

    pub(crate) fn receives(&self, rid: &str) -> bool {
        self.received().any(|known| known == rid)
    }

    /// webrtc-pc §4.4.1.4 steps 4.7.11.2.1 to 4.7.11.2.4: `proposedSendEncodings` of an offer.
    pub(crate) fn proposed_send_encodings(&self, kind: MediaKind) -> Vec<RTCRtpEncodingParameters> {
        // Steps 4.7.11.2.1 to 4.7.11.2.3
        let length = self.receives.len().min(max_encodings(kind));
        let rids = self.receives.iter().take(length);
        let encoding = |(index, rid): (usize, &String)| RTCRtpEncodingParameters {
            coding: RTCRtpCodingParameters { rid: Some(rid.clone()) },
            // Step 4.7.11.2.4; the length is small, so the shift cannot overflow. Audio has no
            // resolution (§5.1, the validation steps of sendEncodings).
            scale_resolution_down_by: (kind == MediaKind::Video)
                .then(|| f64::from(1_u32 << (length - index - 1))),
            ..RTCRtpEncodingParameters::default()
        };
        rids.enumerate().map(encoding).collect()
    }
}
