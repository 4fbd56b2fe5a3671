//! Opus in Ogg (RFC 7845): a packet with the header, one with comments, then the sound.

use std::io::{self, Read, Seek, Write};

use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
use peerconnection::payload::opus::{self, CLOCK_RATE};

/// What the identification header says (RFC 7845 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1 or 2 with the mapping of WebRTC, family 0.
    pub channels: u8,
    /// How many samples at 48 kHz a player leaves out at the beginning.
    pub pre_skip: u16,
    /// The rate of the sound before it was encoded, in hertz; for information.
    pub input_sample_rate: u32,
}

/// What libopus, the encoder of browsers, adds in front: 6.5 ms.
const PRE_SKIP: u16 = 312;
/// The stream's number in the file; there is only one.
const SERIAL: u32 = 1;
/// A page for each second of sound.
const PAGE: u64 = CLOCK_RATE as u64;
/// Gaps of up to a minute are filled; what is longer is no loss but another beginning.
const LONGEST_GAP: u32 = 60 * CLOCK_RATE;

/// Writes a file.
pub struct Writer<W: Write> {
    output: PacketWriter<'static, W>,
    /// The packet that came last. It is written when the next one comes, since the last packet of a
    /// file says so.
    held: Option<Vec<u8>>,
    /// When the next packet would follow without a gap.
    expected: Option<u32>,
    /// How long the sound is, with the packet that is held, in samples at 48 kHz.
    granule: u64,
    /// How long it is up to the last page.
    page: u64,
}

impl<W: Write> Writer<W> {
    /// Writes both headers. `channels` is 1 or 2.
    ///
    /// # Errors
    /// Those of the output.
    pub fn new(output: W, channels: u8) -> io::Result<Self> {
        let mut output = PacketWriter::new(output);
        let mut head = b"OpusHead\x01".to_vec();
        head.push(channels);
        head.extend(PRE_SKIP.to_le_bytes());
        head.extend(CLOCK_RATE.to_le_bytes());
        // No gain, and the mapping of one or two channels.
        head.extend([0, 0, 0]);
        output.write_packet(head, SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        let vendor = b"peerconnection";
        let mut tags = b"OpusTags".to_vec();
        tags.extend(14_u32.to_le_bytes());
        tags.extend_from_slice(vendor);
        tags.extend(0_u32.to_le_bytes());
        output.write_packet(tags, SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        Ok(Self { output, held: None, expected: None, granule: 0, page: 0 })
    }

    /// Writes a packet with its RTP timestamp. If packets are missing in front of it, empty ones
    /// take their place, for which a player makes up sound (RFC 7845 §4.1). What is no packet of
    /// Opus is left out.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(&mut self, timestamp: u32, packet: &[u8]) -> io::Result<()> {
        let (Some(duration), [toc, ..]) = (opus::duration(packet), packet) else { return Ok(()) };
        let gap = self.expected.map_or(0, |expected| timestamp.wrapping_sub(expected));
        // Code 0 with nothing behind it: one frame that did not come (RFC 6716 §3.2.1).
        let missing = [toc & !3];
        let frame = opus::duration(&missing).unwrap_or(duration);
        if gap <= LONGEST_GAP {
            for _ in 0..gap / frame {
                self.push(&missing, frame)?;
            }
        }
        self.push(packet, duration)?;
        self.expected = Some(timestamp.wrapping_add(duration));
        Ok(())
    }

    fn push(&mut self, packet: &[u8], duration: u32) -> io::Result<()> {
        if let Some(held) = self.held.replace(packet.to_vec()) {
            let ends = self.granule - self.page >= PAGE;
            let end = if ends {
                self.page = self.granule;
                PacketWriteEndInfo::EndPage
            } else {
                PacketWriteEndInfo::NormalPacket
            };
            self.output.write_packet(held, SERIAL, end, self.granule)?;
        }
        self.granule += u64::from(duration);
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        if let Some(held) = self.held.take() {
            let end = PacketWriteEndInfo::EndStream;
            self.output.write_packet(held, SERIAL, end, self.granule)?;
        }
        let mut output = self.output.into_inner();
        output.flush()?;
        Ok(output)
    }
}

/// Reads a file with one stream of Opus.
pub struct Reader<R: Read + Seek> {
    input: PacketReader<R>,
    header: Header,
    serial: u32,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads both headers.
    ///
    /// # Errors
    /// Those of the input, and `InvalidData` for what is no Ogg, or another codec.
    pub fn new(input: R) -> io::Result<Self> {
        let mut input = PacketReader::new(input);
        let head = input.read_packet().map_err(error)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let serial = head.stream_serial();
        let header = parse(&head.data).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "no Opus, or with other channels than two")
        })?;
        let mut reader = Self { input, header, serial };
        // Comments, whatever they are.
        reader.read_any()?;
        Ok(reader)
    }

    /// What the header says.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The next packet; `None` at the end. It says itself how [long](opus::duration) it is. What
    /// is no packet of Opus is left out.
    ///
    /// # Errors
    /// Those of the input, and `InvalidData` where the file is damaged.
    pub fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.read_any()? {
                Some(packet) if opus::duration(&packet).is_none() => {}
                packet => return Ok(packet),
            }
        }
    }

    fn read_any(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(packet) = self.input.read_packet().map_err(error)? {
            if packet.stream_serial() == self.serial {
                return Ok(Some(packet.data));
            }
        }
        Ok(None)
    }
}

/// Reads the identification header. `None` for other codecs, versions and mappings.
fn parse(head: &[u8]) -> Option<Header> {
    let (fixed, _) = head.strip_prefix(b"OpusHead")?.split_first_chunk::<11>()?;
    let [version, channels, p0, p1, r0, r1, r2, r3, _, _, family] = *fixed;
    let is_known = version >> 4 == 0 && family == 0 && (1..=2).contains(&channels);
    is_known.then_some(Header {
        channels,
        pre_skip: u16::from_le_bytes([p0, p1]),
        input_sample_rate: u32::from_le_bytes([r0, r1, r2, r3]),
    })
}

fn error(error: ogg::OggReadError) -> io::Error {
    match error {
        ogg::OggReadError::ReadError(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}
