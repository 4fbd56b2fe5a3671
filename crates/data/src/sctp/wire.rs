//! SCTP packets as bytes (RFC 9260 §3, RFC 3758 §3, RFC 6525 §4, RFC 8260 §2, RFC 9653 §4).

/// An INIT or INIT ACK chunk without its header and parameters.
const INIT_FIXED: usize = 16;
/// Source port, destination port, verification tag, checksum.
pub(super) const COMMON_HEADER: usize = 12;
/// Type, flags, length.
pub(super) const CHUNK_HEADER: usize = 4;
/// Type and length of a parameter or an error cause.
pub(super) const PARAMETER_HEADER: usize = 4;
/// A DATA chunk without its payload.
pub(super) const DATA_HEADER: usize = 16;
/// An I-DATA chunk without its payload.
pub(super) const I_DATA_HEADER: usize = 20;

pub(super) const DATA: u8 = 0;
pub(super) const INIT: u8 = 1;
pub(super) const INIT_ACK: u8 = 2;
pub(super) const SACK: u8 = 3;
pub(super) const HEARTBEAT: u8 = 4;
pub(super) const HEARTBEAT_ACK: u8 = 5;
pub(super) const ABORT: u8 = 6;
pub(super) const SHUTDOWN: u8 = 7;
pub(super) const SHUTDOWN_ACK: u8 = 8;
pub(super) const ERROR: u8 = 9;
pub(super) const COOKIE_ECHO: u8 = 10;
pub(super) const COOKIE_ACK: u8 = 11;
pub(super) const SHUTDOWN_COMPLETE: u8 = 14;
pub(super) const I_DATA: u8 = 64;
pub(super) const RE_CONFIG: u8 = 130;
pub(super) const FORWARD_TSN: u8 = 192;
pub(super) const I_FORWARD_TSN: u8 = 194;

/// RFC 9260 §3.2: what to do with an unknown chunk, to go on behind it and to report it.
pub(super) const SKIP_CHUNK: u8 = 0x80;
pub(super) const REPORT_CHUNK: u8 = 0x40;

/// The last fragment of a message.
pub(super) const FLAG_END: u8 = 1;
/// The first fragment of a message.
pub(super) const FLAG_BEGIN: u8 = 2;
/// The message is not ordered.
pub(super) const FLAG_UNORDERED: u8 = 4;
/// The sender wishes an acknowledgement at once (RFC 9260 §3.3.1).
pub(super) const FLAG_IMMEDIATE: u8 = 8;
/// The verification tag is the receiver's own (RFC 9260 §3.3.7).
pub(super) const FLAG_TAG_REFLECTED: u8 = 1;

/// RFC 9260 §3.2.1: the same for an unknown parameter.
const SKIP_PARAMETER: u16 = 0x8000;
const REPORT_PARAMETER: u16 = 0x4000;

const PARAM_IPV4: u16 = 5;
const PARAM_IPV6: u16 = 6;
pub(super) const PARAM_COOKIE: u16 = 7;
pub(super) const PARAM_UNRECOGNIZED: u16 = 8;
const PARAM_COOKIE_PRESERVATIVE: u16 = 9;
const PARAM_HOST_NAME: u16 = 11;
const PARAM_ADDRESS_TYPES: u16 = 12;
pub(super) const PARAM_ZERO_CHECKSUM: u16 = 0x8001;
pub(super) const PARAM_SUPPORTED_EXTENSIONS: u16 = 0x8008;
pub(super) const PARAM_FORWARD_TSN: u16 = 0xc000;
pub(super) const PARAM_RESET_OUTGOING: u16 = 13;
pub(super) const PARAM_RESET_INCOMING: u16 = 14;
pub(super) const PARAM_RESET_TSN: u16 = 15;
pub(super) const PARAM_RESPONSE: u16 = 16;
pub(super) const PARAM_ADD_OUTGOING: u16 = 17;
pub(super) const PARAM_ADD_INCOMING: u16 = 18;

/// The error detection method of SCTP over DTLS (RFC 9653 §4).
pub(super) const DETECTED_BY_DTLS: u32 = 1;

pub(super) const CAUSE_INVALID_STREAM: u16 = 1;
pub(super) const CAUSE_OUT_OF_RESOURCE: u16 = 4;
pub(super) const CAUSE_UNRECOGNIZED_CHUNK: u16 = 6;
pub(super) const CAUSE_UNRECOGNIZED_PARAMETERS: u16 = 8;
pub(super) const CAUSE_USER_INITIATED_ABORT: u16 = 12;
pub(super) const CAUSE_PROTOCOL_VIOLATION: u16 = 13;

