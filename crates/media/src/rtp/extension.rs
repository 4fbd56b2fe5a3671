//! The elements of a header extension, in both forms of RFC 8285.

/// What the one-byte form is defined by (RFC 8285 §4.2).
const ONE_BYTE: u16 = 0xbede;
/// What the two-byte form is defined by, without the bits that the application may use (§4.3).
const TWO_BYTE: u16 = 0x1000;

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Ids 1 to 14, with 1 to 16 octets each (RFC 8285 §4.2).
    OneByte,
    /// Ids 1 to 255, with 0 to 255 octets each (RFC 8285 §4.3). Packets in both forms may only be
    /// mixed in one stream if `a=extmap-allow-mixed` was negotiated (§4.1.2).
    TwoByte,
}

impl Form {
    pub(super) fn of(profile: u16) -> Option<Self> {
        match profile {
            ONE_BYTE => Some(Self::OneByte),
            // §4.3: the receiver ignores the application's bits.
            profile if profile & 0xfff0 == TWO_BYTE => Some(Self::TwoByte),
            _ => None,
        }
    }

    pub(super) fn profile(self) -> u16 {
        match self {
            Self::OneByte => ONE_BYTE,
            Self::TwoByte => TWO_BYTE,
        }
    }

    /// Octets before the data of an element.
    pub(super) fn head(self) -> usize {
        match self {
            Self::OneByte => 1,
            Self::TwoByte => 2,
        }
    }

    /// The first form, the smaller one, that has room for an element; `None` if neither has.
    ///
    /// ```
    /// use peerconnection_media::rtp::Form;
    ///
    /// assert_eq!(Form::for_element(1, 16), Some(Form::OneByte));
    /// assert_eq!(Form::for_element(1, 17), Some(Form::TwoByte));
    /// assert_eq!(Form::for_element(15, 1), Some(Form::TwoByte));
    /// assert_eq!(Form::for_element(0, 1), None);
    /// ```
    pub fn for_element(id: u8, length: usize) -> Option<Self> {
        match (id, length) {
            (1..=14, 1..=16) => Some(Self::OneByte),
            (1.., 0..=255) => Some(Self::TwoByte),
            _ => None,
        }
    }

    /// Writes an element that fits.
    pub(super) fn write(self, id: u8, data: &[u8], into: &mut Vec<u8>) {
        let length = (data.len() & 0xff) as u8;
        match self {
            Self::OneByte => into.push(id << 4 | length.wrapping_sub(1) & 0xf),
            Self::TwoByte => into.extend([id, length]),
        }
        into.extend_from_slice(data);
    }
}

/// One element of a header extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The number that `a=extmap` gives it, 1 to 255.
    pub id: u8,
    /// What it carries.
    pub data: &'a [u8],
}

/// The elements of a header extension, in order. They end where an element would reach beyond the
/// extension, and at the ids that end it in the one-byte form.
#[derive(Debug, Clone)]
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
    /// Octets before `rest`.
    offset: usize,
}

impl<'a> Extensions<'a> {
    pub(super) fn new(form: Form, octets: &'a [u8]) -> Self {
        Self { form, rest: octets, offset: 0 }
    }

    pub(super) fn none() -> Self {
        Self::new(Form::OneByte, &[])
    }

    /// The data of an element.
    pub fn get(&self, id: u8) -> Option<&'a [u8]> {
        self.clone().find(|element| element.id == id).map(|element| element.data)
    }

    /// The next element, and where it begins.
    pub(super) fn next_at(&mut self) -> Option<(usize, Element<'a>)> {
        loop {
            let (first, behind) = self.rest.split_first()?;
            let (id, length, head, behind) = match (self.form, *first) {
                // An octet of padding, which may stand between elements (§4.2, §4.3).
                (_, 0) => {
                    self.rest = behind;
                    self.offset += 1;
                    continue;
                }
                // §4.2: id 15 ends the extension, and so does id 0 with a length.
                (Form::OneByte, 0x01..=0x0f | 0xf0..) => {
                    self.rest = &[];
                    return None;
                }
                (Form::OneByte, first) => (first >> 4, usize::from(first & 0xf) + 1, 1, behind),
                (Form::TwoByte, id) => {
                    let (length, behind) = behind.split_first()?;
                    (id, usize::from(*length), 2, behind)
                }
            };
            let Some((data, rest)) = behind.split_at_checked(length) else {
                self.rest = &[];
                return None;
            };
            let at = self.offset;
            self.rest = rest;
            self.offset += head + length;
            return Some((at, Element { id, data }));
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_at().map(|(_, element)| element)
    }
}

/// Which ids the elements of one peer get at another one, since each peer negotiates its own.
///
/// ```
/// use peerconnection_media::rtp::ExtensionIds;
///
/// let mut ids = ExtensionIds::none();
/// ids.set(3, 5);
/// assert_eq!((ids.get(3), ids.get(4)), (Some(5), None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionIds([u8; 256]);

impl ExtensionIds {
    /// No element is kept.
    pub fn none() -> Self {
        Self([0; 256])
    }

    /// Elements with the id `from` get the id `to`. With 0, which is no id, they are not kept.
    pub fn set(&mut self, from: u8, to: u8) {
        self.0[usize::from(from)] = to;
    }

    /// The new id of an element, or `None` if it is not kept.
    pub fn get(&self, from: u8) -> Option<u8> {
        let to = self.0[usize::from(from)];
        (from != 0 && to != 0).then_some(to)
    }
}
