//! Multicast DNS on the interfaces of the machine: the names of remote candidates.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use if_addrs::{IfAddr, Interface};
use mdns::{Event, Resolver};
use negotiation::TransportId;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use time::Instant;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::Sleep;

use super::{TokioOptions, interfaces};
use crate::host::GenerationId;

/// RFC 6762 §17: what a message of multicast DNS has at most.
const MESSAGE: usize = 9_000;
/// Datagrams that are read before something else has its turn.
const BATCH: usize = 32;
/// Questions that wait for a socket at most; what is lost is asked again.
const UNSENT: usize = 256;
/// Those who wait for answers at most. The oldest are generations that a peer has replaced at once,
/// again and again; the agent has given their names up by itself.
const ASKED: usize = 256;

/// Who asks for a name.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) transport: TransportId,
    pub(super) generation: GenerationId,
    pub(super) host: String,
}

/// The addresses of a name, or why there are none.
pub(super) type Answer = (Asked, Result<Vec<IpAddr>, String>);

/// Asks for names. It has sockets while it waits for an answer.
#[derive(Default)]
pub(super) struct MulticastDns {
    resolver: Resolver,
    asked: VecDeque<Asked>,
    answers: VecDeque<Answer>,
    groups: Vec<Group>,
    /// The networks that the interfaces are in.
    links: Vec<IfAddr>,
    timer: Option<Pin<Box<Sleep>>>,
    buffer: Vec<u8>,
    /// The log says once why there are no sockets: the peer decides how many names it has.
    has_warned: bool,
}

impl MulticastDns {
    /// Asks for a name on the interfaces that the options allow. [`poll`](Self::poll) goes on.
    pub(super) fn resolve(&mut self, options: &TokioOptions, now: Instant, asked: Asked) {
        let begun = self.open(options).map_err(|error| {
            if !std::mem::replace(&mut self.has_warned, true) {
                tracing::warn!(%error, "no multicast DNS: names of candidates are not resolved");
            }
            error.to_string()
        });
        let begun = begun.and_then(|()| {
            self.resolver.resolve(now, &asked.host).map_err(|refused| refused.to_string())
        });
        match begun {
            Ok(()) => {
                if self.asked.len() >= ASKED {
                    self.asked.pop_front();
                }
                self.asked.push_back(asked);
            }
            Err(why) => self.answers.push_back((asked, Err(why))),
        }
    }

    /// Whether there are sockets.
    pub(super) fn is_open(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Closes the sockets and forgets who has asked. Answers that are there already stay.
    pub(super) fn rest(&mut self) {
        *self = Self {
            answers: std::mem::take(&mut self.answers),
            has_warned: self.has_warned,
            ..Self::default()
        };
    }

    /// The next name that has an answer.
    pub(super) fn next_answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// Does what is due, and has the task woken for what comes next. Whether there was anything.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if self.asked.is_empty() {
            // The only name was refused.
            if self.is_open() {
                self.rest();
            }
            return false;
        }
        self.resolver.handle_timeout(now);
        while let Some(question) = self.resolver.poll_transmit() {
            self.groups.iter_mut().for_each(|group| group.queue(&question));
        }
        self.groups.iter_mut().for_each(|group| group.send(cx));
        let busy = self.receive(cx);
        while let Some(event) = self.resolver.poll_event() {
            let (name, addresses) = match event {
                Event::Resolved { name, addresses } => (name, Ok(addresses.into_vec())),
                Event::NotFound { name } => (name, Err("nobody has answered".to_owned())),
            };
            let asked = std::mem::take(&mut self.asked).into_iter();
            let (of_name, others): (VecDeque<_>, _) = asked.partition(|asked| asked.host == name);
            self.asked = others;
            self.answers.extend(of_name.into_iter().map(|asked| (asked, addresses.clone())));
        }
        if self.asked.is_empty() {
            self.rest();
            return true;
        }
        busy | self.poll_timer(cx)
    }

    /// Binds the sockets, unless there are any. One family is enough.
    fn open(&mut self, options: &TokioOptions) -> io::Result<()> {
        if !self.groups.is_empty() {
            return Ok(());
        }
        let interfaces = interfaces::of_local_network(options)?;
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "there is no interface");
        for is_v4 in [true, false] {
            let mut family: Vec<Via> = Vec::new();
            for via in interfaces.iter().filter(|i| i.ip().is_ipv4() == is_v4).filter_map(Via::new)
            {
                if !family.contains(&via) {
                    family.push(via);
                }
            }
            if family.is_empty() {
                continue;
            }
            match Group::join(is_v4, family) {
                Ok(group) => self.groups.push(group),
                Err(error) => {
                    tracing::debug!(%error, is_v4, "no socket for multicast DNS");
                    failure = error;
                }
            }
        }
        self.links = interfaces.into_iter().map(|interface| interface.addr).collect();
        if self.groups.is_empty() { Err(failure) } else { Ok(()) }
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        self.buffer.resize(MESSAGE, 0);
        let Self { groups, buffer, links, resolver, .. } = self;
        let mut busy = false;
        groups.retain(|group| {
            for _ in 0..BATCH {
                let mut datagram = ReadBuf::new(buffer);
                match group.socket.poll_recv_from(cx, &mut datagram) {
                    Poll::Pending => return true,
                    Poll::Ready(Ok(source)) if is_on_link(links, source.ip()) => {
                        resolver.handle_datagram(source, datagram.filled());
                    }
                    Poll::Ready(Ok(source)) => {
                        tracing::trace!(%source, "multicast DNS from beyond the link");
                    }
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(%error, "a socket of multicast DNS failed");
                        return false;
                    }
                }
            }
            busy = true;
            true
        });
        busy
    }

    /// Whether the resolver has something to do by now.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.resolver.poll_timeout() else { return false };
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

