use std::fmt;
use std::str::FromStr;

use super::Direction;
use crate::Error;
use crate::grammar::{is_word, number, payload_type};

/// A codec and its payload type: `a=rtpmap` (RFC 8866 §6.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload_type: u8,
    /// The name of the codec, such as `opus`; compared without case.
    pub encoding_name: String,
    /// In hertz.
    pub clock_rate: u32,
    /// Audio channels; one if absent.
    pub channels: Option<u32>,
}

impl FromStr for RtpMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<RtpMap, Error> {
        let (format, encoding) =
            text.split_once(' ').ok_or_else(|| Error::new("the rtpmap has no encoding"))?;
        let payload_type = payload_type(format)
            .ok_or_else(|| Error::new("the payload type is not a number up to 127"))?;
        let mut parts = encoding.trim_matches(' ').splitn(3, '/');
        let encoding_name = parts.next().unwrap_or_default();
        if !is_word(encoding_name) {
            return Err(Error::new("the rtpmap has no encoding name"));
        }
        let clock_rate = number(parts.next().unwrap_or_default())
            .ok_or_else(|| Error::new("the clock rate is not a number of at most 32 bits"))?;
        let channels = match parts.next() {
            Some(channels) => Some(number(channels).ok_or_else(|| {
                Error::new("the number of channels is not a number of at most 32 bits")
            })?),
            None => None,
        };
        Ok(RtpMap { payload_type, encoding_name: encoding_name.to_owned(), clock_rate, channels })
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding_name, self.clock_rate)?;
        match self.channels {
            Some(channels) => write!(f, "/{channels}"),
            None => Ok(()),
        }
    }
}

/// The parameters of a payload type: `a=fmtp` (RFC 8866 §6.15).
///
/// ```
/// use peerconnection_sdp::Fmtp;
///
/// let fmtp: Fmtp = "111 minptime=10; useinbandfec=1".parse()?;
/// assert_eq!(fmtp.get("useinbandfec"), Some("1"));
/// assert_eq!(fmtp.to_string(), "111 minptime=10; useinbandfec=1");
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fmtp {
    /// 0 to 127.
    pub payload_type: u8,
    /// Everything behind the payload type, as written. Most codecs separate `name=value` by `;`,
    /// some (`red`, `telephone-event`) have a form of their own.
    pub parameters: String,
}

impl Fmtp {
    /// The parameters separated by `;`: names with values, or without (`None`).
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.parameters.split(';').map(str::trim).filter(|parameter| !parameter.is_empty()).map(
            |parameter| match parameter.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
                None => (parameter, None),
            },
        )
    }

    /// The value of the parameter `name`, compared without case; `""` if it has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }
}

impl FromStr for Fmtp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Fmtp, Error> {
        let (format, parameters) = text.split_once(' ').unwrap_or((text, ""));
        let payload_type = payload_type(format)
            .ok_or_else(|| Error::new("the payload type is not a number up to 127"))?;
        Ok(Fmtp { payload_type, parameters: parameters.to_owned() })
    }
}

impl fmt::Display for Fmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.payload_type)?;
        if self.parameters.is_empty() { Ok(()) } else { write!(f, " {}", self.parameters) }
    }
}

/// A kind of RTCP feedback: `a=rtcp-fb` (RFC 4585 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtcpFb {
    /// 0 to 127; `None` for all (`*`).
    pub payload_type: Option<u8>,
    /// The first word, such as `nack`.
    pub kind: String,
    /// Everything behind the first word, such as `pli`.
    pub parameter: Option<String>,
}

impl FromStr for RtcpFb {
    type Err = Error;

    fn from_str(text: &str) -> Result<RtcpFb, Error> {
        let (format, feedback) =
            text.split_once(' ').ok_or_else(|| Error::new("the rtcp-fb names no feedback"))?;
        let payload_type = match format {
            "*" => None,
            format => Some(
                payload_type(format)
                    .ok_or_else(|| Error::new("the payload type is not a number up to 127 or *"))?,
            ),
        };
        let (kind, parameter) = match feedback.split_once(' ') {
            Some((kind, parameter)) => (kind, Some(parameter.to_owned())),
            None => (feedback, None),
        };
        if !is_word(kind) {
            return Err(Error::new("the rtcp-fb names no feedback"));
        }
        Ok(RtcpFb { payload_type, kind: kind.to_owned(), parameter })
    }
}

impl fmt::Display for RtcpFb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(f, "{payload_type} {}", self.kind)?,
            None => write!(f, "* {}", self.kind)?,
        }
        match &self.parameter {
            Some(parameter) => write!(f, " {parameter}"),
            None => Ok(()),
        }
    }
}

/// An RTP header extension and its id: `a=extmap` (RFC 8285 §8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtMap {
    /// 1 to 14 with one-byte headers, 1 to 255 with two-byte headers; greater ones (4096 to 4351)
    /// only ask for an id.
    pub id: u16,
    /// The direction the extension is used in, if it is not that of the section.
    pub direction: Option<Direction>,
    /// What the extension is.
    pub uri: String,
    /// Everything behind the URI.
    pub attributes: Option<String>,
}

impl FromStr for ExtMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<ExtMap, Error> {
        let (id, rest) = text.split_once(' ').ok_or_else(|| Error::new("the extmap has no URI"))?;
        let (id, direction) = match id.split_once('/') {
            Some((id, direction)) => (id, Some(direction.parse()?)),
            None => (id, None),
        };
        let id = number(id)
            .filter(|id| *id != 0)
            .ok_or_else(|| Error::new("the extmap id is not a number from 1 to 65535"))?;
        let (uri, attributes) = match rest.split_once(' ') {
            Some((uri, attributes)) => (uri, Some(attributes.to_owned())),
            None => (rest, None),
        };
        if !is_word(uri) {
            return Err(Error::new("the extmap has no URI"));
        }
        Ok(ExtMap { id, direction, uri: uri.to_owned(), attributes })
    }
}

impl fmt::Display for ExtMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(direction) = self.direction {
            write!(f, "/{direction}")?;
        }
        write!(f, " {}", self.uri)?;
        match &self.attributes {
            Some(attributes) => write!(f, " {attributes}"),
            None => Ok(()),
        }
    }
}
