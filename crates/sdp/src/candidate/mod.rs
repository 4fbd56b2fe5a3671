use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::Error;
use crate::grammar::{is_token, is_word, number};
use crate::limits::MAX_LINE_LENGTH;

/// One ICE candidate: the `candidate-attribute` of RFC 8839 §5.1 with the TCP extension of
/// RFC 6544 §4.5, as it stands in `RTCIceCandidateInit.candidate` (webrtc-pc §4.8.1.1) and behind
/// `a=` in a description.
///
/// Reading and writing changes no byte of a line that follows the grammar, except that numbers lose
/// leading zeros.
///
/// ```
/// use peerconnection_sdp::{Candidate, CandidateKind};
///
/// let text = "candidate:1 1 udp 2113937151 a3c8.local 40288 typ host generation 0 ufrag b2eZ";
/// let candidate: Candidate = text.parse()?;
/// assert_eq!(candidate.kind, CandidateKind::Host);
/// assert_eq!((candidate.address.as_str(), candidate.port), ("a3c8.local", 40288));
/// assert_eq!(candidate.username_fragment.as_deref(), Some("b2eZ"));
/// assert_eq!(candidate.extension("generation"), Some("0"));
/// assert_eq!(candidate.to_string(), text);
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Groups candidates of one type, base and server; 1 to 32 characters.
    pub foundation: String,
    /// 1 for RTP and everything multiplexed with it, 2 for RTCP; 1 to 256.
    pub component: u16,
    /// `udp`, `tcp` or an extension, in the case it was written in.
    pub transport: String,
    /// RFC 8445 §5.1.2.
    pub priority: u32,
    /// An IP address or a host name, such as the `.local` names of mDNS.
    pub address: String,
    /// The port; 9 for an active TCP candidate.
    pub port: u16,
    /// What follows `typ`.
    pub kind: CandidateKind,
    /// What follows `raddr`: the address the candidate is derived from.
    pub related_address: Option<String>,
    /// What follows `rport`: the port the candidate is derived from.
    pub related_port: Option<u16>,
    /// What follows `tcptype`.
    pub tcp_type: Option<TcpType>,
    /// What follows `ufrag`: the generation of ICE credentials the candidate belongs to.
    pub username_fragment: Option<String>,
    /// The extensions, names and values, in their order.
    ///
    /// `tcptype` is written before them, and `ufrag` behind them. Where a line had one elsewhere,
    /// an entry of that name marks the place, and the field's value is written there.
    pub extensions: Vec<(String, String)>,
}

/// The type of a candidate (RFC 8839 §5.1, `candidate-types`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// An address of the host itself.
    Host,
    /// Server reflexive: the host's address as a STUN server sees it.
    Srflx,
    /// Peer reflexive: the host's address as the peer sees it.
    Prflx,
    /// An address of a TURN server.
    Relay,
    /// A type this crate does not know, as written.
    Other(String),
}

impl CandidateKind {
    /// The word in the candidate line.
    pub fn as_str(&self) -> &str {
        match self {
            CandidateKind::Host => "host",
            CandidateKind::Srflx => "srflx",
            CandidateKind::Prflx => "prflx",
            CandidateKind::Relay => "relay",
            CandidateKind::Other(kind) => kind,
        }
    }
}

impl fmt::Display for CandidateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for CandidateKind {
    fn from(kind: &str) -> CandidateKind {
        match kind {
            "host" => CandidateKind::Host,
            "srflx" => CandidateKind::Srflx,
            "prflx" => CandidateKind::Prflx,
            "relay" => CandidateKind::Relay,
            other => CandidateKind::Other(other.to_owned()),
        }
    }
}

/// Who opens the connection of a TCP candidate (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// The candidate's owner connects.
    Active,
    /// The candidate's owner listens.
    Passive,
    /// Both connect at the same time.
    So,
}

impl TcpType {
    /// The word in the candidate line.
    pub fn as_str(self) -> &'static str {
        match self {
            TcpType::Active => "active",
            TcpType::Passive => "passive",
            TcpType::So => "so",
        }
    }

    fn from_word(word: &str) -> Option<TcpType> {
        [TcpType::Active, TcpType::Passive, TcpType::So]
            .into_iter()
            .find(|tcp_type| tcp_type.as_str() == word)
    }
}

