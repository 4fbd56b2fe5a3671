//! Memory for datagrams: one allocation serves many of them, and is used again once they are gone.

use bytes::BytesMut;

/// Octets of one allocation: some fifty datagrams.
const CHUNK: usize = 64 * 1_024;

/// Where datagrams are made, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    chunk: BytesMut,
}

impl Arena {
    /// An empty buffer with room for so many octets. Whoever is done with it calls
    /// [`split`](BytesMut::split), or leaves it: then the next one gets the same place.
    pub(crate) fn buffer(&mut self, octets: usize) -> &mut BytesMut {
        self.chunk.clear();
        if self.chunk.capacity() < octets && !self.chunk.try_reclaim(CHUNK.max(octets)) {
            self.chunk = BytesMut::with_capacity(CHUNK.max(octets));
        }
        &mut self.chunk
    }
}
