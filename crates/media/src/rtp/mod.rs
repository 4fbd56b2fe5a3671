//! RTP: packets (RFC 3550 §5.1) and their header extensions (RFC 8285).
//!
//! [`Packet`] reads a packet where it lies, [`PacketMut`] changes one there, and [`Header`] writes
//! a new header before a payload that several packets share.

mod edit;
mod extension;
mod header;
mod packet;

#[cfg(test)]
mod tests;

pub use edit::{DoesNotFit, PacketMut, blank_elements};
pub use extension::{Element, ExtensionIds, Extensions, Form};
pub use header::{Header, Unwritable};
pub(crate) use packet::fixed;
pub use packet::{Malformed, Packet, header_length};
