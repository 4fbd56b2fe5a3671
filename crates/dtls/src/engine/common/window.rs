//! Which records came (RFC 6347 §4.1.2.6, RFC 9147 §4.5.1).

/// The newest 64 records of an epoch.
#[derive(Default)]
pub(crate) struct Window {
    newest: u64,
    /// Bit n: the record that is n older than the newest.
    seen: u64,
}

impl Window {
    /// Whether the record has not come, as far as this is known.
    pub(crate) fn is_new(&self, number: u64) -> bool {
        match self.newest.checked_sub(number) {
            Some(age) => age < 64 && self.seen & (1 << age) == 0,
            None => true,
        }
    }

    /// Takes note of an authentic record.
    pub(crate) fn mark(&mut self, number: u64) {
        if let Some(age) = self.newest.checked_sub(number) {
            self.seen |= 1u64.checked_shl(age.try_into().unwrap_or(u32::MAX)).unwrap_or(0);
        } else {
            let step = (number - self.newest).try_into().unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(step).unwrap_or(0) | 1;
            self.newest = number;
        }
    }
}
