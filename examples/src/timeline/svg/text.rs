//! How wide words are, and how they are written.

/// What words are, for their colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Title,
    Name,
    /// On a bar.
    State,
    Call,
    Restart,
    Fault,
    Plain,
}

impl Class {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Name => "name",
            Self::State => "state",
            Self::Call => "call",
            Self::Restart => "restart",
            Self::Fault => "fault",
            Self::Plain => "plain",
        }
    }
}

/// How wide a text is at most: the fonts of no system are wider on average.
pub(super) fn width(text: &str) -> f64 {
    6.4 * text.chars().count() as f64
}

/// A text that fits, with its end left out if it is longer.
pub(super) fn fitting(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let fit = (room / width("m")) as usize;
    text.chars().take(fit.saturating_sub(1)).chain(['…']).collect()
}

/// A text as XML has it. Control characters have no place there.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            control if control.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A time on an axis with steps of this length.
pub(super) fn time(milliseconds: f64, step: f64) -> String {
    let seconds = milliseconds / 1000.0;
    if step < 10.0 {
        format!("{milliseconds:.0} ms")
    } else if step < 1000.0 {
        format!("{seconds:.2} s")
    } else if step < 60_000.0 {
        format!("{seconds:.0} s")
    } else {
        let minutes = (seconds / 60.0).round();
        let hours = (minutes / 60.0).floor();
        format!("{hours:.0} h {:02.0} min", minutes - hours * 60.0)
    }
}

/// A time between two moments.
pub(super) fn duration(milliseconds: f64) -> String {
    if milliseconds < 1000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.1} s", milliseconds / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_to_the_room_and_written_as_xml_has_them() {
        assert_eq!(fitting("stable", 100.0), "stable");
        assert_eq!(fitting("have-local-offer", 64.0), "have-loca…");
        assert!(width(&fitting("have-local-offer", 64.0)) <= 64.0);
        assert_eq!(fitting("stable", 0.0), "…");
        assert_eq!(escaped("<a> & \"b\"\u{0}\u{ffff}"), "&lt;a&gt; &amp; \"b\"\u{fffd}\u{fffd}");
    }

    #[test]
    fn times_have_the_unit_of_their_step() {
        assert_eq!(time(4.0, 2.0), "4 ms");
        assert_eq!(time(1500.0, 500.0), "1.50 s");
        assert_eq!(time(90_000.0, 30_000.0), "90 s");
        assert_eq!(time(5_400_000.0, 600_000.0), "1 h 30 min");
        assert_eq!(duration(999.0), "999 ms");
        assert_eq!(duration(12_340.0), "12.3 s");
    }
}
