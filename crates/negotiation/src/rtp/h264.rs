//! Profiles and levels of H.264 (RFC 6184 §8.1, `profile-level-id`).

use super::codec_match::parameter;

/// RFC 6184 §8.1, table 5: one profile has several spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    /// `profile_idc` and `profile-iop`. Each combination is a profile of its own.
    Other(u8, u8),
}

/// The three bytes of a `profile-level-id`.
fn bytes(profile_level_id: &str) -> Option<[u8; 3]> {
    let digits = profile_level_id.len() == 6
        && profile_level_id.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(profile_level_id, 16).ok().filter(|_| digits)?;
    let [_, profile, iop, level] = number.to_be_bytes();
    Some([profile, iop, level])
}

impl Profile {
    /// Reads a `profile-level-id`; `None` if it is not one.
    pub(super) fn of(profile_level_id: &str) -> Option<Profile> {
        let [profile, iop, _] = bytes(profile_level_id)?;
        let set = |bits: u8| iop & bits == bits;
        // The upper bits are constraint_set0 to constraint_set2; the low four are reserved.
        Some(match profile {
            _ if iop & 0x0f != 0 => Profile::Other(profile, iop),
            0x42 if set(0x40) => Profile::ConstrainedBaseline,
            0x42 => Profile::Baseline,
            0x4d if set(0x80) => Profile::ConstrainedBaseline,
            0x4d => Profile::Main,
            0x58 if set(0xc0) => Profile::ConstrainedBaseline,
            0x58 if set(0x80) => Profile::Baseline,
            0x58 => Profile::Extended,
            _ => Profile::Other(profile, iop),
        })
    }
}

/// The level in a form that can be compared; level 1b is between 1 and 1.1.
fn level([profile, iop, level]: [u8; 3]) -> (u8, bool) {
    let has_level_1b_flag = matches!(profile, 0x42 | 0x4d | 0x58);
    match level {
        9 => (10, true),
        11 if has_level_1b_flag && iop & 0x10 != 0 => (10, true),
        level => (level, false),
    }
}

/// RFC 6184 §8.2.2: the parameters that answer `offered` with the parameters `ours` of the same
/// profile. The profile keeps its spelling. The level is ours if levels may differ, else the lower
/// one.
pub(super) fn answer(ours: &str, offered: Option<&str>) -> String {
    const LEVEL_ASYMMETRY_ALLOWED: &str = "level-asymmetry-allowed";
    const DEFAULT: [u8; 3] = [0x42, 0x00, 0x0a];
    let get = |name: &str| offered.and_then(|offered| parameter(offered, name));
    let offered_bytes = get("profile-level-id").and_then(bytes).unwrap_or(DEFAULT);
    let our_bytes = parameter(ours, "profile-level-id").and_then(bytes).unwrap_or(DEFAULT);
    let asymmetric = get(LEVEL_ASYMMETRY_ALLOWED) == Some("1")
        && parameter(ours, LEVEL_ASYMMETRY_ALLOWED) == Some("1");
    let [_, _, our_level] = our_bytes;
    let [profile, iop, level_idc] = if asymmetric || level(our_bytes) < level(offered_bytes) {
        let [profile, iop, offered_level] = offered_bytes;
        // Constraint set 3 turns level 1.1 into 1b. This side has no level 1b.
        let is_1b = level(offered_bytes).1 && offered_level == 11;
        [profile, if is_1b { iop & !0x10 } else { iop }, our_level]
    } else {
        offered_bytes
    };
    let mode = get("packetization-mode").unwrap_or("0");
    let asymmetry = if asymmetric { "level-asymmetry-allowed=1;" } else { "" };
    format!(
        "{asymmetry}packetization-mode={mode};profile-level-id={profile:02x}{iop:02x}{level_idc:02x}"
    )
}
