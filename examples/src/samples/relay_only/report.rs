//! What came of the call.

use std::fmt;

use peerconnection::{
    Error, RTCIceCandidate, RTCIceCandidateType, RTCIceServerTransportProtocol, RTCPeerConnection,
};
use serde::Serialize;

use super::MESSAGES;
use super::leaks::{Leaks, ice_transport};

/// One end of the selected pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// `type`
    #[serde(rename = "type")]
    pub type_: Option<RTCIceCandidateType>,
    /// `address`
    pub address: Option<String>,
    /// `port`
    pub port: Option<u16>,
    /// `relayProtocol`, of the local one.
    pub relay_protocol: Option<RTCIceServerTransportProtocol>,
    /// `url`, of the local one.
    pub url: Option<String>,
}

impl From<&RTCIceCandidate> for Address {
    fn from(candidate: &RTCIceCandidate) -> Self {
        Self {
            type_: candidate.type_(),
            address: candidate.address().map(str::to_owned),
            port: candidate.port(),
            relay_protocol: candidate.relay_protocol(),
            url: candidate.url().map(str::to_owned),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address.as_deref().unwrap_or("address unknown");
        write!(f, "{address} port {}", self.port.unwrap_or_default())?;
        if let Some(type_) = self.type_ {
            write!(f, ", {type_}")?;
        }
        if let (Some(protocol), Some(url)) = (self.relay_protocol, &self.url) {
            write!(f, " over {protocol} of {url}")?;
        }
        Ok(())
    }
}

/// One of the two peers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct End {
    /// The selected pair: its own end and the other.
    pub pair: Option<[Address; 2]>,
    /// What servers refused.
    pub errors: Vec<String>,
    /// Addresses other than those of its relays that it shows, or that the other has learnt.
    pub leaks: Vec<String>,
    /// How many candidates were looked at for that, in candidates, descriptions and statistics.
    pub candidates: usize,
}

impl End {
    /// Reads all of this but the errors from the connections.
    pub(super) async fn look(
        &mut self,
        own: &RTCPeerConnection,
        other: &RTCPeerConnection,
    ) -> Result<(), Error> {
        let mut leaks = Leaks::of(own, other);
        leaks.look_at_statistics(&own.get_stats(None).await?, true);
        leaks.look_at_statistics(&other.get_stats(None).await?, false);
        let pair = ice_transport(own).and_then(|ice| ice.get_selected_candidate_pair());
        self.pair = pair.map(|pair| [pair.local().into(), pair.remote().into()]);
        (self.leaks, self.candidates) = (leaks.found, leaks.candidates);
        Ok(())
    }

    fn is_success(&self) -> bool {
        let relay = Some(RTCIceCandidateType::Relay);
        let is_relayed = self.pair.as_ref().is_some_and(|[local, _]| local.type_ == relay);
        is_relayed && self.leaks.is_empty() && self.candidates > 0
    }
}

/// What got through.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Throughput {
    /// Bytes of messages that arrived.
    pub bytes: u64,
    /// In this time.
    pub seconds: f64,
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.bytes as f64 / 1e6;
        write!(
            f,
            "{megabytes:.1} MB in {:.1} s: {:.1} MB/s",
            self.seconds,
            megabytes / self.seconds
        )
    }
}

/// What came of the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The caller.
    pub pc1: End,
    /// The callee.
    pub pc2: End,
    /// Messages that came back.
    pub echoed: usize,
    /// From the caller to the callee, if it was measured.
    pub throughput: Option<Throughput>,
}

impl crate::samples::Report for Report {
    fn is_success(&self) -> bool {
        self.pc1.is_success()
            && self.pc2.is_success()
            && self.echoed == MESSAGES
            && self.throughput.is_none_or(|throughput| throughput.bytes > 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, end) in [("pc1", &self.pc1), ("pc2", &self.pc2)] {
            match &end.pair {
                Some([local, remote]) => {
                    writeln!(f, "{name} is at   {local}")?;
                    writeln!(f, "    sends to {remote}")?;
                }
                None => writeln!(f, "{name} is not connected")?,
            }
            end.errors.iter().try_for_each(|error| writeln!(f, "    {error}"))?;
            match end.leaks.len() {
                0 if end.candidates == 0 => writeln!(f, "    shows no address")?,
                0 => writeln!(f, "    shows relayed addresses alone ({} places)", end.candidates)?,
                _ => end.leaks.iter().try_for_each(|leak| writeln!(f, "    SHOWS {leak}"))?,
            }
        }
        writeln!(f, "messages    {} of {MESSAGES} came back", self.echoed)?;
        if let Some(throughput) = self.throughput {
            writeln!(f, "throughput  {throughput}")?;
        }
        Ok(())
    }
}
