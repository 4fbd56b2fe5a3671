use std::fmt;
use std::str::FromStr;

use webrtc_sdp::attribute_type::SdpAttribute;

use super::read_by_webrtc_sdp;
use crate::Error;
use crate::grammar::{is_token, number};

/// The stream a track is in: `a=msid` (RFC 8830 §2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Msid {
    /// The id of the stream, or `-` if the track is in none.
    pub identifier: String,
    /// The id of the track; RFC 9429 §5.2.1 gives it no meaning.
    pub appdata: Option<String>,
}

impl Msid {
    /// The id of the stream; `None` if the track is in none (RFC 9429 §5.2.1).
    pub fn stream(&self) -> Option<&str> {
        Some(self.identifier.as_str()).filter(|id| *id != "-")
    }
}

impl FromStr for Msid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Msid, Error> {
        match read_by_webrtc_sdp("msid", text)? {
            SdpAttribute::Msid(msid) => Ok(Msid { identifier: msid.id, appdata: msid.appdata }),
            _ => Err(Error::new("not an msid")),
        }
    }
}

impl fmt::Display for Msid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.identifier)?;
        match &self.appdata {
            Some(appdata) => write!(f, " {appdata}"),
            None => Ok(()),
        }
    }
}

/// An attribute of one RTP source: `a=ssrc` (RFC 5576 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ssrc {
    /// The SSRC.
    pub id: u32,
    /// The name of the attribute, such as `cname`.
    pub attribute: String,
    /// The value of the attribute.
    pub value: Option<String>,
}

impl FromStr for Ssrc {
    type Err = Error;

    fn from_str(text: &str) -> Result<Ssrc, Error> {
        let (id, attribute) =
            text.split_once(' ').ok_or_else(|| Error::new("the ssrc has no attribute"))?;
        let id = number(id).ok_or_else(|| Error::new("the SSRC is not a number of 32 bits"))?;
        let (attribute, value) = match attribute.split_once(':') {
            Some((attribute, value)) => (attribute, Some(value.to_owned())),
            None => (attribute, None),
        };
        if !is_token(attribute) {
            return Err(Error::new("the name of the ssrc's attribute is not a token"));
        }
        Ok(Ssrc { id, attribute: attribute.to_owned(), value })
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.attribute)?;
        match &self.value {
            Some(value) => write!(f, ":{value}"),
            None => Ok(()),
        }
    }
}

/// RTP sources that belong together: `a=ssrc-group` (RFC 5576 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsrcGroup {
    /// What unites them, such as `FID`.
    pub semantics: String,
    /// The sources, in an order that has a meaning.
    pub ssrcs: Vec<u32>,
}

impl FromStr for SsrcGroup {
    type Err = Error;

    fn from_str(text: &str) -> Result<SsrcGroup, Error> {
        let mut words = text.split(' ');
        let semantics = words.next().unwrap_or_default();
        if !is_token(semantics) {
            return Err(Error::new("the ssrc-group has no semantics"));
        }
        let ssrcs = words.map(number).collect::<Option<Vec<u32>>>();
        let ssrcs = ssrcs.ok_or_else(|| Error::new("the ssrc-group has an SSRC of no 32 bits"))?;
        Ok(SsrcGroup { semantics: semantics.to_owned(), ssrcs })
    }
}

impl fmt::Display for SsrcGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semantics)?;
        self.ssrcs.iter().try_for_each(|ssrc| write!(f, " {ssrc}"))
    }
}
