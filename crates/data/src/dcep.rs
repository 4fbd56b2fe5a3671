//! The Data Channel Establishment Protocol (RFC 8832 §5).

use bytes::Bytes;

use crate::channel::{ChannelConfig, Reliability};

/// Payload protocol identifier of DCEP (RFC 8831 §8).
pub(crate) const PPID_DCEP: u32 = 50;
/// A string, complete (RFC 8831 §8).
pub(crate) const PPID_STRING: u32 = 51;
/// Binary data, complete.
pub(crate) const PPID_BINARY: u32 = 53;
/// An empty string: SCTP has no empty messages, so it carries one byte to be ignored.
pub(crate) const PPID_STRING_EMPTY: u32 = 56;
/// Empty binary data, likewise.
pub(crate) const PPID_BINARY_EMPTY: u32 = 57;

const MESSAGE_ACK: u8 = 0x02;
const MESSAGE_OPEN: u8 = 0x03;
/// The bit of a channel type that says "unordered" (RFC 8832 §8.2.2).
const UNORDERED: u8 = 0x80;
const TYPE_RELIABLE: u8 = 0x00;
const TYPE_REXMIT: u8 = 0x01;
const TYPE_TIMED: u8 = 0x02;
const OPEN_HEADER: usize = 12;

/// A DCEP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// DATA_CHANNEL_OPEN (RFC 8832 §5.1).
    Open(ChannelConfig),
    /// DATA_CHANNEL_ACK (RFC 8832 §5.2).
    Ack,
}

impl Message {
    /// Reads a message; `None` is garbage, to be ignored.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        match *data.first()? {
            MESSAGE_ACK => Some(Self::Ack),
            MESSAGE_OPEN => {
                let (header, rest) = data.split_at_checked(OPEN_HEADER)?;
                let &[_, kind, p0, p1, r0, r1, r2, r3, l0, l1, o0, o1] = header else {
                    return None;
                };
                let parameter = u32::from_be_bytes([r0, r1, r2, r3]);
                // Larger values than the W3C's unsigned short mean no tighter limit to us.
                let limit = u16::try_from(parameter).unwrap_or(u16::MAX);
                let reliability = match kind & !UNORDERED {
                    TYPE_RELIABLE => Reliability::Reliable,
                    TYPE_REXMIT => Reliability::MaxRetransmits(limit),
                    TYPE_TIMED => Reliability::MaxPacketLifeTime(limit),
                    _ => return None,
                };
                let (label, rest) =
                    rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
                let (protocol, _) =
                    rest.split_at_checked(usize::from(u16::from_be_bytes([o0, o1])))?;
                Some(Self::Open(ChannelConfig {
                    label: String::from_utf8_lossy(label).into_owned(),
                    protocol: String::from_utf8_lossy(protocol).into_owned(),
                    ordered: kind & UNORDERED == 0,
                    reliability,
                    negotiated: false,
                    priority: u16::from_be_bytes([p0, p1]),
                }))
            }
            _ => None,
        }
    }

    /// Writes the message. Label and protocol of an OPEN have at most 65535 bytes each, which
    /// [`ChannelConfig::validate`] checked.
    pub(crate) fn write(&self) -> Bytes {
        let config = match self {
            Self::Ack => return Bytes::from_static(&[MESSAGE_ACK]),
            Self::Open(config) => config,
        };
        let (kind, parameter) = match config.reliability {
            Reliability::Reliable => (TYPE_RELIABLE, 0),
            Reliability::MaxRetransmits(n) => (TYPE_REXMIT, n),
            Reliability::MaxPacketLifeTime(ms) => (TYPE_TIMED, ms),
        };
        let kind = if config.ordered { kind } else { kind | UNORDERED };
        let length = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut data = Vec::with_capacity(OPEN_HEADER + config.label.len() + config.protocol.len());
        data.extend_from_slice(&[MESSAGE_OPEN, kind]);
        data.extend_from_slice(&config.priority.to_be_bytes());
        data.extend_from_slice(&u32::from(parameter).to_be_bytes());
        data.extend_from_slice(&length(&config.label));
        data.extend_from_slice(&length(&config.protocol));
        data.extend_from_slice(config.label.as_bytes());
        data.extend_from_slice(config.protocol.as_bytes());
        data.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_is_written_as_rfc_8832_draws_it() {
        let open = Message::Open(ChannelConfig {
            label: "chat".to_owned(),
            protocol: "p".to_owned(),
            ordered: false,
            reliability: Reliability::MaxPacketLifeTime(500),
            negotiated: false,
            priority: 256,
        });
        let bytes = open.write();
        assert_eq!(
            bytes.as_ref(),
            [0x03, 0x82, 0x01, 0x00, 0, 0, 0x01, 0xf4, 0, 4, 0, 1, b'c', b'h', b'a', b't', b'p']
        );
        assert_eq!(Message::read(&bytes), Some(open));
    }

    #[test]
    fn garbage_is_no_message() {
        assert_eq!(Message::read(&[]), None);
        assert_eq!(Message::read(&[0x07]), None);
        assert_eq!(Message::read(&[MESSAGE_OPEN, 0, 0]), None);
        // The label is longer than the message.
        assert_eq!(Message::read(&[0x03, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, b'x']), None);
        // No such channel type.
        assert_eq!(Message::read(&[0x03, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Message::read(&[MESSAGE_ACK]), Some(Message::Ack));
    }
}
