//! Links that go down and come back, and addresses that go and come.

use std::time::Duration;

use tests::namespaced::{Setup, What, between, now};

use crate::call::{CONNECTED, Call, Peer};
use crate::lab::Namespace;

fn is_connected(what: &What) -> bool {
    matches!(what, What::Ice(state) if CONNECTED.contains(&&**state))
}

/// By then a peer has noticed that its interface is down.
const AT_ONCE: Duration = Duration::from_millis(100);

const SECOND: Duration = Duration::from_secs(1);

/// Two peers with two links between them.
struct TwoLinks {
    a: Namespace,
    b: Namespace,
    call: Call,
}

impl TwoLinks {
    fn new() -> Self {
        let (a, b) = (Namespace::new("a"), Namespace::new("b"));
        a.link(("eth0", "10.1.0.1/24"), &b, ("eth0", "10.1.0.2/24"));
        a.link(("eth1", "10.2.0.1/24"), &b, ("eth1", "10.2.0.2/24"));
        let call = Call::start((&a, Setup::default()), (&b, Setup::default()));
        call.connected();
        call.flow(SECOND / 2);
        Self { a, b, call }
    }

    /// The number of the link in use, from 0.
    fn link(&self) -> u8 {
        let links = self.call.peers().map(|peer| match peer.pair().local.address.get(..5) {
            Some("10.1.") => 0,
            Some("10.2.") => 1,
            _ => panic!("{}", peer.story()),
        });
        assert_eq!(links[0], links[1], "{}", self.call.story());
        links[0]
    }

    /// Loses the link in use, which one peer sees at once, and goes on over the other one within
    /// that time.
    fn lose(
        self,
        how: &str,
        who: fn(&Call) -> &Peer,
        lose: impl FnOnce(&Self, u8),
        limit: Duration,
    ) {
        let link = self.link();
        let before = now();
        lose(&self, link);
        let lost = now();
        let disconnected = who(&self.call).ice(before, &["disconnected"]);
        println!("{how}: disconnected after {disconnected:?}");
        let connected = who(&self.call).ice(before, CONNECTED);
        println!("{how}: connected again after {connected:?}");
        let heard = self.call.peers().map(|peer| peer.hears(lost));
        println!("{how}: A and B hear each other after {heard:?}");
        self.call.flow(SECOND);
        let silence = self.call.peers().map(|peer| peer.silence(before));
        println!("{how}: the longest silences of A and B are {silence:?}");

        let story = || self.call.story();
        assert!(disconnected < AT_ONCE, "{}", story());
        assert!(connected < limit && heard.iter().max() < Some(&limit), "{}", story());
        assert!(silence.iter().max() < Some(&limit), "{}", story());
        assert_eq!(self.link(), 1 - link, "{}", story());
        for peer in self.call.peers() {
            assert!(CONNECTED.contains(&&*peer.ice_now()), "{}", story());
            assert!(!restarted(peer, before), "{}", story());
        }
        self.call.finish();
    }
}

/// Whether there was any signaling.
fn restarted(peer: &Peer, since: u64) -> bool {
    peer.has(since, |what| matches!(what, What::Signal(_)))
}

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_other_link_takes_over_when_the_controlling_side_sets_one_down() {
    let lose = |of: &TwoLinks, link| of.a.ip(&format!("link set eth{link} down"));
    TwoLinks::new().lose("A sets a link down", |call| &call.a, lose, SECOND);
}

/// The controlling side sees that the carrier is gone, within a second.
#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_other_link_takes_over_when_the_controlled_side_sets_one_down() {
    let lose = |of: &TwoLinks, link| of.b.ip(&format!("link set eth{link} down"));
    TwoLinks::new().lose("B sets a link down", |call| &call.b, lose, 2 * SECOND);
}

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_other_link_takes_over_when_the_controlling_side_loses_an_address() {
    let lose = |of: &TwoLinks, link: u8| {
        of.a.ip(&format!("address del 10.{}.0.1/24 dev eth{link}", link + 1));
    };
    TwoLinks::new().lose("A loses an address", |call| &call.a, lose, SECOND);
}

/// The controlling side hears nothing any more, and has no other sign.
#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_other_link_takes_over_when_the_controlled_side_loses_an_address() {
    let lose = |of: &TwoLinks, link: u8| {
        of.b.ip(&format!("address del 10.{}.0.2/24 dev eth{link}", link + 1));
    };
    TwoLinks::new().lose("B loses an address", |call| &call.b, lose, 5 * SECOND);
}