impl fmt::Display for TcpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TcpType {
    type Err = Error;

    fn from_str(word: &str) -> Result<TcpType, Error> {
        TcpType::from_word(word)
            .ok_or_else(|| Error::new("the TCP type is not active, passive or so"))
    }
}

const TCP_TYPE: &str = "tcptype";
const USERNAME_FRAGMENT: &str = "ufrag";

impl Candidate {
    /// A candidate without related address and extensions.
    pub fn new(
        foundation: &str,
        component: u16,
        transport: &str,
        priority: u32,
        address: &str,
        port: u16,
        kind: CandidateKind,
    ) -> Candidate {
        Candidate {
            foundation: foundation.to_owned(),
            component,
            transport: transport.to_owned(),
            priority,
            address: address.to_owned(),
            port,
            kind,
            related_address: None,
            related_port: None,
            tcp_type: None,
            username_fragment: None,
            extensions: Vec::new(),
        }
    }

    /// Reads a candidate, with or without `a=` and with or without `candidate:` before it.
    ///
    /// # Errors
    /// If the text is not a `candidate-attribute`. Unknown transports, types and extensions are no
    /// errors.
    pub fn parse(text: &str) -> Result<Candidate, Error> {
        Candidate::read(text, is_address)
    }

    /// Checks a line of a description. RFC 8839 §5.1 ignores a candidate whose address is not
    /// recognized, so that is no error there.
    pub(crate) fn check(text: &str) -> Result<(), Error> {
        Candidate::read(text, is_word).map(|_| ())
    }

    fn read(text: &str, is_address: fn(&str) -> bool) -> Result<Candidate, Error> {
        let address = |text, message| match is_address(text) {
            true => Ok(text),
            false => Err(Error::new(message)),
        };
        if text.len() > MAX_LINE_LENGTH {
            return Err(Error::new("the candidate is too long"));
        }
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = text.strip_prefix("a=").unwrap_or(text);
        let text = text.strip_prefix("candidate:").unwrap_or(text);
        if text.contains(char::is_control) {
            return Err(Error::new("a candidate cannot contain control characters"));
        }

        let mut fields = text.split(' ').peekable();
        let mut next = || fields.next().unwrap_or_default();
        // RFC 8839 §5.1 has `ice-char` here; others are harmless in a name that is only compared.
        let foundation = next();
        if !is_word(foundation) || foundation.len() > 32 {
            return Err(Error::new("the foundation is not a word of 1 to 32 characters"));
        }
        let component = number(next())
            .filter(|component| (1..=256).contains(component))
            .ok_or_else(|| Error::new("the component is not a number from 1 to 256"))?;
        let transport = next();
        if !is_token(transport) {
            return Err(Error::new("the transport is not a token"));
        }
        let priority = number(next())
            .ok_or_else(|| Error::new("the priority is not a number of at most 32 bits"))?;
        let host = address(next(), "the address is neither an IP address nor a name")?;
        let port =
            number(next()).ok_or_else(|| Error::new("the port is not a number up to 65535"))?;
        if next() != "typ" {
            return Err(Error::new("typ is missing behind the port"));
        }
        let kind = next();
        if !is_token(kind) {
            return Err(Error::new("the type is not a token"));
        }

        let mut candidate = Candidate::new(
            foundation,
            component,
            transport,
            priority,
            host,
            port,
            CandidateKind::from(kind),
        );
        if fields.next_if_eq(&"raddr").is_some() {
            let message = "the related address is neither an IP address nor a name";
            candidate.related_address =
                Some(address(fields.next().unwrap_or_default(), message)?.to_owned());
        }
        if fields.next_if_eq(&"rport").is_some() {
            let port = number(fields.next().unwrap_or_default())
                .ok_or_else(|| Error::new("the related port is not a number up to 65535"))?;
            candidate.related_port = Some(port);
        }
        while let Some(name) = fields.next() {
            match fields.next() {
                // RFC 8839 §5.1: the value may be empty, the name may not.
                Some(value) if !name.is_empty() => {
                    candidate.extensions.push((name.to_owned(), value.to_owned()));
                }
                None if name.is_empty() => {}
                _ => return Err(Error::new("an extension is not a name with a value")),
            }
        }
        candidate.take_known_extensions();
        // An application may keep many candidates for long.
        candidate.extensions.shrink_to_fit();
        Ok(candidate)
    }

