//! The resolver: which names are asked for, when, and what becomes of them.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use smallvec::SmallVec;
use time::{Duration, Instant, earlier, later};

use crate::message::{question, read_response};
use crate::{PORT, is_hostname};

/// Names that are asked for at once: a browser has one for each address, shared by its connections.
const NAMES: usize = 64;
/// Addresses of one name that are kept.
const ADDRESSES: usize = 8;
/// RFC 6762 §5.2: at least a second to the second question, and from then on twice as long each
/// time.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// Chromium announces one name a second, and answers a second time no sooner than after one.
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a name is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not one label of 1 to 63 octets before `.local`.
    #[error("it is no name of multicast DNS")]
    NoHostname,
    /// 64 names are being asked for.
    #[error("too many names are being asked for")]
    TooMany,
}

/// What became of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It has these addresses: of the first message that had any, in its order; one at least.
    Resolved {
        /// The name in lower case.
        name: String,
        /// Its addresses, 8 at most.
        addresses: SmallVec<[IpAddr; 2]>,
    },
    /// Nobody has answered within 5 seconds of the last [`Resolver::resolve`].
    NotFound {
        /// The name in lower case.
        name: String,
    },
}

/// A name that is asked for.
#[derive(Debug)]
struct Question {
    /// In lower case: Chromium answers to no other.
    name: String,
    /// When it is asked for again.
    ask_at: Instant,
    /// The time from that question to the next one.
    interval: Duration,
    deadline: Instant,
}

/// Resolves names: see the [crate](crate) for how it is driven.
#[derive(Debug, Default)]
pub struct Resolver {
    questions: Vec<Question>,
    transmits: VecDeque<Bytes>,
    events: VecDeque<Event>,
}

impl Resolver {
    /// A resolver that asks for nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the addresses of a name: [`Event`] tells. One that is being asked for already is
    /// not asked for again, whatever the case of its letters: its 5 seconds begin anew.
    ///
    /// # Errors
    /// If this is no name of multicast DNS, or too many are asked for.
    pub fn resolve(&mut self, now: Instant, name: &str) -> Result<(), Refused> {
        if !is_hostname(name) {
            return Err(Refused::NoHostname);
        }
        let name = name.to_ascii_lowercase();
        let deadline = later(now, DEADLINE);
        if let Some(asked) = self.questions.iter_mut().find(|question| question.name == name) {
            // The next question keeps its time: whoever asks often has nobody asked more often.
            asked.deadline = deadline;
            return Ok(());
        }
        if self.questions.len() >= NAMES {
            return Err(Refused::TooMany);
        }
        self.questions.push(Question { name, ask_at: now, interval: FIRST_INTERVAL, deadline });
        self.ask(now);
        Ok(())
    }

    /// A datagram has come to the port, from an address on the link.
    pub fn handle_datagram(&mut self, source: SocketAddr, datagram: &[u8]) {
        // RFC 6762 §6: "The source UDP port in all Multicast DNS responses MUST be 5353".
        if self.questions.is_empty() || source.port() != PORT {
            return;
        }
        let mut found: SmallVec<[(usize, IpAddr); 4]> = SmallVec::new();
        let read = read_response(datagram, |record| {
            let asked = |question: &Question| question.name.as_bytes() == record.name;
            let Some(index) = self.questions.iter().position(asked) else { return };
            // §10.1: a goodbye. The browser has left the page.
            if record.time_to_live.is_zero() {
                tracing::debug!(%source, "a name that is asked for is given up");
            } else if !found.contains(&(index, record.address)) {
                found.push((index, record.address));
            }
        });
        if let Err(error) = read {
            tracing::trace!(%source, %error, "a datagram of multicast DNS is not read");
        }
        // From the last, since each is removed.
        for index in (0..self.questions.len()).rev() {
            let of_name = found.iter().filter(|(of, _)| *of == index);
            let addresses: SmallVec<_> = of_name.map(|(_, ip)| *ip).take(ADDRESSES).collect();
            if !addresses.is_empty() {
                let Question { name, .. } = self.questions.remove(index);
                tracing::debug!(name, %source, "a name is resolved");
                self.events.push_back(Event::Resolved { name, addresses });
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut next = None;
        for question in &self.questions {
            earlier(&mut next, Some(question.ask_at.min(question.deadline)));
        }
        next
    }

    /// Asks again where nobody has answered, and gives up where the time is over. However late it
    /// is, a name is asked for once.
    pub fn handle_timeout(&mut self, now: Instant) {
        let over = self.questions.extract_if(.., |question| question.deadline <= now);
        self.events.extend(over.map(|question| Event::NotFound { name: question.name }));
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        for due in self.questions.iter_mut().filter(|question| question.ask_at <= now) {
            self.transmits.push_back(question(&due.name));
            due.ask_at = later(now, due.interval);
            due.interval = due.interval.saturating_mul(2);
        }
    }

    /// A question that is to be sent from [`PORT`](crate::PORT) to the groups.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.transmits.pop_front()
    }

    /// What became of a name.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether nothing is asked for, and nothing is left to be polled.
    pub fn is_idle(&self) -> bool {
        self.questions.is_empty() && self.transmits.is_empty() && self.events.is_empty()
    }
}
