//! The responder: names for addresses of our own, and who is told them.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use smallvec::SmallVec;
use time::{Duration, Instant, earlier, later};

use crate::PORT;
use crate::message::{Entry, Question, QuestionFor, is_response, read_query, read_response};

/// Names at once: one for each address of a machine.
const NAMES: usize = 64;
/// How long a record may be kept: RFC 6762 §10.
const LIFETIME: Duration = Duration::from_secs(120);
/// The same for resolvers without multicast DNS: RFC 6762 §6.7.
const LEGACY_LIFETIME: Duration = Duration::from_secs(10);
/// RFC 6762 §6: a record is multicast once a second on a link, at most.
const INTERVAL: Duration = Duration::from_secs(1);
/// RFC 6762 §8.3: "at least two unsolicited responses, one second apart".
const ANNOUNCEMENTS: u8 = 2;
/// When the first of them is made, unless somebody asks before. The candidate is signalled at once,
/// so the peer asks within this time: an announcement just before would have the answer wait.
const FIRST_ANNOUNCEMENT: Duration = Duration::from_secs(1);
/// RFC 6762 §5.4: after a quarter of its lifetime a record is multicast rather than unicast, so
/// that everybody hears it.
const FRESH: Duration = Duration::from_secs(LIFETIME.as_secs() / 4);
/// Unicast responses in a second, to all askers together. More would make this a reflector for
/// whoever forges the sources of questions.
const UNICAST: usize = 10;
/// What waits for a host that does not poll.
const UNSENT: usize = 256;

/// A link that the host is on, such as the network behind one of its interfaces. The host chooses
/// the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link(pub u32);

/// Whom a response is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Both groups on this link.
    Groups(Link),
    /// One asker, whose question came from this address.
    Unicast(SocketAddr),
}

/// A datagram to send from [`PORT`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Where it goes.
    pub to: Destination,
    /// A message of multicast DNS.
    pub payload: Bytes,
}

/// There are 64 names, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are too many names")]
pub struct TooManyNames;

/// A name of our own.
#[derive(Debug)]
struct Name {
    /// In lower case.
    name: String,
    address: IpAddr,
    /// Where the address is. Nobody is told it elsewhere, nor while it is nowhere.
    link: Option<Link>,
    /// Announcements that are still to be made.
    announcements: u8,
    /// When it is multicast next, and what for.
    due: Option<(Instant, Need)>,
    multicast_at: Option<Instant>,
}

/// What an asker needs. The larger one includes the other: both records are in every response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// That there is no address of the other family.
    Absence,
    Address,
}

impl Name {
    fn entry(&self) -> Entry<'_> {
        Entry { name: &self.name, address: self.address }
    }

    /// Has it multicast as soon as it may be. Whoever asks within a second of another asker is not
    /// refused: the answer that may have been lost is given again when the second is over.
    fn multicast_for(&mut self, now: Instant, need: Need) {
        let allowed = self.multicast_at.map_or(now, |last| later(last, INTERVAL).max(now));
        self.due = Some(match self.due {
            Some((at, other)) => (at.min(allowed), other.max(need)),
            None => (allowed, need),
        });
    }

    fn announce(&mut self, now: Instant) {
        self.announcements = ANNOUNCEMENTS;
        self.multicast_for(later(now, FIRST_ANNOUNCEMENT), Need::Address);
    }

    /// Whether a question for this can be answered with the address.
    fn has(&self, question: QuestionFor) -> bool {
        match question {
            QuestionFor::V4 => self.address.is_ipv4(),
            QuestionFor::V6 => self.address.is_ipv6(),
            QuestionFor::Any => true,
            QuestionFor::Other => false,
        }
    }

    /// Whether a record agrees with ours, and lives long enough that nobody needs to hear ours.
    fn agrees(&self, address: IpAddr, lifetime: Duration) -> bool {
        self.address == address && lifetime >= LIFETIME / 2
    }
}

/// What one query wants of one name.
#[derive(Debug)]
struct Wanted {
    index: usize,
    address: Option<Question>,
    absence: bool,
    is_unicast: bool,
    is_known: bool,
}

/// Answers for names of our own: see the [crate](crate) for how it is driven.
#[derive(Debug, Default)]
pub struct Responder {
    names: Vec<Name>,
    responses: VecDeque<Response>,
    /// The second that counts unicast responses, and how many there were.
    unicast: Option<(Instant, usize)>,
}

