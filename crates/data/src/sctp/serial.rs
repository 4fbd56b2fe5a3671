//! Serial numbers that do not wrap: what travels as 32 or 16 bits is kept as 64, so that the rest
//! of the association computes with ordinary numbers (RFC 1982 is needed nowhere else).

/// Numbers start one turn above zero, so that a peer cannot make one smaller than zero.
pub(super) const FIRST_TURN: u64 = 1 << 32;

/// The first number of a sequence whose first wire value is `wire`.
pub(super) fn first(wire: u32) -> u64 {
    FIRST_TURN + u64::from(wire)
}

/// The number nearest to `reference` whose low 32 bits are `wire`.
pub(super) fn expand(reference: u64, wire: u32) -> u64 {
    let distance = wire.wrapping_sub(low(reference)).cast_signed();
    reference.wrapping_add_signed(i64::from(distance))
}

/// The number nearest to `reference` whose low 16 bits are `wire`.
pub(super) fn expand16(reference: u64, wire: u16) -> u64 {
    let distance = wire.wrapping_sub(low16(reference)).cast_signed();
    reference.wrapping_add_signed(i64::from(distance))
}

/// The part of a number that travels.
pub(super) fn low(number: u64) -> u32 {
    (number & 0xffff_ffff) as u32
}

/// The part of a stream sequence number that travels.
pub(super) fn low16(number: u64) -> u16 {
    (number & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_where_the_wire_wraps() {
        let last = first(u32::MAX);
        assert_eq!(expand(last, 0), last + 1);
        assert_eq!(expand(last + 1, u32::MAX), last);
        assert_eq!(low(last + 1), 0);
        assert_eq!(expand16(FIRST_TURN + 0xffff, 0), FIRST_TURN + 0x1_0000);
        assert_eq!(expand16(FIRST_TURN, 0xffff), FIRST_TURN - 1);
    }
}