/// RFC 6762 §11: whether this is a neighbour, or the machine itself.
fn is_on_link(links: &[IfAddr], source: IpAddr) -> bool {
    links.iter().any(|link| match (link, source) {
        (IfAddr::V4(link), IpAddr::V4(source)) => link.ip & link.netmask == source & link.netmask,
        (IfAddr::V6(link), IpAddr::V6(source)) => {
            source.is_unicast_link_local() || link.ip & link.netmask == source & link.netmask
        }
        _ => false,
    })
}

/// The interface that a question leaves by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Via {
    V4(Ipv4Addr),
    V6(u32),
}

impl Via {
    fn new(interface: &Interface) -> Option<Self> {
        match interface.ip() {
            IpAddr::V4(ip) => Some(Self::V4(ip)),
            IpAddr::V6(_) => interface.index.map(Self::V6),
        }
    }
}

/// The socket of one family.
struct Group {
    socket: UdpSocket,
    address: SocketAddr,
    interfaces: Vec<Via>,
    unsent: VecDeque<(Via, Bytes)>,
}

impl Group {
    /// Binds the port, which other programs have too, and joins the group on the interfaces.
    fn join(is_v4: bool, interfaces: Vec<Via>) -> io::Result<Self> {
        let (domain, any, group): (_, IpAddr, IpAddr) = if is_v4 {
            (Domain::IPV4, Ipv4Addr::UNSPECIFIED.into(), mdns::GROUP_V4.into())
        } else {
            (Domain::IPV6, Ipv6Addr::UNSPECIFIED.into(), mdns::GROUP_V6.into())
        };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        // The responder of macOS shares the port with nobody else.
        #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        // Peers of the same machine hear the question, and RFC 6762 §11 has a TTL of 255.
        if is_v4 {
            socket.set_multicast_loop_v4(true)?;
            socket.set_multicast_ttl_v4(255)?;
        } else {
            socket.set_only_v6(true)?;
            socket.set_multicast_loop_v6(true)?;
            socket.set_multicast_hops_v6(255)?;
        }
        socket.bind(&SockAddr::from(SocketAddr::new(any, mdns::PORT)))?;
        let mut joined = Vec::new();
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for via in interfaces {
            let result = match via {
                Via::V4(ip) => socket.join_multicast_v4(&mdns::GROUP_V4, &ip),
                Via::V6(index) => socket.join_multicast_v6(&mdns::GROUP_V6, index),
            };
            match result {
                Ok(()) => joined.push(via),
                Err(error) => {
                    tracing::debug!(%error, ?via, "the group of multicast DNS is not joined");
                    failure = error;
                }
            }
        }
        if joined.is_empty() {
            return Err(failure);
        }
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            address: SocketAddr::new(group, mdns::PORT),
            interfaces: joined,
            unsent: VecDeque::new(),
        })
    }

    fn queue(&mut self, question: &Bytes) {
        for via in &self.interfaces {
            if self.unsent.len() < UNSENT {
                self.unsent.push_back((*via, question.clone()));
            }
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        while let Some((via, question)) = self.unsent.front() {
            let options = SockRef::from(&self.socket);
            let chosen = match via {
                Via::V4(ip) => options.set_multicast_if_v4(ip),
                Via::V6(index) => options.set_multicast_if_v6(*index),
            };
            let sent = match chosen {
                Ok(()) => match self.socket.poll_send_to(cx, question, self.address) {
                    Poll::Pending => return,
                    Poll::Ready(sent) => sent.map(|_| ()),
                },
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                tracing::debug!(%error, ?via, "a question of multicast DNS is not sent");
            }
            self.unsent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::task::noop_waker;
    use if_addrs::{Ifv4Addr, Ifv6Addr};
    use time::Duration;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn links() -> Vec<IfAddr> {
        vec![
            IfAddr::V4(Ifv4Addr {
                ip: Ipv4Addr::new(192, 0, 2, 1),
                netmask: Ipv4Addr::new(255, 255, 255, 128),
                prefixlen: 25,
                broadcast: None,
            }),
            IfAddr::V6(Ifv6Addr {
                ip: "2001:db8::1".parse().unwrap(),
                netmask: "ffff:ffff:ffff:ffff::".parse().unwrap(),
                prefixlen: 64,
                broadcast: None,
            }),
        ]
    }

    #[test]
    fn neighbours_are_on_the_link_and_nobody_else_is() {
        for near in ["192.0.2.1", "192.0.2.127", "2001:db8::ffff", "fe80::1"] {
            assert!(is_on_link(&links(), ip(near)), "{near}");
        }
        for far in ["192.0.2.128", "198.51.100.1", "2001:db8:0:1::1", "::1"] {
            assert!(!is_on_link(&links(), ip(far)), "{far}");
        }
    }

    fn asked(host: &str) -> Asked {
        Asked { transport: TransportId(0), generation: GenerationId(0), host: host.to_owned() }
    }

    #[tokio::test]
    async fn sockets_are_there_for_as_long_as_a_name_is_asked_for() {
        let waker = noop_waker();
        let cx = &mut Context::from_waker(&waker);
        let (mut names, now) = (MulticastDns::default(), Instant::now());
        names.resolve(&TokioOptions::loopback(), now, asked("nobody-has-this-name.local"));
        names.poll(cx, now);
        assert_eq!(names.groups.len(), 1, "of IPv4");
        assert!(names.next_answer().is_none());
        names.poll(cx, now + Duration::from_secs(5));
        assert!(names.next_answer().expect("an answer").1.is_err());
        assert!(names.groups.is_empty() && names.timer.is_none());
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_asked_for_fails_at_once() {
        let waker = noop_waker();
        let cx = &mut Context::from_waker(&waker);
        // RFC 5737: nobody has it.
        let nowhere =
            TokioOptions { addresses: Some(vec![ip("203.0.113.1")]), ..Default::default() };
        let cases = [(nowhere, "a.local"), (TokioOptions::loopback(), "a.b.local")];
        for (options, host) in cases {
            let (mut names, now) = (MulticastDns::default(), Instant::now());
            names.resolve(&options, now, asked(host));
            names.poll(cx, now);
            let (asked, addresses) = names.next_answer().expect("an answer");
            assert_eq!(asked.host, host);
            assert!(addresses.is_err());
            assert!(!names.is_open(), "for nobody");
        }
    }

    #[tokio::test]
    async fn names_of_generations_that_are_replaced_again_and_again_do_not_fill_memory() {
        let (mut names, now) = (MulticastDns::default(), Instant::now());
        for generation in 0..1_000 {
            let generation = GenerationId(generation);
            let asked = Asked { generation, ..asked("nobody-has-this-name.local") };
            names.resolve(&TokioOptions::loopback(), now, asked);
        }
        assert_eq!(names.asked.len(), ASKED);
        assert_eq!(names.asked.back().map(|asked| asked.generation), Some(GenerationId(999)));
        assert_eq!(std::iter::from_fn(|| names.resolver.poll_transmit()).count(), 1);
    }
}
