//! Values of attributes as types. Each reads the text behind the attribute's name with `FromStr`
//! and writes it with `Display`.

mod direction;
mod fingerprint;
mod origin;
mod rid;
mod rtp;
mod sctp_init;
mod source;

pub use direction::{Direction, Setup};
pub use fingerprint::Fingerprint;
pub use origin::{IceParameters, Origin};
pub use rid::{Rid, RidDirection, Simulcast, SimulcastId};
pub use rtp::{ExtMap, Fmtp, RtcpFb, RtpMap};
pub use sctp_init::SctpInit;
pub use source::{Msid, Ssrc, SsrcGroup};

use webrtc_sdp::SdpType;
use webrtc_sdp::attribute_type::{SdpAttribute, parse_attribute};

use crate::Error;

/// The value of one attribute as `webrtc-sdp` reads it. It costs several copies, which do not
/// matter for an attribute that a section has once. Attributes that a section has dozens of, and
/// attributes that `webrtc-sdp` gets wrong, are read here.
fn read_by_webrtc_sdp(name: &str, value: &str) -> Result<SdpAttribute, Error> {
    match parse_attribute(&format!("{name}:{value}")) {
        Ok(SdpType::Attribute(attribute)) => Ok(attribute),
        Ok(_) => Err(Error::new("not an attribute")),
        Err(error) => Err(Error::new(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
