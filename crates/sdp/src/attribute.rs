//! The grammar of the attributes that RFC 9429 §5.8.1 and §5.8.2 give a meaning.

use std::str::FromStr;

use crate::grammar::{is_ice_text, is_token, number};
use crate::media::{Use, sctpmap_port};
use crate::{
    Candidate, Error, ExtMap, Fingerprint, Fmtp, Msid, RtcpFb, RtpMap, Setup, Simulcast, Ssrc,
    SsrcGroup,
};

/// Checks an attribute of a media section, or of the session if there is no `section`. Attributes
/// that are unknown, or that mean nothing there, may have any value (RFC 8866 §5.13).
pub(crate) fn check(section: Option<Use>, name: &str, value: &str) -> Result<(), Error> {
    match (name, section) {
        ("ice-ufrag", _) => ice_credential(value, 4..=256, "ice-ufrag"),
        ("ice-pwd", _) => ice_credential(value, 22..=256, "ice-pwd"),
        ("fingerprint", _) => is_a::<Fingerprint>(value),
        ("setup", _) => is_a::<Setup>(value),
        ("group", None) => {
            let semantics = value.split(' ').next().unwrap_or_default();
            require(is_token(semantics), "the semantics of a group is not a token")
        }
        ("mid", Some(_)) => require(is_token(value), "the mid is not a token"),
        ("candidate", Some(_)) => Candidate::check(value),
        (_, Some(Use::Rtp)) => check_rtp(name, value),
        (_, Some(Use::DataChannel)) => check_data_channel(name, value),
        _ => Ok(()),
    }
}

fn check_rtp(name: &str, value: &str) -> Result<(), Error> {
    match name {
        "rtpmap" => is_a::<RtpMap>(value),
        "fmtp" => is_a::<Fmtp>(value),
        "rtcp-fb" => is_a::<RtcpFb>(value),
        "extmap" => is_a::<ExtMap>(value),
        "msid" => is_a::<Msid>(value),
        "ssrc" => is_a::<Ssrc>(value),
        "ssrc-group" => is_a::<SsrcGroup>(value),
        "simulcast" => is_a::<Simulcast>(value),
        _ => Ok(()),
    }
}

fn check_data_channel(name: &str, value: &str) -> Result<(), Error> {
    match name {
        "sctp-port" => {
            require(number::<u16>(value).is_some(), "the SCTP port is not a number up to 65535")
        }
        "max-message-size" => require(
            number::<u64>(value).is_some(),
            "the greatest message size is not a number of at most 64 bits",
        ),
        "sctpmap" => {
            require(sctpmap_port(value).is_some(), "the SCTP port is not a number up to 65535")
        }
        _ => Ok(()),
    }
}

fn is_a<T: FromStr<Err = Error>>(value: &str) -> Result<(), Error> {
    value.parse::<T>().map(|_| ())
}

fn require(holds: bool, message: &'static str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::new(message)) }
}

/// RFC 8839 §5.4
fn ice_credential(
    value: &str,
    length: std::ops::RangeInclusive<usize>,
    name: &str,
) -> Result<(), Error> {
    if !is_ice_text(value) {
        return Err(Error::new(format!("{name} is not letters, digits, + and /")));
    }
    if !length.contains(&value.len()) {
        let (least, most) = length.into_inner();
        return Err(Error::new(format!("{name} is not of {least} to {most} characters")));
    }
    Ok(())
}
