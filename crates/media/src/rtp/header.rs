//! The header of a packet, as it is written.

use super::extension::{Element, Form};

/// What a header has at fixed places.
///
/// ```
/// use peerconnection_media::rtp::{ExtensionIds, Form, Header, Packet};
///
/// let header = Header {
///     marker: true,
///     payload_type: 96,
///     sequence_number: 7,
///     timestamp: 90_000,
///     ssrc: 0xcafe_babe,
/// };
/// let mut sent = Vec::new();
/// header.write(&[], &[(1, b"0".as_slice()), (3, &[1, 2, 3])], Form::OneByte, &mut sent)?;
/// sent.extend_from_slice(b"payload");
///
/// // Somebody forwards it: the payload is copied once for each receiver, the rest is written anew.
/// let received = Packet::parse(&sent)?;
/// let mut ids = ExtensionIds::none();
/// ids.set(3, 5);
/// let kept: Vec<_> =
///     received.extensions().filter_map(|e| Some((ids.get(e.id)?, e.data))).collect();
/// let header = Header { payload_type: 100, ssrc: 1, ..received.head() };
/// let mut forwarded = Vec::new();
/// header.write(&[], &kept, Form::OneByte, &mut forwarded)?;
/// forwarded.extend_from_slice(received.payload());
///
/// let forwarded = Packet::parse(&forwarded)?;
/// assert_eq!(forwarded.extensions().get(5), Some([1, 2, 3].as_slice()));
/// assert_eq!((forwarded.timestamp(), forwarded.payload()), (90_000, b"payload".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The marker bit.
    pub marker: bool,
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence_number: u16,
    /// The timestamp, in ticks of the clock of the payload type.
    pub timestamp: u32,
    /// The synchronization source.
    pub ssrc: u32,
}

/// A header cannot be written. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// The payload type is more than 127.
    #[error("payload type {0}")]
    PayloadType(u8),
    /// There are more than 15 contributing sources.
    #[error("{0} contributing sources")]
    Csrcs(usize),
    /// The form has no room for the element with this id: see [`Form::for_element`].
    #[error("the element with id {0} does not fit")]
    Element(u8),
    /// The elements take more than 262,140 octets.
    #[error("too many elements")]
    Elements,
}

impl Header {
    /// Appends a header, up to where the payload begins. Elements are pairs of id and data. Without
    /// elements there is no extension.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn write(
        &self,
        csrcs: &[u32],
        elements: &[(u8, &[u8])],
        form: Form,
        into: &mut Vec<u8>,
    ) -> Result<(), Unwritable> {
        for (id, data) in elements {
            let needed = Form::for_element(*id, data.len());
            if needed.is_none_or(|needed| needed > form) {
                return Err(Unwritable::Element(*id));
            }
        }
        self.write_fitting(csrcs, elements.iter().copied(), form, into)
    }

    /// Does what [`write`](Self::write) does, and leaves out elements that do not fit. They need
    /// not lie in one list.
    pub(crate) fn write_fitting<'e>(
        &self,
        csrcs: &[u32],
        elements: impl Iterator<Item = (u8, &'e [u8])> + Clone,
        form: Form,
        into: &mut Vec<u8>,
    ) -> Result<(), Unwritable> {
        if self.payload_type > 127 {
            return Err(Unwritable::PayloadType(self.payload_type));
        }
        let count = u8::try_from(csrcs.len()).ok().filter(|count| *count < 16);
        let count = count.ok_or(Unwritable::Csrcs(csrcs.len()))?;
        let fits = |(id, data): &(u8, &[u8])| {
            Form::for_element(*id, data.len()).is_some_and(|needed| needed <= form)
        };
        let elements = elements.filter(fits);
        let is_empty = elements.clone().next().is_none();
        let octets: usize = elements.clone().map(|(_, data)| form.head() + data.len()).sum();
        let words = u16::try_from(octets.div_ceil(4)).map_err(|_| Unwritable::Elements)?;

        let extension = if is_empty { 0 } else { 0x10 };
        into.extend([0x80 | extension | count, u8::from(self.marker) << 7 | self.payload_type]);
        into.extend(self.sequence_number.to_be_bytes());
        into.extend(self.timestamp.to_be_bytes());
        into.extend(self.ssrc.to_be_bytes());
        csrcs.iter().for_each(|csrc| into.extend(csrc.to_be_bytes()));
        if !is_empty {
            into.extend(form.profile().to_be_bytes());
            into.extend(words.to_be_bytes());
            elements.for_each(|(id, data)| form.write(id, data, into));
            into.resize(into.len() + octets.next_multiple_of(4) - octets, 0);
        }
        Ok(())
    }

    /// The smallest form that has room for all elements; `None` if neither has.
    pub fn form_for<'a>(elements: impl IntoIterator<Item = Element<'a>>) -> Option<Form> {
        let mut forms = elements.into_iter().map(|e| Form::for_element(e.id, e.data.len()));
        forms.try_fold(Form::OneByte, |form, needed| Some(form.max(needed?)))
    }
}
