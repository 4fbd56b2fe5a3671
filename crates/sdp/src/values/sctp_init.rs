use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;

/// The longest chunk that is taken, in bytes: a packet has no room for more.
const MAX_LENGTH: usize = 1024;
/// An INIT chunk without its parameters (RFC 9260 §3.3.2), header included.
const LEAST_LENGTH: usize = 20;
/// The least window (RFC 9260 §3.3.2).
const LEAST_WINDOW: u32 = 1500;

/// SCTP's INIT chunk (RFC 9260 §3.3.2) in a description: `a=sctp-init`
/// (draft-hancke-tsvwg-snap-00). Offer and answer take the place of the handshake then.
///
/// ```
/// use peerconnection_sdp::SctpInit;
///
/// let init: SctpInit = "AQAAHl5im9IAUAAA/////2IyMojAAAAEgAgABoLA".parse()?;
/// assert_eq!(init.chunk()[4..8], [0x5e, 0x62, 0x9b, 0xd2], "the initiate tag");
/// assert_eq!(init.to_string(), "AQAAHl5im9IAUAAA/////2IyMojAAAAEgAgABoLA");
/// // A chunk of another kind, and one that no association can begin with.
/// assert!("AgAAHl5im9IAUAAA/////2IyMojAAAAEgAgABoLA".parse::<SctpInit>().is_err());
/// assert!("AQAAFAAAAAAAUAAA/////2IyMog=".parse::<SctpInit>().is_err());
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SctpInit {
    chunk: Vec<u8>,
}

impl SctpInit {
    /// Takes a chunk: its header, its fixed part and parameters, without the padding behind them.
    ///
    /// # Errors
    /// If it is no INIT, has another length than it says, or has values with which no association
    /// can begin: the tag 0, no streams, a window below 1,500 bytes.
    pub fn new(chunk: Vec<u8>) -> Result<Self, Error> {
        let bytes = |at: usize| chunk.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        let fields = (bytes(0), bytes(4), bytes(8), bytes(12));
        let (Some(header), Some(tag), Some(window), Some(streams)) = fields else {
            return Err(Error::new("the INIT chunk is cut off"));
        };
        let length = chunk.len();
        if !(LEAST_LENGTH..=MAX_LENGTH).contains(&length) {
            return Err(Error::new("the INIT chunk is too short or too long"));
        }
        // Type, flags (which a receiver ignores) and length.
        if header >> 24 != 1 || (header & 0xffff) as usize != length {
            return Err(Error::new("the chunk is no INIT, or not as long as it says"));
        }
        if tag == 0 || window < LEAST_WINDOW || streams >> 16 == 0 || streams & 0xffff == 0 {
            return Err(Error::new("no association begins with the values of the INIT chunk"));
        }
        Ok(Self { chunk })
    }

    /// The chunk.
    pub fn chunk(&self) -> &[u8] {
        &self.chunk
    }
}

impl FromStr for SctpInit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH.div_ceil(3) * 4 {
            return Err(Error::new("the INIT chunk is too long"));
        }
        let chunk = STANDARD.decode(text).map_err(|error| Error::new(error.to_string()))?;
        Self::new(chunk)
    }
}

impl fmt::Display for SctpInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.chunk))
    }
}
