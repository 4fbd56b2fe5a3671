//! The client's end of a session, without a socket and without a clock.

use std::collections::BTreeSet;

use peerconnection::SignalingMessage;

use crate::link::{Inbox, Outbox};
use crate::protocol::{FromServer, Join, MemberId, Refusal, Resume, SessionToken, Text, object};

/// What has happened in the room.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The session has begun. `within`: for how many seconds after a cut the server waits.
    Joined {
        me: MemberId,
        within: u64,
    },
    /// The session goes on after a cut.
    Resumed,
    Entered(MemberId),
    Left(MemberId),
    Message(MemberId, SignalingMessage),
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Refused(Refusal),
    /// The server says what the protocol does not have.
    Malformed(String),
}

#[derive(Debug)]
pub(crate) struct Session {
    join: Join,
    token: Option<SessionToken>,
    /// Whether the present connection has been answered.
    answered: bool,
    members: BTreeSet<MemberId>,
    outbox: Outbox,
    inbox: Inbox,
}

impl Session {
    pub(crate) fn new(join: Join) -> Self {
        Self {
            join,
            token: None,
            answered: false,
            members: BTreeSet::new(),
            outbox: Outbox::default(),
            inbox: Inbox::default(),
        }
    }

    /// The first message of a new connection.
    pub(crate) fn hello(&mut self) -> Text {
        self.answered = false;
        match self.token {
            None => object("join", &self.join),
            Some(session) => object("resume", &Resume { session, received: self.inbox.received() }),
        }
    }

    /// How many messages the server has not acknowledged.
    pub(crate) fn waiting(&self) -> usize {
        self.outbox.size().0
    }

    pub(crate) fn send(&mut self, to: MemberId, message: &SignalingMessage) {
        // A type of this workspace, all of whose values are JSON.
        let data = serde_json::to_string(message).unwrap_or_default();
        self.outbox
            .push(None, |number| format!(r#"{{"n":{number},"to":"{to}","data":{data}}}"#).into());
    }

    /// The next message for the connection to write.
    pub(crate) fn next_message(&mut self) -> Option<Text> {
        if !self.answered {
            return None;
        }
        self.outbox.next().or_else(|| Some(object("ack", &self.inbox.take_due()?)))
    }

    /// Takes a message of the connection, and gives what has happened.
    pub(crate) fn receive(&mut self, text: &str) -> Result<Vec<Event>, Failure> {
        let malformed = |what: &str| Failure::Malformed(what.to_owned());
        let message: FromServer<'_> =
            serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
        if let Some(refusal) = message.error {
            return Err(Failure::Refused(refusal));
        }
        if !self.answered {
            return self.answer(&message);
        }
        if let Some(number) = message.ack {
            self.outbox.acknowledge(number).map_err(|error| malformed(&error.to_string()))?;
        }
        let Some(number) = message.n else { return Ok(Vec::new()) };
        if !self.inbox.accept(number).map_err(|error| malformed(&error.to_string()))? {
            return Ok(Vec::new());
        }
        let event = match (message.entered, message.left, message.from, message.data) {
            (Some(member), None, None, None) => {
                self.members.insert(member).then_some(Event::Entered(member))
            }
            (None, Some(member), None, None) => {
                self.members.remove(&member).then_some(Event::Left(member))
            }
            (None, None, Some(from), Some(data)) => match serde_json::from_str(data.get()) {
                Ok(data) if self.members.contains(&from) => Some(Event::Message(from, data)),
                Ok(_) => None,
                // It is the other member who says it, and that must not end this one's session.
                Err(error) => {
                    tracing::warn!(%from, %error, "what a member says is no signaling");
                    None
                }
            },
            // A later version of the protocol may have more.
            _ => None,
        };
        Ok(event.into_iter().collect())
    }

    fn answer(&mut self, message: &FromServer<'_>) -> Result<Vec<Event>, Failure> {
        match (&message.joined, message.resumed) {
            (Some(joined), None) if self.token.is_none() => {
                self.token = Some(joined.session);
                self.answered = true;
                self.members = joined.members.iter().copied().collect();
                let begun = Event::Joined { me: joined.me, within: joined.within };
                let there = joined.members.iter().map(|member| Event::Entered(*member));
                Ok(std::iter::once(begun).chain(there).collect())
            }
            (None, Some(resumed)) if self.token.is_some() => {
                let resume = self.outbox.resume(resumed.received);
                resume.map_err(|error| Failure::Malformed(error.to_string()))?;
                self.inbox.resume();
                self.answered = true;
                Ok(vec![Event::Resumed])
            }
            _ => Err(Failure::Malformed("the answer to the first message is missing".to_owned())),
        }
    }
}
