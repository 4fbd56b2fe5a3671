//! The sample "Trickle ICE": which candidates a configuration gives on this machine, and when.
//!
//! The page guesses from the kinds of candidates what is wrong with a server. Here the servers'
//! errors say it.

use std::fmt;
use std::time::Instant;

use peerconnection::{
    AnyEvent, Error, MediaKind, RTCIceCandidate, RTCIceCandidateType, RTCIceComponent,
    RTCIceGatheringState, RTCIceProtocol, RTCIceServerTransportProtocol, RTCIceTcpCandidateType,
    RTCPeerConnection, RTCPeerConnectionIceErrorEventInit,
};
use serde::Serialize;

/// A candidate, and when it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Seconds since gathering began.
    pub seconds: f64,
    /// The members of the candidate.
    pub component: Option<RTCIceComponent>,
    /// `type`
    #[serde(rename = "type")]
    pub type_: Option<RTCIceCandidateType>,
    /// `foundation`
    pub foundation: Option<String>,
    /// `protocol`
    pub protocol: Option<RTCIceProtocol>,
    /// `tcpType`
    pub tcp_type: Option<RTCIceTcpCandidateType>,
    /// `address`
    pub address: Option<String>,
    /// `port`
    pub port: Option<u16>,
    /// `priority`, taken apart.
    pub priority: Option<Priority>,
    /// `sdpMid`
    pub sdp_mid: Option<String>,
    /// `sdpMLineIndex`
    #[serde(rename = "sdpMLineIndex")]
    pub sdp_mline_index: Option<u16>,
    /// `usernameFragment`
    pub username_fragment: Option<String>,
    /// `url`
    pub url: Option<String>,
    /// `relayProtocol`
    pub relay_protocol: Option<RTCIceServerTransportProtocol>,
}

/// The parts of a priority: RFC 8445 §5.1.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Priority {
    /// The kind of the candidate, 126 for a host candidate.
    pub type_preference: u32,
    /// Its place among those of its kind.
    pub local_preference: u32,
    /// 256 less its component: 255 for the first.
    pub component: u32,
}

impl From<u32> for Priority {
    fn from(priority: u32) -> Self {
        Self {
            type_preference: priority >> 24,
            local_preference: (priority >> 8) & 0xffff,
            component: priority & 0xff,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {}", self.type_preference, self.local_preference, self.component)
    }
}

impl Found {
    fn new(seconds: f64, candidate: &RTCIceCandidate) -> Self {
        let owned = |member: Option<&str>| member.map(str::to_owned);
        Self {
            seconds,
            component: candidate.component(),
            type_: candidate.type_(),
            foundation: owned(candidate.foundation()),
            protocol: candidate.protocol(),
            tcp_type: candidate.tcp_type(),
            address: owned(candidate.address()),
            port: candidate.port(),
            priority: candidate.priority().map(Priority::from),
            sdp_mid: owned(candidate.sdp_mid()),
            sdp_mline_index: candidate.sdp_mline_index(),
            username_fragment: owned(candidate.username_fragment()),
            url: owned(candidate.url()),
            relay_protocol: candidate.relay_protocol(),
        }
    }

    /// The title of the columns.
    pub fn header() -> String {
        columns(
            "time",
            [
                "comp",
                "type",
                "foundation",
                "prot",
                "address",
                "port",
                "priority",
                "mid/m",
                "ufrag",
                "url (relay protocol)",
            ],
        )
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = format!("{}/{}", text(&self.sdp_mid), text(&self.sdp_mline_index));
        let mut protocol = text(&self.protocol);
        if let Some(tcp_type) = self.tcp_type {
            protocol += &format!(" {tcp_type}");
        }
        let mut url = self.url.clone().unwrap_or_default();
        if let Some(protocol) = self.relay_protocol {
            url += &format!(" ({protocol})");
        }
        let cells = [
            text(&self.component),
            text(&self.type_),
            text(&self.foundation),
            protocol,
            text(&self.address),
            text(&self.port),
            text(&self.priority),
            section,
            text(&self.username_fragment),
            url,
        ];
        f.write_str(&columns(&format!("{:.3}", self.seconds), cells.each_ref().map(String::as_str)))
    }
}

fn text(member: &Option<impl fmt::Display>) -> String {
    member.as_ref().map_or("-".to_owned(), ToString::to_string)
}

fn columns(time: &str, cells: [&str; 10]) -> String {
    let [component, type_, foundation, protocol, address, port, priority, section, ufrag, url] =
        cells;
    let line = format!(
        "{time:>7} {component:<4} {type_:<5} {foundation:<10} {protocol:<11} {address:<26} \
         {port:<5} {priority:<17} {section:<5} {ufrag:<8} {url}"
    );
    line.trim_end().to_owned()
}

/// What a server has given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its URL.
    pub url: String,
    /// How many candidates.
    pub candidates: usize,
    /// How many of them are relayed.
    pub relayed: usize,
    /// The codes of its errors.
    pub errors: Vec<u16>,
}

