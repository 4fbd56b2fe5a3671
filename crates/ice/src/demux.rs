//! Many agents behind one UDP port: whom a datagram is for.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use slab::Slab;
use smallvec::SmallVec;
use time::{Duration, Instant};
use turn::canonical;

const HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_a442u32.to_be_bytes();
const USERNAME: u16 = 0x0006;
/// For how long a response is recognised. A transaction lasts 39.5 s (RFC 8489 §6.2.1).
const PATIENCE: Duration = Duration::from_secs(60);
/// Requests of one member whose responses are recognised: more than an agent sends in that time.
const MAX_ASKED: usize = 2048;
/// Addresses that lead to one member. The one that was confirmed least recently goes first.
const MAX_ADDRESSES: usize = 64;
/// How long an address that has answered stays with its owner without another answer: consent asks
/// for one every 6 s at most (RFC 7675 §5.1), so that two may be lost.
const HELD: Duration = Duration::from_secs(15);

type TransactionId = [u8; 12];

/// One of those who share a port: a base of one generation of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MemberId(usize);

/// Says for which agent a datagram is that has come to a port which many share.
///
/// Each *member* is a base of one generation, known by the
/// [username fragment](Self::set_username_fragment) of that generation. A request is for the members
/// with the username fragment in its USERNAME (RFC 8445 §7.3), a response for the one whose request
/// it answers, and all else is for whom the remote address belongs to.
///
/// # Addresses
///
/// A remote address belongs to one *owner*: an agent, all of whose members share what comes from
/// there. An agent gets it once it has authenticated a check from there, or the answer to one of its
/// own: [`confirm`](Self::confirm). If another owner has it, only an answer counts, for a source can
/// be forged; and as long as the other gets answers itself, nothing does. Until then checks from
/// there are kept from the second agent, which thus takes another pair, rather than one on which its
/// packets would go to the first.
///
/// What comes from anybody else leaves no trace, so that no stranger can make this grow. The rest is
/// bounded for each member.
///
/// ```
/// use std::time::{Duration, Instant};
/// use peerconnection_ice::Demux;
///
/// # fn main() -> Result<(), std::net::AddrParseError> {
/// let now = Instant::now();
/// let (here, there) = ("192.0.2.1".parse()?, "198.51.100.7:4000".parse()?);
/// let mut demux = Demux::new();
/// let member = demux.add("an agent", here, "its queue");
/// demux.set_username_fragment(member, "fragment");
/// let dtls = [22, 254, 253];
/// assert!(demux.route(now, here, there, &dtls).is_empty());
/// // The agent says that a check from there was authentic.
/// let check = [0; 20];
/// assert!(demux.confirm(now, member, there, &check));
/// assert_eq!(demux.route(now, here, there, &dtls).as_slice(), [member]);
/// assert_eq!(demux.get(member), Some(&"its queue"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Demux<O, T> {
    members: Slab<Member<O, T>>,
    by_name: HashMap<Box<str>, SmallVec<[MemberId; 1]>>,
    by_address: HashMap<(IpAddr, SocketAddr), Holder<O>>,
    by_transaction: HashMap<TransactionId, MemberId>,
}

#[derive(Debug)]
struct Member<O, T> {
    owner: O,
    local: IpAddr,
    username_fragment: Option<Box<str>>,
    /// The addresses that lead here, the one that was confirmed last at the end.
    addresses: SmallVec<[SocketAddr; 2]>,
    /// The requests whose responses are recognised, the oldest first.
    asked: VecDeque<(TransactionId, Instant)>,
    value: T,
}

/// Whom an address belongs to.
#[derive(Debug)]
struct Holder<O> {
    owner: O,
    /// The members that it leads to, the oldest first.
    members: SmallVec<[MemberId; 1]>,
    /// When something was last answered from there.
    answered_at: Option<Instant>,
}

impl<O: Eq> Holder<O> {
    /// Whether another owner must keep away.
    fn keeps_from(&self, now: Instant, other: &O) -> bool {
        let lasts = |at: Instant| now.saturating_duration_since(at) < HELD;
        self.owner != *other && self.answered_at.is_some_and(lasts)
    }
}

impl<O: Copy + Eq, T> Demux<O, T> {
    /// Nobody shares the port yet.
    pub fn new() -> Self {
        Self {
            members: Slab::new(),
            by_name: HashMap::new(),
            by_address: HashMap::new(),
            by_transaction: HashMap::new(),
        }
    }

