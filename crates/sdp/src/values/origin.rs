use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::grammar::saturating_number;

/// The `o=` line (RFC 8866 §5.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `-` in what WebRTC writes.
    pub username: String,
    /// The same in all descriptions of a connection; below 2⁶³ in what WebRTC writes (RFC 9429
    /// §5.2.1). `u64::MAX` stands for anything greater that was read.
    pub session_id: u64,
    /// Grows with each new description; see `session_id` for the range.
    pub session_version: u64,
    /// `IN`.
    pub network_type: String,
    /// `IP4` or `IP6`.
    pub address_type: String,
    /// It has no meaning in WebRTC.
    pub address: String,
}

impl Origin {
    /// `- session_id session_version IN IP4 127.0.0.1`, what browsers write.
    pub fn new(session_id: u64, session_version: u64) -> Origin {
        Origin {
            username: "-".to_owned(),
            session_id,
            session_version,
            network_type: "IN".to_owned(),
            address_type: "IP4".to_owned(),
            address: "127.0.0.1".to_owned(),
        }
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Origin, Error> {
        let fields: Vec<&str> = text.split(' ').collect();
        let &[username, session_id, session_version, network_type, address_type, address] =
            fields.as_slice()
        else {
            return Err(Error::new("the origin does not have six fields"));
        };
        if fields.iter().any(|field| field.is_empty()) {
            return Err(Error::new("a field of the origin is empty"));
        }
        let session_id = saturating_number(session_id)
            .ok_or_else(|| Error::new("the session id is not a number"))?;
        let session_version = saturating_number(session_version)
            .ok_or_else(|| Error::new("the session version is not a number"))?;
        Ok(Origin {
            username: username.to_owned(),
            session_id,
            session_version,
            network_type: network_type.to_owned(),
            address_type: address_type.to_owned(),
            address: address.to_owned(),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { username, session_id, session_version, network_type, address_type, address } =
            self;
        write!(
            f,
            "{username} {session_id} {session_version} {network_type} {address_type} {address}"
        )
    }
}

/// The credentials of one ICE generation: `a=ice-ufrag` and `a=ice-pwd` (RFC 8839 §5.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IceParameters {
    /// 4 to 256 characters.
    pub username_fragment: String,
    /// 22 to 256 characters.
    pub password: String,
}