impl Server {
    /// A TURN server that refuses to relay may still say what address it sees.
    fn is_success(&self) -> bool {
        let wanted = if self.is_turn() { self.relayed } else { self.candidates };
        wanted > 0 || self.errors.is_empty()
    }

    fn is_turn(&self) -> bool {
        self.url.starts_with("turn")
    }
}

/// Everything that was gathered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// In the order in which they came.
    pub candidates: Vec<Found>,
    /// When gathering was complete, in seconds since it began.
    pub done: f64,
    /// `icecandidateerror`, in the order of the events.
    pub errors: Vec<RTCPeerConnectionIceErrorEventInit>,
    /// The servers of the configuration, in its order.
    pub servers: Vec<Server>,
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        !self.candidates.is_empty() && self.servers.iter().all(Server::is_success)
    }

    fn failure(&self) -> &'static str {
        if self.candidates.is_empty() { "there is no candidate" } else { "a server gives nothing" }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.servers.is_empty() {
            return f.write_str("no server was asked");
        }
        for error in &self.errors {
            let RTCPeerConnectionIceErrorEventInit { url, error_code, error_text, .. } = error;
            let asked = match (&error.address, error.port) {
                (Some(address), Some(port)) => format!("asked from {address} port {port}"),
                _ => "address and port null".to_owned(),
            };
            writeln!(f, "{url}: {error_code} {error_text} ({asked})")?;
        }
        for server in &self.servers {
            let Server { url, candidates, .. } = server;
            match (candidates, server.is_success()) {
                (0, true) => {
                    writeln!(f, "{url}: nothing, and no error: nothing new, or not asked")?
                }
                (0, false) => writeln!(f, "{url}: nothing")?,
                (_, false) => writeln!(f, "{url}: nothing relayed")?,
                (1, _) => writeln!(f, "{url}: 1 candidate")?,
                _ => writeln!(f, "{url}: {candidates} candidates")?,
            }
        }
        Ok(())
    }
}

/// Gathers for a section of audio, as the page does, shows each line as it comes, and closes the
/// connection. `clock` tells the time.
///
/// # Errors
/// What a call on the connection was refused with.
pub async fn run(
    pc: RTCPeerConnection,
    clock: impl Fn() -> Instant,
    show: impl Fn(&str),
) -> Result<Report, Error> {
    let mut events = pc.events();
    pc.add_transceiver(MediaKind::Audio, None)?;
    let offer = pc.create_offer(None).await?;
    let begin = clock();
    let seconds = || clock().saturating_duration_since(begin).as_secs_f64();
    let mut report = Report::default();
    show(&Found::header());
    pc.set_local_description(offer).await?;
    while let Some(event) = events.next().await {
        match event {
            // The empty one ends the candidates of the section.
            Ok(AnyEvent::IceCandidate(Some(candidate))) if !candidate.candidate().is_empty() => {
                let found = Found::new(seconds(), &candidate);
                show(&found.to_string());
                report.candidates.push(found);
            }
            Ok(AnyEvent::IceCandidateError(error)) => report.errors.push(error),
            Ok(AnyEvent::IceGatheringStateChange(RTCIceGatheringState::Complete)) => break,
            _ => {}
        }
    }
    report.done = seconds();
    show(&format!("{:>7.3} done", report.done));
    let configuration = pc.get_configuration();
    pc.close();
    for url in configuration.ice_servers.into_iter().flat_map(|server| server.urls) {
        let given = report.candidates.iter().filter(|found| found.url.as_ref() == Some(&url));
        let is_relayed = |found: &&Found| found.type_ == Some(RTCIceCandidateType::Relay);
        let relayed = given.clone().filter(is_relayed).count();
        let errors = report.errors.iter().filter(|error| error.url == url);
        let (candidates, errors) = (given.count(), errors.map(|error| error.error_code).collect());
        report.servers.push(Server { url, candidates, relayed, errors });
    }
    Ok(report)
}