/// The addresses of A, of the router towards A, of B, and of the router towards B.
type Addresses = [&'static str; 4];

const IPV4: Addresses = ["10.1.0.2/24", "10.1.0.1/24", "10.2.0.2/24", "10.2.0.1/24"];
const IPV6: Addresses =
    ["2001:db8:1::2/64", "2001:db8:1::1/64", "2001:db8:2::2/64", "2001:db8:2::1/64"];

/// Two peers on both sides of a router. The second does not see what becomes of the first one's
/// link.
struct OneLink {
    a: Namespace,
    router: Namespace,
    _b: Namespace,
    call: Call,
}

/// The way to everywhere else, by a router with this address.
fn route(router: &str) -> String {
    let family = if router.contains(':') { "-6" } else { "-4" };
    let router = router.split('/').next().unwrap_or_default();
    format!("{family} route add default via {router}")
}

impl OneLink {
    fn new(setup: Setup, addresses: Addresses) -> Self {
        let (a, b, router) = (Namespace::new("a"), Namespace::new("b"), Namespace::router("r"));
        a.link(("eth0", addresses[0]), &router, ("a0", addresses[1]));
        b.link(("eth0", addresses[2]), &router, ("b0", addresses[3]));
        a.ip(&route(addresses[1]));
        b.ip(&route(addresses[3]));
        let call = Call::start((&a, setup.clone()), (&b, setup));
        call.connected();
        call.flow(SECOND / 2);
        Self { a, router, _b: b, call }
    }

    /// Loses the link for a while.
    fn lose(self, how: &str, time: Duration, lose: &str, regain: &[&str]) {
        let before = now();
        self.a.ip(lose);
        let disconnected = self.call.a.ice(before, &["disconnected"]);
        println!("{how}: A is disconnected after {disconnected:?}");
        self.call.flow(time);
        for command in regain {
            self.a.ip(command);
            self.a.wait_for_carrier("eth0");
        }
        let back = now();
        let heard = self.call.peers().map(|peer| peer.hears(back));
        println!("{how}: A and B hear each other after {heard:?}");
        let connected = self.call.a.until(before, "connected", is_connected);
        println!("{how}: A is connected again after {:?}", between(back, connected));
        self.call.flow(SECOND / 2);

        let story = || self.call.story();
        assert!(disconnected < AT_ONCE, "{}", story());
        assert!(heard.iter().max() < Some(&(2 * SECOND)), "{}", story());
        for peer in self.call.peers() {
            assert!(CONNECTED.contains(&&*peer.ice_now()), "{}", story());
            assert!(!restarted(peer, before), "{}", story());
        }
        self.call.finish();
    }
}

// A route goes with its link or its address, and comes back with the next lease.

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_only_link_comes_back_after_three_seconds() {
    let lab = OneLink::new(Setup::default(), IPV4);
    let regain = ["link set eth0 up", &route(IPV4[1])];
    lab.lose("3 s", 3 * SECOND, "link set eth0 down", &regain);
}

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_only_link_comes_back_after_ten_seconds() {
    let lab = OneLink::new(Setup::default(), IPV4);
    let regain = ["link set eth0 up", &route(IPV4[1])];
    lab.lose("10 s", 10 * SECOND, "link set eth0 down", &regain);
}

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_only_address_comes_back() {
    let lab = OneLink::new(Setup::default(), IPV4);
    let regain = ["address add 10.1.0.2/24 dev eth0", &route(IPV4[1])];
    lab.lose("an address", 3 * SECOND, "address del 10.1.0.2/24 dev eth0", &regain);
}

/// Addresses of IPv6 go with the link.
#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn the_only_link_and_its_ipv6_address_come_back() {
    let lab = OneLink::new(Setup::default(), IPV6);
    let address = format!("address add {} dev eth0 nodad", IPV6[0]);
    let regain = ["link set eth0 up", &address, &route(IPV6[1])];
    lab.lose("IPv6", 3 * SECOND, "link set eth0 down", &regain);
}

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn a_new_link_is_used_by_itself_when_the_old_one_goes() {
    let (a, b) = (Namespace::new("a"), Namespace::new("b"));
    a.link(("eth0", "10.1.0.1/24"), &b, ("eth0", "10.1.0.2/24"));
    let setup = Setup { restart_on_network_change: true, ..Setup::default() };
    let call = Call::start((&a, setup.clone()), (&b, setup));
    call.connected();
    call.flow(SECOND / 2);

    let appears = now();
    a.link(("eth1", "10.2.0.1/24"), &b, ("eth1", "10.2.0.2/24"));
    // Both restart, perhaps at once.
    call.flow(SECOND);
    assert!(call.peers().iter().any(|peer| restarted(peer, appears)), "{}", call.story());
    let silence = call.peers().map(|peer| peer.silence(appears));
    println!("a new link: the longest silences of A and B are {silence:?}");
    let before = now();
    a.ip("link set eth0 down");
    let lost = now();
    let heard = call.peers().map(|peer| peer.hears(lost));
    println!("a new link: A and B hear each other after {heard:?}");
    call.flow(SECOND);
    let silence = call.peers().map(|peer| peer.silence(before));
    println!("a new link: the longest silences of A and B are {silence:?}");
    for peer in call.peers() {
        assert!(peer.silence(before) < SECOND, "{}", call.story());
        assert!(peer.pair().local.address.starts_with("10.2."), "{}", call.story());
    }
    call.finish();
}

#[test]
#[ignore = "needs root, iproute2 and nftables"]
fn who_moves_to_another_network_goes_on_there_by_itself() {
    let setup = Setup { restart_on_network_change: true, ..Setup::default() };
    let lab = OneLink::new(setup, IPV4);
    let before = now();
    lab.a.ip("link set eth0 down");
    lab.call.flow(2 * SECOND);
    lab.a.link(("eth1", "10.3.0.2/24"), &lab.router, ("a1", "10.3.0.1/24"));
    lab.a.ip("route add default via 10.3.0.1");
    let moved = now();
    let heard = lab.call.peers().map(|peer| peer.hears(moved));
    println!("another network: A and B hear each other after {heard:?}");
    lab.call.flow(SECOND / 2);
    assert!(heard.iter().max() < Some(&(2 * SECOND)), "{}", lab.call.story());
    assert!(restarted(&lab.call.a, before), "{}", lab.call.story());
    assert_eq!(lab.call.a.pair().local.address, "10.3.0.2", "{}", lab.call.story());
    lab.call.finish();
}
