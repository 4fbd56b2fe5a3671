//! Packets of peers: Send and Data indications (RFC 8656 §11), ChannelData (§12.4 to §12.6).

use std::net::SocketAddr;
use std::ops::Range;

use rand::RngExt;
use time::Instant;

use super::Client;
use crate::address::canonical;
use crate::error::SendError;
use crate::event::Data;
use crate::stream::CHANNEL_HEADER;
use crate::stun::{self, COOKIE, HEADER, next_attribute, u16_at};

/// Bytes that [`Client::encapsulate`] may need in front of a payload: a Send indication to an
/// IPv6 peer. To an IPv4 peer it takes 36, with a channel 4.
pub const HEADROOM: usize = 48;
/// Bytes that [`Client::encapsulate`] may need after a payload: padding.
pub const TAILROOM: usize = 3;

/// Size of an attribute's header.
const ATTRIBUTE: usize = 4;

impl Client {
    /// Makes the message that carries a payload to a peer, around the payload where it lies: the
    /// header goes in front of it, padding behind it. Returns where in `buffer` the message is. The
    /// host sends it to the server, as a datagram or as it is on the stream.
    ///
    /// `buffer` has [`HEADROOM`] bytes before `payload` and [`TAILROOM`] bytes after it. Nothing
    /// is copied or allocated.
    ///
    /// # Errors
    ///
    /// See [`SendError`]. An error leaves the buffer unchanged.
    ///
    /// # Example
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use std::time::Instant;
    /// use peerconnection_turn::{
    ///     Client, Config, Credentials, FiveTuple, HEADROOM, Protocol, SendError, TAILROOM,
    /// };
    ///
    /// let five_tuple = FiveTuple {
    ///     local: "10.0.0.2:50000".parse()?,
    ///     server: "192.0.2.1:3478".parse()?,
    ///     protocol: Protocol::Udp,
    /// };
    /// let credentials = Credentials { username: "alice".into(), password: "wonder".into() };
    /// let mut client = Client::new(Config::default(), five_tuple, credentials, [7; 32])?;
    /// let peer: SocketAddr = "198.51.100.7:4000".parse()?;
    ///
    /// let mut buffer = vec![0; HEADROOM];
    /// buffer.extend_from_slice(b"an RTP packet");
    /// let payload = HEADROOM..buffer.len();
    /// buffer.extend_from_slice(&[0; TAILROOM]);
    /// match client.encapsulate(Instant::now(), peer, &mut buffer, payload) {
    ///     Ok(message) => println!("to the server: {:?}", &buffer[message]),
    ///     // Nothing was allocated yet.
    ///     Err(error) => assert_eq!(error, SendError::NoAllocation),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encapsulate(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        buffer: &mut [u8],
        payload: Range<usize>,
    ) -> Result<Range<usize>, SendError> {
        if self.allocated_until().is_none_or(|until| now >= until) {
            return Err(SendError::NoAllocation);
        }
        if buffer.get(payload.clone()).is_none() {
            return Err(SendError::NoRoom);
        }
        let peer = canonical(peer);
        // A channel may outlive its permission, and carries nothing then.
        if !self.is_permitted(now, peer.ip()) {
            return Err(SendError::NoPermission);
        }
        let channel = self.channels.iter().find(|c| c.peer == peer && c.lease.is_held(now));
        let message = if let Some(channel) = channel {
            let padded = self.five_tuple.protocol.is_stream();
            write_channel_data(channel.number, padded, buffer, payload)?
        } else {
            let id: [u8; 12] = self.rng.random();
            write_send_indication(peer, &id, buffer, payload)?
        };
        self.last_sent = Some(now);
        Ok(message)
    }

    /// The fast path of incoming messages. `None` if this is no packet of a peer, `Some(None)` if
    /// the packet is dropped.
    pub(super) fn find_relayed_data(&self, message: &[u8]) -> Option<Option<Data>> {
        match message.first()? {
            0x40..=0x7f => Some(self.channel_data(message)),
            0 if u16_at(message, 0) == Some(stun::DATA_INDICATION) => {
                let data = self.data_indication(message);
                if data.is_none() {
                    tracing::trace!(len = message.len(), "a Data indication is dropped");
                }
                Some(data)
            }
            _ => None,
        }
    }

    /// A packet is taken as soon as its channel is being bound: over UDP data may overtake the
    /// answer (RFC 8656 §12).
    fn channel_data(&self, message: &[u8]) -> Option<Data> {
        let (number, length) = (u16_at(message, 0)?, usize::from(u16_at(message, 2)?));
        let Some(channel) = self.channels.iter().find(|channel| channel.number == number) else {
            tracing::trace!(number, "ChannelData of no channel of ours");
            return None;
        };
        let end = CHANNEL_HEADER.checked_add(length)?;
        // A datagram may have padding behind, and nothing else.
        if message.len() < end || message.len() > end.next_multiple_of(4) {
            tracing::debug!(number, len = message.len(), "ChannelData of another length");
            return None;
        }
        Some(Data { peer: channel.peer, payload: CHANNEL_HEADER..end })
    }

    /// No indication is authenticated: whoever can forge the server's address can forge one. ICE,
    /// DTLS and SRTP check what it carries.
    fn data_indication(&self, message: &[u8]) -> Option<Data> {
        let length = usize::from(u16_at(message, 2)?);
        if message.get(4..8)? != COOKIE || message.len() != HEADER.checked_add(length)? {
            return None;
        }
        let id = message.get(8..)?.first_chunk::<12>()?;
        let mut peer = None;
        let mut payload = None;
        let mut rest = message.get(HEADER..)?;
        while !rest.is_empty() {
            let start = message.len().checked_sub(rest.len())?.checked_add(ATTRIBUTE)?;
            let (kind, value, tail) = next_attribute(rest)?;
            if kind == stun::XOR_PEER_ADDRESS && peer.is_none() {
                peer = Some(canonical(stun::xor_address(value, id)?));
            } else if kind == stun::DATA && payload.is_none() {
                payload = Some(start..start.checked_add(value.len())?);
            }
            rest = tail;
        }
        let (peer, payload) = peer.zip(payload)?;
        // "an IP address with which the client believes there is an active permission" (RFC 8656
        // §11.4); one that has just lapsed counts.
        let permitted = |p: &super::Permission| p.peer == peer.ip() && p.lease.was_held();
        if !self.permissions.iter().any(permitted) {
            tracing::debug!(%peer, "packet of a peer that has no permission");
            return None;
        }
        Some(Data { peer, payload })
    }
}