    /// Adds a base at this local address. All members of an agent have the same owner.
    pub fn add(&mut self, owner: O, local: IpAddr, value: T) -> MemberId {
        MemberId(self.members.insert(Member {
            owner,
            local: local.to_canonical(),
            username_fragment: None,
            addresses: SmallVec::new(),
            asked: VecDeque::new(),
            value,
        }))
    }

    /// Sets what requests for this member have in their USERNAME. Members may have the same: each
    /// gets the requests with it, and authenticates its own.
    pub fn set_username_fragment(&mut self, member: MemberId, username_fragment: &str) {
        let Some(of) = self.members.get_mut(member.0) else { return };
        let before = of.username_fragment.replace(username_fragment.into());
        self.forget_name(before, member);
        self.by_name.entry(username_fragment.into()).or_default().push(member);
    }

    /// Forgets a member with all that leads to it. The caller must not name it again: another may
    /// get its id.
    pub fn remove(&mut self, member: MemberId) -> Option<T> {
        let removed = self.members.try_remove(member.0)?;
        self.forget_name(removed.username_fragment, member);
        for address in removed.addresses {
            self.lead_away(removed.local, address, member);
        }
        for (id, _) in removed.asked {
            self.by_transaction.remove(&id);
        }
        Some(removed.value)
    }

    /// What was added with a member.
    pub fn get(&self, member: MemberId) -> Option<&T> {
        self.members.get(member.0).map(|member| &member.value)
    }

    /// All that was added.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.members.iter().map(|(_, member)| &member.value)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody shares the port.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether packets from there belong to somebody.
    pub fn is_held(&self, local: IpAddr, source: SocketAddr) -> bool {
        self.by_address.contains_key(&key(local, source))
    }

    /// Whom a datagram is for that has come from `source` to the address `local` of this machine:
    /// nobody, or members of one owner. Only if two generations have the same username fragment,
    /// there may be more owners. Members of one owner get the datagram once, if it is not STUN: the
    /// agent knows which of them takes it.
    pub fn route(
        &self,
        now: Instant,
        local: IpAddr,
        source: SocketAddr,
        datagram: &[u8],
    ) -> SmallVec<[MemberId; 1]> {
        let key = key(local, source);
        let holder = self.by_address.get(&key);
        let asked: &[MemberId] = match Kind::of(datagram) {
            Kind::Request => {
                let name = username_fragment(datagram);
                name.and_then(|name| self.by_name.get(name)).map_or(&[], SmallVec::as_slice)
            }
            Kind::Response(id) => self.by_transaction.get(&id).map_or(&[], std::slice::from_ref),
            Kind::Other => {
                return holder.map(|holder| holder.members.clone()).unwrap_or_default();
            }
        };
        let may = |member: &&MemberId| {
            self.members.get(member.0).is_some_and(|of| {
                of.local == key.0 && !holder.is_some_and(|holder| holder.keeps_from(now, &of.owner))
            })
        };
        let routed: SmallVec<_> = asked.iter().filter(may).copied().collect();
        if routed.len() < asked.len() {
            tracing::debug!(%source, "a check between addresses that belong to another agent");
        }
        routed
    }

    /// Notes what a member sends, so that a response finds it. All but requests is ignored.
    pub fn sent(&mut self, now: Instant, member: MemberId, datagram: &[u8]) {
        let Kind::Request = Kind::of(datagram) else { return };
        let Some(id) = transaction_id(datagram) else { return };
        let Some(of) = self.members.get_mut(member.0) else { return };
        while let Some((oldest, at)) = of.asked.front()
            && (now.saturating_duration_since(*at) > PATIENCE || of.asked.len() >= MAX_ASKED)
        {
            self.by_transaction.remove(oldest);
            of.asked.pop_front();
        }
        // Retransmissions have the same id.
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.by_transaction.entry(id) {
            vacant.insert(member);
            of.asked.push_back((id, now));
        }
    }

