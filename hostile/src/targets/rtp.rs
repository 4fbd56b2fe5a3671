//! RTP packets (RFC 3550 §5) and their header extensions (RFC 8285).

use media::rtp::Packet;

/// Reads a packet and everything in it.
pub fn packet(octets: &[u8]) {
    let Ok(packet) = Packet::parse(octets) else { return };
    let elements: usize = packet.extensions().map(|element| element.data.len()).sum();
    let extension = packet.extension().map_or(0, |(_, octets)| octets.len());
    let parts = packet.payload().len() + usize::from(packet.padding()) + packet.csrcs().len() * 4;
    assert!(elements <= extension && parts + extension <= octets.len());
    assert!(packet.payload_type() < 128);
}

/// Packets with CSRCs, with both forms of extensions, with padding, with nothing.
pub fn packets() -> Vec<Vec<u8>> {
    let header =
        |first: u8, second: u8| vec![first, second, 0x12, 0x34, 0, 0, 1, 0, 0xca, 0xfe, 0xba, 0xbe];
    let with = |first, second, more: &[u8]| [&header(first, second), more].concat();
    vec![
        with(0x80, 96, b"payload"),
        with(0x82, 0xe0, &[0, 0, 0, 1, 0, 0, 0, 2, 9, 9]),
        with(0x90, 96, b"\xbe\xde\x00\x02\x10a\x22mid\x00\x00payload"),
        with(0x90, 97, b"\x10\x00\x00\x02\x01\x01a\x02\x03mid\x00\x00\x00payload"),
        with(0xa0, 96, &[7, 7, 7, 0, 0, 3]),
        header(0x80, 111),
    ]
}
