//! Messages: RFC 1035 §4.1, RFC 6762 §18.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use time::Duration;

use crate::name;

const A: u16 = 1;
const AAAA: u16 = 28;
const NSEC: u16 = 47;
/// A question for all types, or of all classes: RFC 1035 §3.2.3, §3.2.5.
const ANY: u16 = 255;
const IN: u16 = 1;
/// In a record, the cache-flush bit: RFC 6762 §10.2.
const CACHE_FLUSH: u16 = 0x8000;
/// In a question, the bit that asks for a unicast response: RFC 6762 §5.4.
const UNICAST: u16 = 0x8000;
/// Where the first name of a message is: what comes behind can point there.
const TO_FIRST_NAME: [u8; 2] = [0xc0, 12];
/// QR and the opcode; the response code.
const RESPONSE: u16 = 0x8000;
/// AA, which every response has (RFC 6762 §18.4).
const AUTHORITATIVE: u16 = 0x0400;
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
    #[error("it is no query")]
    NoQuery,
    #[error("it is malformed")]
    Malformed,
    #[error("it has too many records")]
    TooMany,
}

/// How many entries each section of a message has.
struct Counts {
    questions: usize,
    answers: usize,
    authorities: usize,
    additional: usize,
}

/// The flags and the counts: RFC 1035 §4.1.1.
fn header(message: &[u8]) -> Result<(u16, Counts), Unread> {
    let field = |at| u16_at(message, at).ok_or(Unread::Malformed);
    let count = |at| field(at).map(usize::from);
    let counts = Counts {
        questions: count(4)?,
        answers: count(6)?,
        authorities: count(8)?,
        additional: count(10)?,
    };
    Ok((field(2)?, counts))
}

impl Counts {
    fn check(&self) -> Result<(), Unread> {
        let all = self.questions + self.answers + self.authorities + self.additional;
        if all > ENTRIES { Err(Unread::TooMany) } else { Ok(()) }
    }
}

/// Whether a message is a response: of what is neither that nor a query, nothing is read.
pub(crate) fn is_response(message: &[u8]) -> bool {
    u16_at(message, 2).is_some_and(|flags| flags & RESPONSE != 0)
}

/// Calls `on_address` with the address records of a response, in order. Those of other records
/// that are malformed further back are told too: a name that cannot be read costs the rest alone.
pub(crate) fn read_response(
    message: &[u8],
    mut on_address: impl FnMut(Record),
) -> Result<(), Unread> {
    let (flags, counts) = header(message)?;
    // §18.3 and §18.11: other opcodes and response codes are ignored.
    if flags & QR_AND_OPCODE != RESPONSE || flags & RCODE != 0 {
        return Err(Unread::NoResponse);
    }
    counts.check()?;
    let Counts { questions, answers, authorities, additional } = counts;
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

/// A question of class IN, as far as it may be about addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// In lower case, without a dot at the end.
    pub(crate) name: Vec<u8>,
    pub(crate) is_for: QuestionFor,
    /// Whether a unicast response is enough: RFC 6762 §5.4.
    pub(crate) is_unicast: bool,
    kind: u16,
    class: u16,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuestionFor {
    V4,
    V6,
    Any,
    /// Another type of record: no name of ours has one.
    Other,
}

/// Reads a query: the questions, and the addresses that the asker knows already (RFC 6762 §7.1).
/// Returns the id. What is in the authority section of a probe (§8.2) is not read.
pub(crate) fn read_query(
    message: &[u8],
    mut on_question: impl FnMut(Question),
    mut on_known: impl FnMut(Record),
) -> Result<u16, Unread> {
    let (flags, counts) = header(message)?;
    // §18.3 and §18.11: other opcodes and response codes are ignored.
    if flags & QR_AND_OPCODE != 0 || flags & RCODE != 0 {
        return Err(Unread::NoQuery);
    }
    counts.check()?;
    let mut at = 12;
    for _ in 0..counts.questions {
        let (name, end) = name::read(message, at).ok_or(Unread::Malformed)?;
        let kind = u16_at(message, end).ok_or(Unread::Malformed)?;
        let class = u16_at(message, end + 2).ok_or(Unread::Malformed)?;
        at = end + 4;
        if [IN, ANY].contains(&(class & !UNICAST)) {
            let is_for = match kind {
                A => QuestionFor::V4,
                AAAA => QuestionFor::V6,
                ANY => QuestionFor::Any,
                _ => QuestionFor::Other,
            };
            let is_unicast = class & UNICAST != 0;
            on_question(Question { name, is_for, is_unicast, kind, class });
        }
    }
    for _ in 0..counts.answers {
        let (record, end) = read_record(message, at).ok_or(Unread::Malformed)?;
        at = end;
        record.into_iter().for_each(&mut on_known);
    }
    u16_at(message, 0).ok_or(Unread::Malformed)
}

/// The name of an address, as it is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// In lower case.
    pub(crate) name: &'a str,
    pub(crate) address: IpAddr,
}