/// `length` with the padding that follows it.
pub(super) fn padded(length: usize) -> usize {
    length.div_ceil(4) * 4
}

/// Reads big-endian fields; after the end everything is `None`.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let (&bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(bytes))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (&bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(bytes))
    }

    /// A type-length-value of 16 bits each, where the length counts its own four bytes; the last
    /// one may lack its padding.
    fn tlv(&mut self) -> Option<(u16, &'a [u8])> {
        let kind = self.u16()?;
        let length = usize::from(self.u16()?).checked_sub(4)?;
        let value = self.take(length)?;
        let padding = padded(length) - length;
        self.0 = self.0.get(padding..).unwrap_or_default();
        Some((kind, value))
    }
}

/// A packet whose header and checksum are good.
#[derive(Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) tag: u32,
    chunks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet. With `accepts_zero` a checksum of zero counts as good: this side has said so,
    /// and DTLS has protected the packet (RFC 9653 §5.3).
    pub(super) fn read(bytes: &'a [u8], accepts_zero: bool) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (source_port, destination_port) = (reader.u16()?, reader.u16()?);
        let (tag, checksum) = (reader.u32()?, reader.u32()?);
        let packet = Self { source_port, destination_port, tag, chunks: reader.0 };
        // RFC 9653 §5.2: INIT and COOKIE ECHO never come with zero. Each is the first of its packet.
        if checksum == 0 && accepts_zero && !matches!(reader.0.first(), Some(&(INIT | COOKIE_ECHO)))
        {
            return Some(packet);
        }
        let crc = crc32c::crc32c(bytes.get(..8)?);
        let crc = crc32c::crc32c_append(crc, &[0; 4]);
        let crc = crc32c::crc32c_append(crc, reader.0);
        // RFC 9260 Appendix A: the CRC travels with its least significant byte first.
        (crc.swap_bytes() == checksum).then_some(packet)
    }

    pub(super) fn chunks(&self) -> Chunks<'a> {
        Chunks(Reader(self.chunks))
    }
}

/// One chunk.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) value: &'a [u8],
}

impl Chunk<'_> {
    /// The chunk as it came, without padding.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        tlv(u16::from_be_bytes([self.kind, self.flags]), self.value)
    }
}

fn tlv(head: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(CHUNK_HEADER + value.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(CHUNK_HEADER + value.len());
    bytes.extend_from_slice(&head.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

/// The chunks of a packet, up to the first that is cut off.
pub(super) struct Chunks<'a>(pub(super) Reader<'a>);

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (head, value) = self.0.tlv()?;
        let [kind, flags] = head.to_be_bytes();
        Some(Chunk { kind, flags, value })
    }
}

/// The parameters of a chunk, up to the first that is cut off.
pub(super) struct Parameters<'a>(pub(super) Reader<'a>);

impl<'a> Iterator for Parameters<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.tlv()
    }
}

/// What a side can do, by its INIT or INIT ACK.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) forward_tsn: bool,
    pub(super) re_config: bool,
    pub(super) i_data: bool,
    pub(super) i_forward_tsn: bool,
    /// It takes packets without a checksum, since DTLS protects them (RFC 9653 §4).
    pub(super) zero_checksum: bool,
}

impl Extensions {
    /// For the cookie.
    pub(super) fn to_bits(self) -> u8 {
        let Self { forward_tsn, re_config, i_data, i_forward_tsn, zero_checksum } = self;
        let all = [forward_tsn, re_config, i_data, i_forward_tsn, zero_checksum];
        all.into_iter().rev().fold(0, |bits, bit| bits << 1 | u8::from(bit))
    }

    pub(super) fn from_bits(bits: u8) -> Self {
        let bit = |number: u32| bits & (1 << number) != 0;
        Self {
            forward_tsn: bit(0),
            re_config: bit(1),
            i_data: bit(2),
            i_forward_tsn: bit(3),
            zero_checksum: bit(4),
        }
    }

    /// The chunk types of RFC 5061 §4.2.7.
    fn add(&mut self, chunks: &[u8]) {
        self.forward_tsn |= chunks.contains(&FORWARD_TSN);
        self.re_config |= chunks.contains(&RE_CONFIG);
        self.i_data |= chunks.contains(&I_DATA);
        self.i_forward_tsn |= chunks.contains(&I_FORWARD_TSN);
    }
}

