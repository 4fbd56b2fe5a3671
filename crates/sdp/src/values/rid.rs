use std::fmt;
use std::str::FromStr;

use webrtc_sdp::attribute_type::{SdpAttribute, SdpAttributeSimulcastVersion};

use super::read_by_webrtc_sdp;
use crate::Error;
use crate::grammar::{is_rid_id, is_token, payload_type};

/// The direction of a [`Rid`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RidDirection {
    /// The writer sends the stream.
    Send,
    /// The writer receives the stream.
    Recv,
}

impl RidDirection {
    /// The word in the attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            RidDirection::Send => "send",
            RidDirection::Recv => "recv",
        }
    }
}

impl fmt::Display for RidDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name for one encoding and its limits: `a=rid` (RFC 8851 §10).
///
/// ```
/// use peerconnection_sdp::{Rid, RidDirection};
///
/// let rid: Rid = "q send pt=96,97;max-width=320;max-fps=15".parse()?;
/// assert_eq!((rid.id.as_str(), rid.direction), ("q", RidDirection::Send));
/// assert_eq!(rid.payload_types, [96, 97]);
/// assert_eq!(rid.restriction("max-fps"), Some("15"));
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rid {
    /// Letters, digits, `-` and `_`.
    pub id: String,
    /// Which way the encoding goes.
    pub direction: RidDirection,
    /// The payload types it is limited to (`pt=`), 0 to 127 each; all if empty.
    pub payload_types: Vec<u8>,
    /// Names and values of everything else, in order.
    pub restrictions: Vec<(String, Option<String>)>,
}

impl Rid {
    /// The value of the restriction `name`; `""` if it has none.
    pub fn restriction(&self, name: &str) -> Option<&str> {
        let (_, value) = self.restrictions.iter().find(|(known, _)| known == name)?;
        Some(value.as_deref().unwrap_or_default())
    }
}

impl FromStr for Rid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Rid, Error> {
        let mut fields = text.splitn(3, ' ');
        let id = fields.next().unwrap_or_default();
        if !is_rid_id(id) {
            return Err(Error::new("the rid is not letters, digits, - and _"));
        }
        let direction = match fields.next() {
            Some("send") => RidDirection::Send,
            Some("recv") => RidDirection::Recv,
            _ => return Err(Error::new("the direction of a rid is send or recv")),
        };
        let mut rid = Rid {
            id: id.to_owned(),
            direction,
            payload_types: Vec::new(),
            restrictions: Vec::new(),
        };
        let Some(parameters) = fields.next() else { return Ok(rid) };
        for (index, parameter) in parameters.split(';').enumerate() {
            // RFC 8851 §10: `pt` is the first or not there.
            if index == 0
                && let Some(formats) = parameter.strip_prefix("pt=")
            {
                let formats = formats.split(',').map(payload_type).collect::<Option<_>>();
                rid.payload_types = formats
                    .ok_or_else(|| Error::new("a payload type of a rid is not a number to 127"))?;
                continue;
            }
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (parameter, None),
            };
            if !is_token(name) || name == "pt" {
                return Err(Error::new("a restriction of a rid has no name of its own"));
            }
            rid.restrictions.push((name.to_owned(), value));
        }
        Ok(rid)
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.direction)?;
        let mut separator = ' ';
        if !self.payload_types.is_empty() {
            let formats: Vec<String> = self.payload_types.iter().map(u8::to_string).collect();
            write!(f, " pt={}", formats.join(","))?;
            separator = ';';
        }
        for (name, value) in &self.restrictions {
            write!(f, "{separator}{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
            separator = ';';
        }
        Ok(())
    }
}

/// The encodings of one track: `a=simulcast` (RFC 8853 §5.1).
///
/// Each way has a list of streams. A stream is a list of alternatives.
///
/// ```
/// use peerconnection_sdp::Simulcast;
///
/// let simulcast: Simulcast = "send q;~h,f".parse()?;
/// assert_eq!(simulcast.send.len(), 2);
/// assert_eq!(simulcast.send[1][0].rid, "h");
/// assert!(simulcast.send[1][0].paused);
/// assert!(simulcast.recv.is_empty());
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Simulcast {
    /// What the writer sends.
    pub send: Vec<Vec<SimulcastId>>,
    /// What the writer receives.
    pub recv: Vec<Vec<SimulcastId>>,
}

/// A reference to a [`Rid`] in a [`Simulcast`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimulcastId {
    /// The `id` of the rid.
    pub rid: String,
    /// Whether the stream begins paused (`~`).
    pub paused: bool,
}

impl FromStr for Simulcast {
    type Err = Error;

    fn from_str(text: &str) -> Result<Simulcast, Error> {
        match read_by_webrtc_sdp("simulcast", text)? {
            SdpAttribute::Simulcast(simulcast) => Ok(Simulcast {
                send: simulcast.send.into_iter().map(alternatives).collect::<Result<_, _>>()?,
                recv: simulcast.receive.into_iter().map(alternatives).collect::<Result<_, _>>()?,
            }),
            _ => Err(Error::new("not a simulcast")),
        }
    }
}

fn alternatives(version: SdpAttributeSimulcastVersion) -> Result<Vec<SimulcastId>, Error> {
    let id = |id: webrtc_sdp::attribute_type::SdpAttributeSimulcastId| {
        let (rid, paused) = (id.id, id.paused);
        if is_rid_id(&rid) {
            Ok(SimulcastId { rid, paused })
        } else {
            Err(Error::new("a rid in the simulcast is not letters, digits, - and _"))
        }
    };
    version.ids.into_iter().map(id).collect()
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (direction, streams) in [("send", &self.send), ("recv", &self.recv)] {
            if streams.is_empty() {
                continue;
            }
            write!(f, "{}{direction}", if first { "" } else { " " })?;
            first = false;
            for (index, alternatives) in streams.iter().enumerate() {
                f.write_str(if index == 0 { " " } else { ";" })?;
                for (index, id) in alternatives.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "," };
                    let paused = if id.paused { "~" } else { "" };
                    write!(f, "{separator}{paused}{}", id.rid)?;
                }
            }
        }
        Ok(())
    }
}
