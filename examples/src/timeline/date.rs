//! Dates as RFC 3339 writes them.

/// Milliseconds since the Unix epoch of a date such as `2026-11-30T12:00:00.5Z`.
pub(super) fn milliseconds(date: &str) -> Option<f64> {
    let (day, time) = date.split_once('T')?;
    let (time, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (&time[..at], offset(&time[at..])?),
        None => return None,
    };
    let [year, month, day] = numbers(day.split('-'))?;
    let [hours, minutes, seconds] = numbers(time.split(':'))?;
    let in_range = (1970.0..10_000.0).contains(&year)
        && (1.0..=12.0).contains(&month)
        && (1.0..=31.0).contains(&day)
        && hours < 24.0
        && minutes < 60.0
        && seconds < 61.0;
    if !in_range {
        return None;
    }
    // Years begin in March here, so that leap days are at their ends.
    let (year, month) = if month > 2.0 { (year, month - 3.0) } else { (year - 1.0, month + 9.0) };
    let leap = (year / 4.0).floor() - (year / 100.0).floor() + (year / 400.0).floor();
    let days = 365.0 * year + leap + ((153.0 * month + 2.0) / 5.0).floor() + day - 719_469.0;
    let minutes = (days * 24.0 + hours) * 60.0 + minutes - offset;
    Some((minutes * 60.0 + seconds) * 1000.0)
}

/// The offset from UTC in minutes.
fn offset(text: &str) -> Option<f64> {
    if matches!(text, "Z" | "z") {
        return Some(0.0);
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let [hours, minutes] = numbers(text[1..].split(':'))?;
    Some(sign * (hours * 60.0 + minutes))
}

fn numbers<'a, const N: usize>(texts: impl Iterator<Item = &'a str>) -> Option<[f64; N]> {
    let number = |text: &str| {
        let plain = text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
        text.parse().ok().filter(|_| plain)
    };
    let numbers: Vec<f64> = texts.map(number).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        // From `Date.parse()`.
        for (date, expected) in [
            ("1970-01-01T00:00:00Z", 0.0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999.0),
            ("2026-11-30T14:07:04.744Z", 1_796_047_624_744.0),
            ("2026-11-30T15:07:04.744+01:00", 1_796_047_624_744.0),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400_000.0),
        ] {
            let read = milliseconds(date).unwrap();
            assert!((read - expected).abs() < 0.01, "{date}: {read}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "T",
            "2026-11-30",
            "2026-11-30T14:07:04",
            "2026-11-30T14:07Z",
            "2026-13-30T14:07:04Z",
            "2026-11-30T14:07:inf:04Z",
            "2026-11-30T14:07:NaNZ",
            "2026-11-30T14:07:04+é",
            "11/30/2026, 2:07:04 PM",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
