//! One NAT: how it maps, filters, forgets. RFC 4787.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use time::{Duration, Instant};

/// Of how much of the other end a mapping (RFC 4787 §4.1) or a filter (§5) depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependence {
    Endpoint,
    Address,
    AddressAndPort,
}

impl Dependence {
    /// Whether two remote ends are the same to who depends on this much of them.
    fn is_same(self, one: SocketAddr, other: SocketAddr) -> bool {
        match self {
            Self::Endpoint => true,
            Self::Address => one.ip() == other.ip(),
            Self::AddressAndPort => one == other,
        }
    }
}

/// The kinds that have names (RFC 3489 §5, RFC 5128 §2), most open first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NatKind {
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
}

impl NatKind {
    pub(crate) const ALL: [Self; 4] =
        [Self::FullCone, Self::AddressRestricted, Self::PortRestricted, Self::Symmetric];

    fn mapping(self) -> Dependence {
        if self == Self::Symmetric { Dependence::AddressAndPort } else { Dependence::Endpoint }
    }

    fn filtering(self) -> Dependence {
        match self {
            Self::FullCone => Dependence::Endpoint,
            Self::AddressRestricted => Dependence::Address,
            Self::PortRestricted | Self::Symmetric => Dependence::AddressAndPort,
        }
    }
}

/// What a NAT remembers of one inner endpoint, or of one of its sessions.
#[derive(Debug)]
pub(super) struct Mapping {
    inside: SocketAddr,
    /// Whoever was sent to first: all that `Nat::mapping` allows are the same.
    toward: SocketAddr,
    outside: SocketAddr,
    /// Who was sent to, and when last.
    partners: BTreeMap<SocketAddr, Instant>,
}

/// A NAT with one outer address.
#[derive(Debug)]
pub(crate) struct Nat {
    pub(crate) outside: IpAddr,
    pub(crate) mapping: Dependence,
    pub(crate) filtering: Dependence,
    /// What goes from inside to an outer address comes in again (RFC 4787 §6).
    pub(crate) hairpins: bool,
    /// Its hosts do not reach each other without it.
    pub(crate) isolates: bool,
    /// How long it remembers after what was sent last. What is received counts for nothing (§4.3).
    pub(crate) life: Duration,
    /// The NAT behind which it is itself.
    pub(crate) behind: Option<usize>,
    pub(super) mappings: Vec<Mapping>,
    pub(super) next_port: u16,
}

impl Nat {
    pub(crate) fn new(outside: &str, kind: NatKind) -> Self {
        Self {
            outside: outside.parse().unwrap(),
            mapping: kind.mapping(),
            filtering: kind.filtering(),
            hairpins: false,
            isolates: false,
            life: Duration::from_secs(30),
            behind: None,
            mappings: Vec::new(),
            next_port: 30_000,
        }
    }

    /// It has forgotten everything.
    pub(crate) fn reboot(&mut self) {
        self.mappings.clear();
        // Nobody finds what was there by chance.
        self.next_port += 1_000;
    }

    fn forget(&mut self, now: Instant) {
        let life = self.life;
        for mapping in &mut self.mappings {
            mapping.partners.retain(|_, at| now < *at + life);
        }
        self.mappings.retain(|mapping| !mapping.partners.is_empty());
    }

    /// From where a packet goes on.
    pub(crate) fn outbound(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
    ) -> SocketAddr {
        self.forget(now);
        let same = |m: &&mut Mapping| m.inside == from && self.mapping.is_same(m.toward, to);
        if let Some(mapping) = self.mappings.iter_mut().find(same) {
            mapping.partners.insert(to, now);
            return mapping.outside;
        }
        self.next_port += 1;
        let outside = SocketAddr::new(self.outside, self.next_port);
        let partners = BTreeMap::from([(to, now)]);
        self.mappings.push(Mapping { inside: from, toward: to, outside, partners });
        outside
    }

    /// To where a packet goes on, if it does.
    pub(crate) fn inbound(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Option<SocketAddr> {
        self.forget(now);
        let mapping = self.mappings.iter().find(|mapping| mapping.outside == to)?;
        let knows = |partner: &SocketAddr| self.filtering.is_same(*partner, from);
        mapping.partners.keys().any(knows).then_some(mapping.inside)
    }
}

const INSIDE: &str = "10.0.0.1:1000";
const ONE: &str = "192.0.2.1:1";
const ITS_OTHER_PORT: &str = "192.0.2.1:2";
const OTHER: &str = "192.0.2.2:1";

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn a_nat_maps_as_much_as_its_kind_says() {
    for (mapping, ports) in [
        (Dependence::Endpoint, [0, 0]),
        (Dependence::Address, [0, 1]),
        (Dependence::AddressAndPort, [1, 2]),
    ] {
        let mut nat = Nat { mapping, ..Nat::new("198.51.100.1", NatKind::FullCone) };
        let now = Instant::now();
        let first = nat.outbound(now, at(INSIDE), at(ONE)).port();
        let others = [ITS_OTHER_PORT, OTHER].map(|to| nat.outbound(now, at(INSIDE), at(to)).port());
        assert_eq!(others.map(|port| port - first), ports, "{mapping:?}");
        assert_eq!(nat.outbound(now, at(INSIDE), at(ONE)).port(), first);
        assert_ne!(nat.outbound(now, at("10.0.0.1:1001"), at(ONE)).port(), first);
    }
}

#[test]
fn a_nat_filters_as_much_as_its_kind_says() {
    for (filtering, expected) in [
        (Dependence::Endpoint, [true, true, true]),
        (Dependence::Address, [true, true, false]),
        (Dependence::AddressAndPort, [true, false, false]),
    ] {
        let mut nat = Nat { filtering, ..Nat::new("198.51.100.1", NatKind::FullCone) };
        let now = Instant::now();
        let outside = nat.outbound(now, at(INSIDE), at(ONE));
        let passes = [ONE, ITS_OTHER_PORT, OTHER]
            .map(|from| nat.inbound(now, at(from), outside) == Some(at(INSIDE)));
        assert_eq!(passes, expected, "{filtering:?}");
        let unmapped = SocketAddr::new(outside.ip(), outside.port() + 1);
        assert_eq!(nat.inbound(now, at(ONE), unmapped), None);
    }
}

#[test]
fn only_what_is_sent_keeps_a_mapping_alive() {
    let life = Duration::from_secs(30);
    let mut nat = Nat::new("198.51.100.1", NatKind::PortRestricted);
    let start = Instant::now();
    let outside = nat.outbound(start, at(INSIDE), at(ONE));
    let sent = start + life / 2;
    assert_eq!(nat.outbound(sent, at(INSIDE), at(ONE)), outside);
    let late = sent + life - Duration::from_millis(1);
    assert!(nat.inbound(late, at(ONE), outside).is_some());
    assert_eq!(nat.inbound(sent + life, at(ONE), outside), None);
    assert_ne!(nat.outbound(sent + life, at(INSIDE), at(ONE)), outside);
    // A session is forgotten, though its mapping lives on with another one.
    let outside = nat.outbound(sent + life, at(INSIDE), at(ONE));
    nat.outbound(sent + life + life / 2, at(INSIDE), at(OTHER));
    assert_eq!(nat.inbound(sent + life * 2, at(ONE), outside), None);
    assert!(nat.inbound(sent + life * 2, at(OTHER), outside).is_some());
}
