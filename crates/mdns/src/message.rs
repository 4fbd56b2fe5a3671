//! Messages: RFC 1035 §4.1, RFC 6762 §18.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use time::Duration;

use crate::name;

const A: u16 = 1;
const AAAA: u16 = 28;
const IN: u16 = 1;
/// In a record, the cache-flush bit: RFC 6762 §10.2.
const CACHE_FLUSH: u16 = 0x8000;
/// QR and the opcode; the response code.
const RESPONSE: u16 = 0x8000;
const QR_AND_OPCODE: u16 = 0xf800;
const RCODE: u16 = 0x000f;
/// Records and questions that are read of one message.
const ENTRIES: usize = 256;

/// A question for the addresses of a name. Id and flags are 0: RFC 6762 §18.1 to §18.11. The bit
/// that asks for a unicast response is not set (§5.4): Chromium gives none.
pub(crate) fn question(name: &str) -> Bytes {
    let mut message = vec![0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    for kind in [A, AAAA] {
        name::write(name, &mut message);
        message.extend(kind.to_be_bytes());
        message.extend(IN.to_be_bytes());
    }
    message.into()
}

/// An address record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// In lower case, without a dot at the end.
    pub(crate) name: Vec<u8>,
    pub(crate) address: IpAddr,
    pub(crate) time_to_live: Duration,
}

/// Why a datagram is not read, or not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    #[error("it is no response")]
    NoResponse,
    #[error("it is malformed")]
    Malformed,
    #[error("it has too many records")]
    TooMany,
}

/// Calls `on_address` with the address records of a response, in order. Those of other records
/// that are malformed further back are told too: a name that cannot be read costs the rest alone.
pub(crate) fn read_response(
    message: &[u8],
    mut on_address: impl FnMut(Record),
) -> Result<(), Unread> {
    let flags = u16_at(message, 2).ok_or(Unread::Malformed)?;
    // §18.3 and §18.11: other opcodes and response codes are ignored.
    if flags & QR_AND_OPCODE != RESPONSE || flags & RCODE != 0 {
        return Err(Unread::NoResponse);
    }
    let count = |at| u16_at(message, at).map(usize::from).ok_or(Unread::Malformed);
    let (questions, answers) = (count(4)?, count(6)?);
    let (authorities, additional) = (count(8)?, count(10)?);
    if questions + answers + authorities + additional > ENTRIES {
        return Err(Unread::TooMany);
    }
    let mut at = 12;
    for _ in 0..questions {
        let (_, end) = name::read(message, at).ok_or(Unread::Malformed)?;
        at = end + 4;
    }
    for index in 0..answers + authorities + additional {
        let (record, end) = read_record(message, at).ok_or(Unread::Malformed)?;
        at = end;
        // What is in the authority section claims a name (§8.2) that another may have.
        let is_claim = (answers..answers + authorities).contains(&index);
        if let Some(record) = record.filter(|_| !is_claim) {
            on_address(record);
        }
    }
    Ok(())
}

/// The record at `at`, if it has an address, and where the next one begins.
fn read_record(message: &[u8], at: usize) -> Option<(Option<Record>, usize)> {
    let (name, at) = name::read(message, at)?;
    let (kind, class) = (u16_at(message, at)?, u16_at(message, at + 2)?);
    let seconds = u32::from_be_bytes(array_at(message, at + 4)?);
    let length = usize::from(u16_at(message, at + 8)?);
    let (start, end) = (at + 10, at + 10 + length);
    let data = message.get(start..end)?;
    let address = match kind {
        A => <[u8; 4]>::try_from(data).ok().map(|octets| Ipv4Addr::from(octets).into()),
        AAAA => <[u8; 16]>::try_from(data).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    };
    let address = address.filter(|_| class & !CACHE_FLUSH == IN);
    let time_to_live = Duration::from_secs(seconds.into());
    Some((address.map(|address| Record { name, address, time_to_live }), end))
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    array_at(message, at).map(u16::from_be_bytes)
}

fn array_at<const N: usize>(message: &[u8], at: usize) -> Option<[u8; N]> {
    message.get(at..at + N)?.try_into().ok()
}