fn write_channel_data(
    number: u16,
    padded: bool,
    buffer: &mut [u8],
    payload: Range<usize>,
) -> Result<Range<usize>, SendError> {
    let length = u16::try_from(payload.len()).map_err(|_| SendError::TooLong)?;
    let start = payload.start.checked_sub(CHANNEL_HEADER).ok_or(SendError::NoRoom)?;
    let padding = if padded { payload.len().next_multiple_of(4) - payload.len() } else { 0 };
    let end = payload.end.checked_add(padding).ok_or(SendError::NoRoom)?;
    let message = buffer.get_mut(start..end).ok_or(SendError::NoRoom)?;
    let ([a, b], [c, d]) = (number.to_be_bytes(), length.to_be_bytes());
    write_around(message, &[a, b, c, d], payload.len());
    Ok(start..end)
}

fn write_send_indication(
    peer: SocketAddr,
    id: &[u8; 12],
    buffer: &mut [u8],
    payload: Range<usize>,
) -> Result<Range<usize>, SendError> {
    let address = stun::xor_address_value(peer, id);
    let head = HEADER + ATTRIBUTE + address.len() + ATTRIBUTE;
    let start = payload.start.checked_sub(head).ok_or(SendError::NoRoom)?;
    let padded = payload.len().checked_next_multiple_of(4).ok_or(SendError::TooLong)?;
    let length = (head - HEADER).checked_add(padded).ok_or(SendError::TooLong)?;
    let length = u16::try_from(length).map_err(|_| SendError::TooLong)?;
    let data_length = u16::try_from(payload.len()).map_err(|_| SendError::TooLong)?;
    let address_length = u16::try_from(address.len()).map_err(|_| SendError::TooLong)?;
    let end = payload.start.checked_add(padded).ok_or(SendError::NoRoom)?;
    let message = buffer.get_mut(start..end).ok_or(SendError::NoRoom)?;

    let mut header = smallvec::SmallVec::<[u8; 64]>::new();
    header.extend_from_slice(&stun::SEND.to_be_bytes());
    header.extend_from_slice(&length.to_be_bytes());
    header.extend_from_slice(&COOKIE);
    header.extend_from_slice(id);
    header.extend_from_slice(&stun::XOR_PEER_ADDRESS.value().to_be_bytes());
    header.extend_from_slice(&address_length.to_be_bytes());
    header.extend_from_slice(&address);
    header.extend_from_slice(&stun::DATA.value().to_be_bytes());
    header.extend_from_slice(&data_length.to_be_bytes());
    write_around(message, &header, payload.len());
    Ok(start..end)
}

/// Writes the header in front of the payload, and zeros behind it.
fn write_around(message: &mut [u8], header: &[u8], payload: usize) {
    if let Some((front, rest)) = message.split_at_mut_checked(header.len()) {
        front.copy_from_slice(header);
        if let Some(padding) = rest.get_mut(payload..) {
            padding.fill(0);
        }
    }
}