impl Entry<'_> {
    /// The address, and that there is no other: RFC 6762 §6.1 and §6.2 have one in the answer
    /// section and the other among the additional records.
    pub(crate) fn response(self, absence_first: bool, lifetime: Duration) -> Bytes {
        let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1];
        let mut name = Vec::new();
        name::write(self.name, &mut name);
        if absence_first {
            self.write_absence(&name, lifetime, &mut message);
            self.write_address(&TO_FIRST_NAME, IN | CACHE_FLUSH, lifetime, &mut message);
        } else {
            self.write_address(&name, IN | CACHE_FLUSH, lifetime, &mut message);
            self.write_absence(&TO_FIRST_NAME, lifetime, &mut message);
        }
        message.into()
    }

    /// The name is given up: RFC 6762 §10.1.
    pub(crate) fn goodbye(self) -> Bytes {
        let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let mut name = Vec::new();
        name::write(self.name, &mut name);
        self.write_address(&name, IN | CACHE_FLUSH, Duration::ZERO, &mut message);
        message.into()
    }

    /// RFC 6762 §6.7: for a resolver that knows no multicast DNS. Its id and its question are
    /// repeated, there is no cache-flush bit, and it may keep the answer for `lifetime`.
    pub(crate) fn legacy(self, id: u16, question: &Question, lifetime: Duration) -> Bytes {
        let mut message = id.to_be_bytes().to_vec();
        message.extend((RESPONSE | AUTHORITATIVE).to_be_bytes());
        message.extend([0, 1, 0, 1, 0, 0, 0, 0]);
        name::write(self.name, &mut message);
        message.extend(question.kind.to_be_bytes());
        message.extend((question.class & !UNICAST).to_be_bytes());
        self.write_address(&TO_FIRST_NAME, IN, lifetime, &mut message);
        message.into()
    }

    fn write_address(self, name: &[u8], class: u16, lifetime: Duration, message: &mut Vec<u8>) {
        match self.address {
            IpAddr::V4(ip) => write_record(name, A, class, lifetime, &ip.octets(), message),
            IpAddr::V6(ip) => write_record(name, AAAA, class, lifetime, &ip.octets(), message),
        }
    }

    /// RFC 6762 §6.1: NSEC, in its restricted form. The bitmap has a bit for each type there is.
    fn write_absence(self, name: &[u8], lifetime: Duration, message: &mut Vec<u8>) {
        let bitmap: &[u8] = match self.address {
            IpAddr::V4(_) => &[0, 1, 0x40],
            IpAddr::V6(_) => &[0, 4, 0, 0, 0, 0x08],
        };
        let data = [&TO_FIRST_NAME, bitmap].concat();
        write_record(name, NSEC, IN | CACHE_FLUSH, lifetime, &data, message);
    }
}

fn write_record(
    name: &[u8],
    kind: u16,
    class: u16,
    lifetime: Duration,
    data: &[u8],
    message: &mut Vec<u8>,
) {
    message.extend(name);
    message.extend(kind.to_be_bytes());
    message.extend(class.to_be_bytes());
    message.extend(u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX).to_be_bytes());
    message.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend(data);
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