impl Responder {
    /// A responder without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of an address, which is announced on its link and may be asked for there. The first
    /// answer is an announcement; if nobody asks, there is one after a second. An address that has a
    /// name already keeps it. `random` makes the name, a version 4 UUID before
    /// `.local` (draft-ietf-mmusic-mdns-ice-candidates §3.1.1), and must be unpredictable. While
    /// the address has no link, the name is known to nobody. It is not probed for, as the draft
    /// says: it is unique.
    ///
    /// # Errors
    /// If there are too many.
    pub fn register(
        &mut self,
        now: Instant,
        address: IpAddr,
        link: Option<Link>,
        random: [u8; 16],
    ) -> Result<&str, TooManyNames> {
        let address = address.to_canonical();
        let known = self.names.iter().position(|name| name.address == address);
        let index = match known {
            Some(index) => index,
            None if self.names.len() >= NAMES => return Err(TooManyNames),
            None => {
                let name = uuid(random) + ".local";
                let fresh = Name {
                    name,
                    address,
                    link: None,
                    announcements: 0,
                    due: None,
                    multicast_at: None,
                };
                self.names.push(fresh);
                self.names.len() - 1
            }
        };
        self.move_to(now, index, link, false);
        self.respond(now);
        self.names.get(index).map(|name| name.name.as_str()).ok_or(TooManyNames)
    }

    /// The network has changed: asks the host again for the link of each address. RFC 6762 §8: the
    /// names are announced as when they were new.
    pub fn network_changed(
        &mut self,
        now: Instant,
        mut link_of: impl FnMut(IpAddr) -> Option<Link>,
    ) {
        for index in 0..self.names.len() {
            let Some(address) = self.names.get(index).map(|name| name.address) else { return };
            self.move_to(now, index, link_of(address), true);
        }
        self.respond(now);
    }

    fn move_to(&mut self, now: Instant, index: usize, link: Option<Link>, anew: bool) {
        let Some(name) = self.names.get_mut(index) else { return };
        if name.link != link {
            // The second of RFC 6762 §6 is one of "that particular interface".
            (name.link, name.multicast_at) = (link, None);
        } else if !anew {
            return;
        }
        (name.due, name.announcements) = (None, 0);
        if link.is_some() {
            name.announce(now);
        }
    }

    /// Gives all names up. Those who have them in their caches hear of it (RFC 6762 §10.1).
    pub fn give_up(&mut self) {
        for name in std::mem::take(&mut self.names) {
            let was_told = name.multicast_at.is_some();
            if let Some(link) = name.link.filter(|_| was_told) {
                self.send(Destination::Groups(link), name.entry().goodbye());
            }
        }
    }