    /// The agent of a member has authenticated a message, and takes data from its source from now
    /// on. Returns whether the address belongs to its owner now.
    pub fn confirm(
        &mut self,
        now: Instant,
        member: MemberId,
        source: SocketAddr,
        message: &[u8],
    ) -> bool {
        let Some(of) = self.members.get_mut(member.0) else { return false };
        let (owner, local) = (of.owner, of.local);
        let key = key(local, source);
        let mut answered_at = None;
        if let Kind::Response(id) = Kind::of(message)
            && self.by_transaction.get(&id) == Some(&member)
        {
            // Nothing else answers this request.
            answered_at = Some(now);
            self.by_transaction.remove(&id);
            of.asked.retain(|(other, _)| *other != id);
            if of.asked.is_empty() {
                // Most members ask once in five seconds.
                of.asked = VecDeque::new();
            }
        }
        match self.by_address.get_mut(&key) {
            Some(holder) if holder.owner == owner => {
                holder.answered_at = answered_at.or(holder.answered_at);
                if !holder.members.contains(&member) {
                    holder.members.push(member);
                }
            }
            Some(holder) => {
                if answered_at.is_none() || holder.keeps_from(now, &owner) {
                    tracing::debug!(%source, "an address that belongs to another agent");
                    return false;
                }
                tracing::debug!(%source, "an address has another agent's peer now");
                let members = SmallVec::from_iter([member]);
                let before = std::mem::replace(holder, Holder { owner, members, answered_at });
                for other in before.members {
                    if let Some(other) = self.members.get_mut(other.0) {
                        other.addresses.retain(|address| *address != key.1);
                    }
                }
            }
            None => {
                let members = SmallVec::from_iter([member]);
                self.by_address.insert(key, Holder { owner, members, answered_at });
            }
        }
        let Some(of) = self.members.get_mut(member.0) else { return false };
        if of.addresses.last() != Some(&key.1) {
            of.addresses.retain(|address| *address != key.1);
            of.addresses.push(key.1);
        }
        if of.addresses.len() > MAX_ADDRESSES {
            let oldest = of.addresses.remove(0);
            self.lead_away(local, oldest, member);
        }
        true
    }

    fn forget_name(&mut self, name: Option<Box<str>>, member: MemberId) {
        if let Some(name) = name
            && let Some(named) = self.by_name.get_mut(&name)
        {
            named.retain(|other| *other != member);
            if named.is_empty() {
                self.by_name.remove(&name);
            }
        }
    }

    /// An address does not lead to this member any more.
    fn lead_away(&mut self, local: IpAddr, address: SocketAddr, member: MemberId) {
        if let Some(holder) = self.by_address.get_mut(&(local, address)) {
            holder.members.retain(|other| *other != member);
            if holder.members.is_empty() {
                self.by_address.remove(&(local, address));
            }
        }
    }
}

impl<O: Copy + Eq, T> Default for Demux<O, T> {
    fn default() -> Self {
        Self::new()
    }
}

fn key(local: IpAddr, source: SocketAddr) -> (IpAddr, SocketAddr) {
    (local.to_canonical(), canonical(source))
}

/// What a datagram is, as far as its way depends on that.
enum Kind {
    Request,
    Response(TransactionId),
    /// Data, and indications, which ICE uses as keepalives.
    Other,
}

impl Kind {
    fn of(datagram: &[u8]) -> Self {
        /// The class in the type of a message: RFC 8489 §5.
        const CLASS: u16 = 0x0110;
        let Some([a @ 0..=3, b, ..]) = datagram.first_chunk::<HEADER>() else {
            return Self::Other;
        };
        if datagram.get(4..8) != Some(&COOKIE) {
            return Self::Other;
        }
        match (u16::from_be_bytes([*a, *b]) & CLASS, transaction_id(datagram)) {
            (0, _) => Self::Request,
            (0x0100 | 0x0110, Some(id)) => Self::Response(id),
            _ => Self::Other,
        }
    }
}

fn transaction_id(datagram: &[u8]) -> Option<TransactionId> {
    datagram.get(8..HEADER)?.first_chunk().copied()
}

/// The username fragment of the one who is asked: RFC 8445 §7.2.2. The first USERNAME counts, as in
/// the agent (RFC 8489 §14).
fn username_fragment(datagram: &[u8]) -> Option<&str> {
    let mut rest = datagram.get(HEADER..)?;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let [a, b, c, d] = *head;
        let length = usize::from(u16::from_be_bytes([c, d]));
        if u16::from_be_bytes([a, b]) == USERNAME {
            let username = std::str::from_utf8(tail.get(..length)?).ok()?;
            return username.split_once(':').map(|(asked, _)| asked);
        }
        rest = tail.get(length.checked_next_multiple_of(4)?..)?;
    }
    None
}
