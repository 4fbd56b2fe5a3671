//! One direction of a session that survives its connections: messages have consecutive numbers from
//! 1, the receiver acknowledges them, and a new connection begins behind the last one received. So
//! each message arrives once and in order, however often the connection is cut.

use std::collections::{HashMap, VecDeque};

use crate::protocol::{MemberId, Text};

/// A number that the other side cannot honestly have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number of a message is out of place")]
pub(crate) struct OutOfPlace;

#[derive(Debug)]
struct Waiting {
    text: Text,
    /// Whom the message is from, if it is from a member.
    from: Option<MemberId>,
}

/// Messages that the other side has not acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The number of the last message that was acknowledged.
    acknowledged: u64,
    /// Those behind it, in order.
    waiting: VecDeque<Waiting>,
    /// How many of them the present connection has taken.
    taken: usize,
    octets: usize,
}

impl Outbox {
    /// Adds a message; `write` gets its number.
    pub(crate) fn push(&mut self, from: Option<MemberId>, write: impl FnOnce(u64) -> Text) {
        let number = self.last().saturating_add(1);
        let text = write(number);
        self.octets = self.octets.saturating_add(text.len());
        self.waiting.push_back(Waiting { text, from });
    }

    /// The number of the last message.
    fn last(&self) -> u64 {
        self.acknowledged.saturating_add(self.waiting.len() as u64)
    }

    /// How many messages wait for their acknowledgement, and how long they are.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.waiting.len(), self.octets)
    }

    /// What was taken may be lost: it is taken again.
    #[cfg(feature = "nats")]
    pub(crate) fn rewind(&mut self) {
        self.taken = 0;
    }

    /// The next message for the present connection.
    pub(crate) fn next(&mut self) -> Option<Text> {
        let next = self.waiting.get(self.taken)?;
        self.taken += 1;
        Some(next.text.clone())
    }

    /// The other side has received everything up to `number`. Repeated and old numbers do nothing.
    pub(crate) fn acknowledge(&mut self, number: u64) -> Result<(), OutOfPlace> {
        if number > self.last() {
            return Err(OutOfPlace);
        }
        while self.acknowledged < number {
            let Some(message) = self.waiting.pop_front() else { break };
            self.acknowledged += 1;
            self.octets = self.octets.saturating_sub(message.text.len());
            self.taken = self.taken.saturating_sub(1);
        }
        if self.waiting.is_empty() {
            // An idle session keeps no memory for the busiest moment it had.
            self.waiting = VecDeque::new();
        }
        Ok(())
    }

    /// A new connection takes over. The other side has received everything up to `received`.
    pub(crate) fn resume(&mut self, received: u64) -> Result<(), OutOfPlace> {
        // What was acknowledged is gone, and whoever acknowledged it cannot be without it.
        if received < self.acknowledged {
            return Err(OutOfPlace);
        }
        self.acknowledge(received)?;
        self.taken = 0;
        Ok(())
    }

    /// The member from whom most of the waiting octets are, and how many those are.
    pub(crate) fn most_from(&self) -> Option<(MemberId, usize)> {
        let mut sums: HashMap<MemberId, usize> = HashMap::new();
        for message in &self.waiting {
            if let Some(from) = message.from {
                // The least that a message costs, so that empty ones count.
                *sums.entry(from).or_default() += message.text.len().max(64);
            }
        }
        sums.into_iter().max_by_key(|&(member, sum)| (sum, member))
    }
}

/// What has come from the other side.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    received: u64,
    acknowledged: u64,
}

impl Inbox {
    /// Whether the message with this number is new. One that came before is not. One that comes too
    /// early means that another was lost, which no connection does.
    pub(crate) fn accept(&mut self, number: u64) -> Result<bool, OutOfPlace> {
        if number == 0 || number > self.received.saturating_add(1) {
            return Err(OutOfPlace);
        }
        let is_new = number > self.received;
        if is_new {
            self.received = number;
        } else {
            // The other side does not know yet that it has come.
            self.acknowledged = self.acknowledged.min(number.saturating_sub(1));
        }
        Ok(is_new)
    }

    /// The number of the last message that has come.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The acknowledgement that is due.
    pub(crate) fn due(&self) -> Option<u64> {
        (self.acknowledged < self.received).then_some(self.received)
    }

    /// Takes the acknowledgement that is due.
    pub(crate) fn take_due(&mut self) -> Option<u64> {
        let due = self.due();
        self.acknowledged = self.received;
        due
    }

    /// A new connection takes over, and the other side is told what has been received.
    pub(crate) fn resume(&mut self) -> u64 {
        self.acknowledged = self.received;
        self.received
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(messages: u64) -> Outbox {
        let mut outbox = Outbox::default();
        for _ in 0..messages {
            outbox.push(None, |number| number.to_string().into());
        }
        outbox
    }

    fn taken(outbox: &mut Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.next()).map(|text| text.to_string()).collect()
    }

    #[test]
    fn a_new_connection_begins_behind_the_last_message_received() {
        let mut outbox = outbox(4);
        assert_eq!(taken(&mut outbox), ["1", "2", "3", "4"]);
        outbox.acknowledge(1).unwrap();
        outbox.push(None, |number| number.to_string().into());
        assert_eq!(taken(&mut outbox), ["5"]);
        outbox.resume(3).unwrap();
        assert_eq!(taken(&mut outbox), ["4", "5"]);
        assert_eq!(outbox.size(), (2, 2));
        outbox.acknowledge(5).unwrap();
        assert_eq!(outbox.size(), (0, 0));
    }

    #[test]
    fn numbers_that_nobody_can_know_are_refused() {
        let mut outbox = outbox(3);
        assert_eq!(outbox.acknowledge(4), Err(OutOfPlace));
        assert_eq!(outbox.acknowledge(u64::MAX), Err(OutOfPlace));
        outbox.acknowledge(2).unwrap();
        assert_eq!(outbox.acknowledge(1), Ok(()), "an old acknowledgement is none");
        assert_eq!(outbox.resume(1), Err(OutOfPlace), "the second is gone");
        assert_eq!(outbox.resume(4), Err(OutOfPlace));
        assert_eq!(outbox.resume(2), Ok(()));
    }

    #[test]
    fn a_message_is_new_once() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.accept(0), Err(OutOfPlace));
        assert_eq!(inbox.accept(2), Err(OutOfPlace));
        assert_eq!(inbox.accept(1), Ok(true));
        assert_eq!(inbox.take_due(), Some(1));
        assert_eq!(inbox.take_due(), None);
        assert_eq!(inbox.accept(1), Ok(false));
        assert_eq!(inbox.take_due(), Some(1), "who sends it again has missed the acknowledgement");
        assert_eq!(inbox.accept(2), Ok(true));
        assert_eq!(inbox.resume(), 2);
        assert_eq!(inbox.due(), None);
    }

    #[test]
    fn the_sender_of_most_octets_is_known() {
        let mut outbox = outbox(9);
        assert_eq!(outbox.most_from(), None);
        for (from, length) in [(1, 200), (2, 150), (2, 150), (3, 10)] {
            outbox.push(Some(MemberId(from)), |_| "x".repeat(length).into());
        }
        assert_eq!(outbox.most_from(), Some((MemberId(2), 300)));
    }
}