    /// Moves `tcptype` and `ufrag` into their fields. The entry stays and marks the place, unless
    /// it would be written there anyway.
    fn take_known_extensions(&mut self) {
        self.tcp_type = self.extension_in_list(TCP_TYPE).and_then(TcpType::from_word);
        self.username_fragment = self.extension_in_list(USERNAME_FRAGMENT).map(str::to_owned);
        let occurrences =
            |list: &[(String, String)], of| list.iter().filter(|(name, _)| name == of).count();
        if self.extensions.last().is_some_and(|(name, _)| name == USERNAME_FRAGMENT)
            && occurrences(&self.extensions, USERNAME_FRAGMENT) == 1
        {
            self.extensions.pop();
        }
        if self.tcp_type.is_some()
            && self.extensions.first().is_some_and(|(name, _)| name == TCP_TYPE)
            && occurrences(&self.extensions, TCP_TYPE) == 1
        {
            self.extensions.remove(0);
        }
    }

    fn extension_in_list(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of the extension `name`, `tcptype` and `ufrag` included.
    pub fn extension(&self, name: &str) -> Option<&str> {
        match name {
            TCP_TYPE if self.tcp_type.is_some() => self.tcp_type.map(TcpType::as_str),
            USERNAME_FRAGMENT => self.username_fragment.as_deref(),
            _ => self.extension_in_list(name),
        }
    }

    /// Whether the transport is UDP.
    pub fn is_udp(&self) -> bool {
        self.transport.eq_ignore_ascii_case("udp")
    }

    /// Whether the transport is TCP.
    pub fn is_tcp(&self) -> bool {
        self.transport.eq_ignore_ascii_case("tcp")
    }

    /// The address, unless it is a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }
}

/// RFC 8866 §9, `connection-address` without multicast: an IP address or a name of at most 255
/// characters.
fn is_address(text: &str) -> bool {
    let is_name = || {
        (1..=255).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    text.parse::<IpAddr>().is_ok() || is_name()
}

impl FromStr for Candidate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Candidate, Error> {
        Candidate::parse(text)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Candidate { foundation, component, transport, priority, address, port, kind, .. } =
            self;
        write!(
            f,
            "candidate:{foundation} {component} {transport} {priority} {address} {port} typ {kind}"
        )?;
        if let Some(address) = &self.related_address {
            write!(f, " raddr {address}")?;
        }
        if let Some(port) = self.related_port {
            write!(f, " rport {port}")?;
        }
        let mut tcp_type = self.tcp_type.map(TcpType::as_str);
        let mut username_fragment = self.username_fragment.as_deref();
        let tcp_type_place = self.extension_in_list(TCP_TYPE);
        // A mark whose field was cleared since is not written; a `tcptype` this crate does not
        // know never had a field.
        let tcp_type_cleared =
            tcp_type.is_none() && tcp_type_place.is_some_and(|v| TcpType::from_word(v).is_some());
        let username_fragment_cleared = username_fragment.is_none();
        if tcp_type_place.is_none()
            && let Some(value) = tcp_type.take()
        {
            write!(f, " {TCP_TYPE} {value}")?;
        }
        for (name, value) in &self.extensions {
            let value = match name.as_str() {
                TCP_TYPE if tcp_type_cleared => continue,
                USERNAME_FRAGMENT if username_fragment_cleared => continue,
                TCP_TYPE => tcp_type.take().unwrap_or(value),
                USERNAME_FRAGMENT => username_fragment.take().unwrap_or(value),
                _ => value,
            };
            write!(f, " {name} {value}")?;
        }
        match username_fragment {
            Some(value) => write!(f, " {USERNAME_FRAGMENT} {value}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
