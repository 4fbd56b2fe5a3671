//! The link of two servers: messages arrive once and in order, although what carries them may lose
//! some and either side may have forgotten the other.
//!
//! Each side numbers its messages anew for each link, and names the link by a random number. A
//! message says the name of the sender's side, and that of the receiver's side as far as the sender
//! knows it. So whoever has begun again is noticed, and what is still on the way from before is
//! dropped.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::link::{Inbox, Outbox};
use crate::protocol::{MemberId, Text};

/// Messages, and their octets, that may wait for a server. One that is so far behind is given up.
const WAITING: (usize, usize) = (16_384, 64 << 20);

/// What goes over NATS. All names have 16 hexadecimal digits.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    /// The server it is from.
    pub(super) from: MemberId,
    mine: MemberId,
    yours: Option<MemberId>,
    #[serde(default)]
    ack: u64,
    #[serde(borrow)]
    m: Option<&'a RawValue>,
}

/// The message in an envelope: one of the three.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Body<'a> {
    pub(super) n: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) members: Option<Members>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Message<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expel: Option<MemberId>,
}

/// The members of a room with sessions at the sender. Without any the room is closed there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Members {
    pub(super) room: String,
    pub(super) here: Vec<MemberId>,
}

/// A message of a member at the sender to one at the receiver.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Message<'a> {
    pub(super) to: MemberId,
    pub(super) from: MemberId,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
}

/// What an envelope means for the link.
#[derive(Debug)]
pub(super) enum Received<'a> {
    /// The other side has begun again: this side has to forget what it knew of it, and do the same.
    BegunAgain,
    /// It is from a time before the present link.
    Stale,
    Nothing,
    Body(Body<'a>),
}

#[derive(Debug)]
pub(super) struct Link {
    mine: MemberId,
    theirs: Option<MemberId>,
    outbox: Outbox,
    inbox: Inbox,
    /// There was an acknowledgement since the last heartbeat, or nothing waits for one.
    moved: bool,
    /// Heartbeats since the other side was heard.
    pub(super) silent: u32,
    /// An envelope is due even if there is nothing else to say.
    greets: bool,
}

impl Link {
    pub(super) fn new(name: u64) -> Self {
        Self {
            mine: MemberId(name),
            theirs: None,
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            moved: true,
            silent: 0,
            greets: true,
        }
    }

    /// Adds a message. `false`: the other side is too far behind.
    pub(super) fn push(&mut self, mut body: Body<'_>) -> bool {
        self.outbox.push(None, |number| {
            body.n = number;
            serde_json::to_string(&body).unwrap_or_default().into()
        });
        let (messages, octets) = self.outbox.size();
        messages <= WAITING.0 && octets <= WAITING.1
    }

    /// The next envelope to send: with a message, with an acknowledgement that is due, or as a
    /// greeting.
    pub(super) fn next(&mut self, from: MemberId) -> Option<Text> {
        if let Some(body) = self.outbox.next() {
            return Some(self.envelope(from, &format!(r#","m":{body}"#)));
        }
        let is_due = self.inbox.due().is_some() || self.greets;
        is_due.then(|| self.envelope(from, ""))
    }

    /// Says to the other side that this one is there, even if there is nothing else to say.
    pub(super) fn greet(&mut self) {
        self.greets = true;
    }

    fn envelope(&mut self, from: MemberId, rest: &str) -> Text {
        let ack = self.inbox.resume();
        self.greets = false;
        let mine = self.mine;
        let yours = self.theirs.map_or("null".to_owned(), |theirs| format!(r#""{theirs}""#));
        format!(r#"{{"from":"{from}","mine":"{mine}","yours":{yours},"ack":{ack}{rest}}}"#).into()
    }

    /// A heartbeat has passed: what has not been acknowledged since the one before is sent again.
    pub(super) fn heartbeat(&mut self) {
        self.silent = self.silent.saturating_add(1);
        if !std::mem::take(&mut self.moved) {
            self.outbox.rewind();
        }
        self.moved |= self.outbox.size().0 == 0;
        self.greets = true;
    }

    pub(super) fn receive<'a>(&mut self, envelope: &Envelope<'a>) -> Received<'a> {
        if envelope.yours.is_some_and(|yours| yours != self.mine) {
            return Received::Stale;
        }
        match self.theirs {
            Some(theirs) if theirs != envelope.mine => return Received::BegunAgain,
            _ => self.theirs = Some(envelope.mine),
        }
        self.silent = 0;
        let before = self.outbox.size().0;
        // Who does not know this side's name yet has nothing of it to acknowledge.
        if envelope.yours.is_some() && self.outbox.acknowledge(envelope.ack).is_err() {
            tracing::warn!("a server acknowledges what was not sent");
        }
        self.moved |= self.outbox.size().0 < before;
        let Some(raw) = envelope.m else { return Received::Nothing };
        let body: Body<'a> = match serde_json::from_str(raw.get()) {
            Ok(body) => body,
            Err(error) => {
                tracing::warn!(%error, "a message of a server is not understood");
                return Received::Nothing;
            }
        };
        match self.inbox.accept(body.n) {
            Ok(true) => Received::Body(body),
            // It was there before, or one before it is lost and will come again.
            Ok(false) | Err(_) => Received::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn numbered(number: u64) -> Body<'static> {
        Body { expel: Some(MemberId(number)), ..Body::default() }
    }

    /// Two links over a carrier that loses; in the first half of the time a side begins again now
    /// and then.
    fn run(seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let mut names = 0..;
        let mut new = || Link::new(names.next().unwrap());
        let mut links = [new(), new()];
        let mut ways: [VecDeque<Text>; 2] = Default::default();
        // What each side has pushed on its present link, and what it got on it.
        let (mut pushed, mut got) = ([0_u64; 2], [0_u64; 2]);
        for step in 0..20_000 {
            let side = random.random_range(0..2);
            match random.random_range(0..4) {
                0 if pushed[side] < 40 => {
                    pushed[side] += 1;
                    assert!(links[side].push(numbered(pushed[side])));
                }
                1 if random.random_bool(0.1) => links[side].heartbeat(),
                2 => ways[side].extend(links[side].next(MemberId(side as u64))),
                3 if step < 10_000 && random.random_bool(0.005) => {
                    links[side] = new();
                    (pushed[side], got[side]) = (0, 0);
                }
                _ => {}
            }
            // NATS keeps the order; a connection that is made again loses some.
            let Some(text) = ways[1 - side].pop_front().filter(|_| random.random_bool(0.9)) else {
                continue;
            };
            let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
            let mut received = links[side].receive(&envelope);
            if matches!(received, Received::BegunAgain) {
                links[side] = new();
                (pushed[side], got[side]) = (0, 0);
                received = links[side].receive(&envelope);
            }
            match received {
                Received::Body(body) => {
                    got[side] += 1;
                    assert_eq!(body.expel, Some(MemberId(got[side])), "seed {seed}, step {step}");
                }
                Received::BegunAgain => panic!("seed {seed}: a new link knows nobody"),
                Received::Stale => links[side].greet(),
                Received::Nothing => {}
            }
        }
        // In the calm each side has pushed up to 40, and all of that has arrived.
        assert_eq!(pushed, [40, 40], "seed {seed}");
        assert_eq!(got, pushed, "seed {seed}");
    }

    #[test]
    fn messages_arrive_once_and_in_order_whatever_is_lost_and_whoever_begins_again() {
        for seed in 0..100 {
            run(seed);
        }
    }
}