    /// A datagram has come to the port, from an address on these links: the host has several if
    /// its interfaces share a network. If the source is on no link of the host, the host drops the
    /// datagram (RFC 6762 §11).
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        links: &[Link],
        source: SocketAddr,
        datagram: &[u8],
    ) {
        if self.names.is_empty() {
            return;
        }
        let is_read = match is_response(datagram) {
            true => self.on_response(now, links, source, datagram),
            false => self.on_query(now, links, source, datagram),
        };
        if let Err(error) = is_read {
            tracing::trace!(%source, %error, "a datagram of multicast DNS is not read");
        }
        self.respond(now);
    }

    /// RFC 6762 §9 has the owner of a name in conflict probe for it and perhaps take another. A name
    /// with 122 random bits that are known to those who were told meets no other by chance, and
    /// its candidates are signalled: it is kept, and our record is told again.
    fn on_response(
        &mut self,
        now: Instant,
        links: &[Link],
        source: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), crate::message::Unread> {
        // §6: "The source UDP port in all Multicast DNS responses MUST be 5353".
        if source.port() != PORT {
            return Ok(());
        }
        read_response(datagram, |record| {
            for name in self.names.iter_mut().filter(|name| is_asked_on(name, links)) {
                if name.name.as_bytes() == record.name
                    && !name.agrees(record.address, record.time_to_live)
                {
                    tracing::debug!(%source, name = name.name, "another claims or ends our name");
                    name.multicast_for(now, Need::Address);
                }
            }
        })
    }

    fn on_query(
        &mut self,
        now: Instant,
        links: &[Link],
        source: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), crate::message::Unread> {
        let names = &self.names;
        let mut wanted: SmallVec<[Wanted; 4]> = SmallVec::new();
        let mut known: SmallVec<[(Vec<u8>, IpAddr); 4]> = SmallVec::new();
        let id = read_query(
            datagram,
            |question| {
                let asked = |n: &Name| n.name.as_bytes() == question.name && is_asked_on(n, links);
                let Some(index) = names.iter().position(asked) else { return };
                let has = names.get(index).is_some_and(|name| name.has(question.is_for));
                let at = wanted.iter().position(|of| of.index == index).unwrap_or_else(|| {
                    let (address, absence, is_unicast) = (None, false, true);
                    wanted.push(Wanted { index, address, absence, is_unicast, is_known: false });
                    wanted.len() - 1
                });
                let Some(wanted) = wanted.get_mut(at) else { return };
                // All of them must be content with unicast.
                wanted.is_unicast &= question.is_unicast;
                if has {
                    wanted.address.get_or_insert(question);
                } else {
                    wanted.absence = true;
                }
            },
            |record| {
                let ours = |name: &Name| name.name.as_bytes() == record.name;
                if names.iter().any(ours) && record.time_to_live >= LIFETIME / 2 {
                    known.push((record.name, record.address));
                }
            },
        )?;
        for wanted in &mut wanted {
            let name = names.get(wanted.index);
            wanted.is_known = name.is_some_and(|name| {
                known.iter().any(|(of, ip)| *of == name.name.as_bytes() && *ip == name.address)
            });
        }
        for wanted in wanted {
            self.answer(now, source, id, wanted);
        }
        Ok(())
    }

    fn answer(&mut self, now: Instant, source: SocketAddr, id: u16, wanted: Wanted) {
        let Wanted { index, address, absence, is_unicast, is_known } = wanted;
        if source.port() != PORT {
            // §6.7. What such a resolver knows it does not tell.
            if let Some(question) = address
                && self.may_unicast(now)
                && let Some(name) = self.names.get(index)
            {
                let payload = name.entry().legacy(id, &question, LEGACY_LIFETIME);
                self.send(Destination::Unicast(source), payload);
            }
            return;
        }
        // §7.1: what the asker knows is not told again.
        let need = match (address.filter(|_| !is_known), absence) {
            (Some(_), _) => Need::Address,
            (None, true) => Need::Absence,
            (None, false) => return,
        };
        let is_fresh = self.names.get(index).and_then(|name| name.multicast_at);
        let is_fresh = is_fresh.is_some_and(|last| now < later(last, FRESH));
        // Too many of them: then everybody hears it, which has its own limit.
        if is_unicast && is_fresh && self.may_unicast(now) {
            let Some(name) = self.names.get(index) else { return };
            let payload = name.entry().response(need == Need::Absence, LIFETIME);
            self.send(Destination::Unicast(source), payload);
        } else if let Some(name) = self.names.get_mut(index) {
            name.multicast_for(now, need);
        }
    }

    /// Counts a unicast response, if there may be one.
    fn may_unicast(&mut self, now: Instant) -> bool {
        let (since, count) = match self.unicast {
            Some((since, count)) if now < later(since, INTERVAL) => (since, count),
            _ => (now, 0),
        };
        let may = count < UNICAST;
        self.unicast = Some((since, count + usize::from(may)));
        if !may {
            tracing::debug!("too many questions for unicast responses");
        }
        may
    }

    /// Multicasts what is due.
    fn respond(&mut self, now: Instant) {
        let mut sent: SmallVec<[(Link, Bytes); 4]> = SmallVec::new();
        for name in &mut self.names {
            let Some((_, need)) = name.due.take_if(|(at, _)| *at <= now) else { continue };
            let Some(link) = name.link else { continue };
            tracing::trace!(name = name.name, "a name of ours is told");
            sent.push((link, name.entry().response(need == Need::Absence, LIFETIME)));
            name.multicast_at = Some(now);
            name.announcements = name.announcements.saturating_sub(1);
            if name.announcements > 0 {
                name.multicast_for(now, Need::Address);
            }
        }
        for (link, payload) in sent {
            self.send(Destination::Groups(link), payload);
        }
    }

    fn send(&mut self, to: Destination, payload: Bytes) {
        if self.responses.len() < UNSENT {
            self.responses.push_back(Response { to, payload });
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut next = None;
        for name in &self.names {
            earlier(&mut next, name.due.map(|(at, _)| at));
        }
        next
    }

    /// Announces, and answers what had to wait.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.respond(now);
    }

    /// A datagram that is to be sent.
    pub fn poll_response(&mut self) -> Option<Response> {
        self.responses.pop_front()
    }

    /// Whether there is no name, and nothing is left to be polled.
    pub fn is_idle(&self) -> bool {
        self.names.is_empty() && self.responses.is_empty()
    }
}

fn is_asked_on(name: &Name, links: &[Link]) -> bool {
    name.link.is_some_and(|link| links.contains(&link))
}

/// A version 4 UUID in lower case: RFC 9562 §4, §5.4.
fn uuid(random: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(random);
    let versioned = bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let digits = format!("{versioned:032x}");
    let mut uuid = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if [8, 12, 16, 20].contains(&at) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}
