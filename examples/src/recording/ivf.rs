//! IVF: a header of 32 octets, and before each frame its length and its time. All numbers are
//! little-endian. libvpx and libaom write it, and players read it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use peerconnection::payload::MAXIMUM_FRAME;

const SIGNATURE: [u8; 4] = *b"DKIF";
const HEADER: u16 = 32;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The codec: `VP80`, `VP90`, `AV01`, `H264`.
    pub four_cc: [u8; 4],
    /// The width of the first frame, in pixels.
    pub width: u16,
    /// The height of the first frame, in pixels.
    pub height: u16,
    /// Ticks of the frames' times in `scale` seconds; greater than 0.
    pub rate: u32,
    /// Greater than 0.
    pub scale: u32,
}

/// A frame and its time, in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Since the beginning.
    pub timestamp: u64,
    /// As a decoder takes it.
    pub octets: Vec<u8>,
}

/// Writes a file.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    count: u32,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of the output.
    pub fn new(mut output: W, header: Header) -> io::Result<Self> {
        output.write_all(&SIGNATURE)?;
        output.write_all(&0_u16.to_le_bytes())?;
        output.write_all(&HEADER.to_le_bytes())?;
        output.write_all(&header.four_cc)?;
        output.write_all(&header.width.to_le_bytes())?;
        output.write_all(&header.height.to_le_bytes())?;
        output.write_all(&header.rate.to_le_bytes())?;
        output.write_all(&header.scale.to_le_bytes())?;
        // How many frames there are, and a field that has no meaning.
        output.write_all(&[0; 8])?;
        Ok(Self { output, count: 0 })
    }

    /// Writes a frame; `timestamp` is in ticks since the beginning.
    ///
    /// # Errors
    /// Those of the output, and `InvalidInput` for a frame of more than 4 GiB.
    pub fn write(&mut self, timestamp: u64, octets: &[u8]) -> io::Result<()> {
        let length = u32::try_from(octets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.output.write_all(&length.to_le_bytes())?;
        self.output.write_all(&timestamp.to_le_bytes())?;
        self.output.write_all(octets)?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Writes into the header how many frames there are. A file that is not finished can be read
    /// all the same.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.seek(SeekFrom::Start(24))?;
        self.output.write_all(&self.count.to_le_bytes())?;
        self.output.seek(SeekFrom::End(0))?;
        self.output.flush()?;
        Ok(self.output)
    }
}

/// Reads a file.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Those of the input, and `InvalidData` for what is no IVF.
    pub fn new(mut input: R) -> io::Result<Self> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        if array::<4>(&mut input)? != SIGNATURE {
            return Err(invalid("not an IVF file"));
        }
        if u16::from_le_bytes(array(&mut input)?) != 0 {
            return Err(invalid("another version of IVF"));
        }
        let length = u16::from_le_bytes(array(&mut input)?);
        let header = Header {
            four_cc: array(&mut input)?,
            width: u16::from_le_bytes(array(&mut input)?),
            height: u16::from_le_bytes(array(&mut input)?),
            rate: u32::from_le_bytes(array(&mut input)?),
            scale: u32::from_le_bytes(array(&mut input)?),
        };
        array::<8>(&mut input)?;
        let more =
            length.checked_sub(HEADER).ok_or_else(|| invalid("a header that is too short"))?;
        io::copy(&mut (&mut input).take(more.into()), &mut io::sink())?;
        if header.rate == 0 || header.scale == 0 {
            return Err(invalid("ticks of no length"));
        }
        Ok(Self { input, header })
    }

    /// What the header says.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The next frame; `None` at the end. A last frame that is cut off is left out.
    ///
    /// # Errors
    /// Those of the input, and `InvalidData` for a frame longer than [`MAXIMUM_FRAME`].
    pub fn read(&mut self) -> io::Result<Option<Frame>> {
        match self.read_whole() {
            Ok(frame) => Ok(Some(frame)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_whole(&mut self) -> io::Result<Frame> {
        let length = u32::from_le_bytes(array(&mut self.input)?);
        if usize::try_from(length).map_or(true, |length| length > MAXIMUM_FRAME) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
        }
        let timestamp = u64::from_le_bytes(array(&mut self.input)?);
        // The length is but a claim, so memory grows with what comes.
        let mut octets = Vec::new();
        (&mut self.input).take(length.into()).read_to_end(&mut octets)?;
        if octets.len() as u64 != u64::from(length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Frame { timestamp, octets })
    }
}

fn array<const LENGTH: usize>(input: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut octets = [0; LENGTH];
    input.read_exact(&mut octets)?;
    Ok(octets)
}