/// An INIT or INIT ACK chunk (RFC 9260 §3.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Init<'a> {
    pub(super) tag: u32,
    pub(super) window: u32,
    pub(super) outbound: u16,
    pub(super) inbound: u16,
    pub(super) tsn: u32,
    pub(super) extensions: Extensions,
    pub(super) cookie: Option<&'a [u8]>,
}

impl<'a> Init<'a> {
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(value);
        let mut init = Self {
            tag: reader.u32()?,
            window: reader.u32()?,
            outbound: reader.u16()?,
            inbound: reader.u16()?,
            tsn: reader.u32()?,
            extensions: Extensions::default(),
            cookie: None,
        };
        for (kind, value) in Parameters(reader) {
            match kind {
                PARAM_COOKIE => init.cookie = Some(value),
                PARAM_FORWARD_TSN => init.extensions.forward_tsn = true,
                PARAM_SUPPORTED_EXTENSIONS => init.extensions.add(value),
                PARAM_ZERO_CHECKSUM => {
                    init.extensions.zero_checksum |= value == DETECTED_BY_DTLS.to_be_bytes();
                }
                // RFC 9260 §3.2.1: the highest bit says whether to go on after an unknown one.
                _ if !is_known_of_init(kind) && kind & SKIP_PARAMETER == 0 => break,
                _ => {}
            }
        }
        // RFC 9260 §3.3.2: a tag and streams are not zero, a window not below 1500.
        let usable =
            init.tag != 0 && init.outbound != 0 && init.inbound != 0 && init.window >= 1500;
        usable.then_some(init)
    }
}

fn is_known_of_init(kind: u16) -> bool {
    const KNOWN: [u16; 10] = [
        PARAM_IPV4,
        PARAM_IPV6,
        PARAM_COOKIE,
        PARAM_UNRECOGNIZED,
        PARAM_COOKIE_PRESERVATIVE,
        PARAM_HOST_NAME,
        PARAM_ADDRESS_TYPES,
        PARAM_ZERO_CHECKSUM,
        PARAM_SUPPORTED_EXTENSIONS,
        PARAM_FORWARD_TSN,
    ];
    KNOWN.contains(&kind)
}

/// The parameters of an INIT or INIT ACK that are to be reported (RFC 9260 §3.2.1, §3.2.2), as
/// they came.
pub(super) fn unrecognized(value: &[u8]) -> Vec<Vec<u8>> {
    let Some(parameters) = value.get(INIT_FIXED..) else { return Vec::new() };
    let mut reported = Vec::new();
    for (kind, value) in Parameters(Reader(parameters)) {
        if is_known_of_init(kind) {
            continue;
        }
        if kind & REPORT_PARAMETER != 0 {
            reported.push(tlv(kind, value));
        }
        if kind & SKIP_PARAMETER == 0 {
            break;
        }
    }
    reported
}

/// Writes one packet.
pub(super) struct Writer<'a> {
    buffer: &'a mut Vec<u8>,
    chunk: usize,
}

impl<'a> Writer<'a> {
    /// Starts a packet in `buffer`, replacing what it held.
    pub(super) fn new(
        buffer: &'a mut Vec<u8>,
        source_port: u16,
        destination_port: u16,
        tag: u32,
    ) -> Self {
        buffer.clear();
        buffer.extend_from_slice(&source_port.to_be_bytes());
        buffer.extend_from_slice(&destination_port.to_be_bytes());
        buffer.extend_from_slice(&tag.to_be_bytes());
        buffer.extend_from_slice(&[0; 4]);
        Self { buffer, chunk: 0 }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == COMMON_HEADER
    }

    pub(super) fn begin(&mut self, kind: u8, flags: u8) {
        self.chunk = self.buffer.len();
        self.buffer.extend_from_slice(&[kind, flags, 0, 0]);
    }

    pub(super) fn end(&mut self) {
        let length = self.buffer.len() - self.chunk;
        self.patch_length(self.chunk + 2, length);
        self.pad();
    }

    pub(super) fn chunk(&mut self, kind: u8, flags: u8, value: &[u8]) {
        self.begin(kind, flags);
        self.bytes(value);
        self.end();
    }

    pub(super) fn parameter(&mut self, kind: u16, value: impl FnOnce(&mut Self)) {
        // Parameters before the last are padded (RFC 9260 §3.2.1).
        self.pad();
        let start = self.buffer.len();
        self.u16(kind);
        self.u16(0);
        value(self);
        let length = self.buffer.len() - start;
        self.patch_length(start + 2, length);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.buffer.extend_from_slice(value);
    }

