//! Several short texts in one allocation. Each of its own would take more memory for the allocation
//! than for the text.

/// Texts, one behind the other. One that is part of an earlier one takes no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packed(Box<str>);

/// Where a text is in its [`Packed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    start: u32,
    length: u32,
}

/// Packs texts.
#[derive(Default)]
pub(crate) struct Packer(String);

impl Packer {
    /// Adds a text, unless it is there. What is beyond 4 GiB is left out.
    pub(crate) fn add(&mut self, text: &str) -> Place {
        let start = self.0.find(text).unwrap_or_else(|| {
            let start = self.0.len();
            self.0.push_str(text);
            start
        });
        match (u32::try_from(start), u32::try_from(text.len())) {
            (Ok(start), Ok(length)) => Place { start, length },
            _ => Place { start: 0, length: 0 },
        }
    }

    pub(crate) fn finish(self) -> Packed {
        Packed(self.0.into_boxed_str())
    }
}

impl Packed {
    /// The text at a place of this one; of another it is any, or `""`.
    pub(crate) fn get(&self, place: Place) -> &str {
        let start = place.start as usize;
        self.0.get(start..start.saturating_add(place.length as usize)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_found_again_and_parts_of_others_take_no_room() {
        let mut packer = Packer::default();
        let texts = ["one and two", "two", "", "drei", "and tw", "drei"];
        let places = texts.map(|text| packer.add(text));
        let packed = packer.finish();
        assert_eq!(places.map(|place| packed.get(place)), texts);
        assert_eq!(packed.0.len(), "one and two".len() + "drei".len());
    }

    #[test]
    fn a_place_of_another_is_no_fault() {
        let place = Packer(String::from("a longer one")).add("longer");
        let mut packer = Packer::default();
        packer.add("ä");
        assert_eq!(packer.finish().get(place), "");
    }
}
