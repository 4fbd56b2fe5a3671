//! mediacapture-main §4.2 and §4.3: identifiers are UUIDs, 36 characters.

/// A random UUID (RFC 9562 §5.4), from the system's randomness.
pub(super) fn generate() -> String {
    uuid(rand::random())
}

/// The UUID that these random octets make.
pub(super) fn uuid(random: [u8; 16]) -> String {
    let mut number = u128::from_be_bytes(random);
    // Version 4, variant 10
    number = number & !(0xF << 76) | 0x4 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        (number >> 96) & 0xFFFF_FFFF,
        (number >> 80) & 0xFFFF,
        (number >> 64) & 0xFFFF,
        (number >> 48) & 0xFFFF,
        number & 0xFFFF_FFFF_FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_uuid_of_version_4() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xFF; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let counting = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(uuid(counting), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    }

    #[test]
    fn identifiers_differ() {
        assert_ne!(generate(), generate());
    }
}