    fn pad(&mut self) {
        let length = padded(self.buffer.len());
        self.buffer.resize(length, 0);
    }

    fn patch_length(&mut self, at: usize, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        if let Some(field) = self.buffer.get_mut(at..at + 2) {
            field.copy_from_slice(&length);
        }
    }

    /// Fills in the checksum.
    pub(super) fn finish(self) {
        let crc = crc32c::crc32c(self.buffer).to_le_bytes();
        if let Some(field) = self.buffer.get_mut(8..COMMON_HEADER) {
            field.copy_from_slice(&crc);
        }
    }

    /// Leaves the checksum zero: the peer takes it (RFC 9653 §5.2).
    pub(super) fn finish_with_zero(self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer, 5000, 6000, 7);
        writer.chunk(COOKIE_ECHO, 0, b"cookie");
        writer.begin(INIT, 0);
        for value in [9, 2000] {
            writer.u32(value);
        }
        writer.u16(10);
        writer.u16(11);
        writer.u32(12);
        writer.parameter(PARAM_SUPPORTED_EXTENSIONS, |w| w.bytes(&[FORWARD_TSN, RE_CONFIG]));
        writer.parameter(PARAM_ZERO_CHECKSUM, |w| w.u32(DETECTED_BY_DTLS));
        writer.parameter(PARAM_COOKIE, |w| w.bytes(b"x"));
        writer.end();
        writer.finish();

        let packet = Packet::read(&buffer, true).unwrap();
        assert_eq!((packet.source_port, packet.destination_port, packet.tag), (5000, 6000, 7));
        let chunks: Vec<_> = packet.chunks().collect();
        assert_eq!(chunks.len(), 2);
        assert_eq!((chunks[0].kind, chunks[0].value), (COOKIE_ECHO, b"cookie".as_slice()));
        assert_eq!(
            Init::read(chunks[1].value),
            Some(Init {
                tag: 9,
                window: 2000,
                outbound: 10,
                inbound: 11,
                tsn: 12,
                extensions: Extensions {
                    forward_tsn: true,
                    re_config: true,
                    zero_checksum: true,
                    ..Extensions::default()
                },
                cookie: Some(b"x"),
            })
        );
    }

    #[test]
    fn a_flipped_bit_makes_no_packet() {
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer, 1, 2, 3);
        writer.chunk(COOKIE_ACK, 0, &[]);
        writer.finish();
        assert!(Packet::read(&buffer, true).is_some());
        for bit in 0..buffer.len() * 8 {
            let mut bad = buffer.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Packet::read(&bad, true).is_none(), "bit {bit}");
        }
    }

    /// RFC 9653 §5.2, §5.3.
    #[test]
    fn zero_is_a_checksum_where_it_was_agreed_and_never_that_of_a_handshake() {
        for (kind, accepted) in [
            (COOKIE_ACK, true),
            (DATA, true),
            (INIT_ACK, true),
            (INIT, false),
            (COOKIE_ECHO, false),
        ] {
            let mut buffer = Vec::new();
            let mut writer = Writer::new(&mut buffer, 1, 2, 3);
            writer.chunk(kind, 0, b"what it says");
            writer.finish_with_zero();
            assert_eq!(Packet::read(&buffer, true).is_some(), accepted, "{kind}");
            assert!(Packet::read(&buffer, false).is_none(), "{kind}");
        }
    }

    #[test]
    fn what_a_cookie_says_of_extensions_is_what_was_put_in() {
        for bits in 0..1 << 5 {
            assert_eq!(Extensions::from_bits(bits).to_bits(), bits);
        }
        let one = Extensions { i_data: true, ..Extensions::default() };
        assert_eq!(Extensions::from_bits(one.to_bits()), one);
    }

    #[test]
    fn chunks_that_are_cut_off_end_the_packet() {
        assert_eq!(Chunks(Reader(&[0, 0, 0])).count(), 0);
        // A length below its own header, and one beyond the packet.
        assert_eq!(Chunks(Reader(&[0, 0, 0, 3, 0, 0, 0, 0])).count(), 0);
        assert_eq!(Chunks(Reader(&[0, 0, 0, 9, 1, 2, 3, 4])).count(), 0);
        // The padding of the last chunk may be missing.
        assert_eq!(Chunks(Reader(&[11, 0, 0, 5, 1])).count(), 1);
    }
}
