//! The socket of one family.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use bytes::Bytes;
use mdns::Link;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use super::links::Via;

/// Messages that wait for a socket at most; what is lost is asked for again, or answered again.
const UNSENT: usize = 256;

/// Where a message goes.
#[derive(Clone, Copy, Debug)]
enum To {
    Group(Via),
    Asker(SocketAddr),
}

/// A member of the group on the links that it has a way to.
pub(super) struct Group {
    pub(super) socket: UdpSocket,
    pub(super) is_v4: bool,
    address: SocketAddr,
    joined: Vec<(Link, Via)>,
    unsent: VecDeque<(To, Bytes)>,
}

impl Group {
    /// Binds the port, which other programs have too, and joins the group.
    pub(super) fn join(is_v4: bool, ways: &[(Link, Via)]) -> io::Result<Self> {
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
            socket.set_ttl_v4(255)?;
        } else {
            socket.set_only_v6(true)?;
            socket.set_multicast_loop_v6(true)?;
            socket.set_multicast_hops_v6(255)?;
            socket.set_unicast_hops_v6(255)?;
        }
        socket.bind(&SockAddr::from(SocketAddr::new(any, mdns::PORT)))?;
        let mut group = Self {
            socket: UdpSocket::from_std(socket.into())?,
            is_v4,
            address: SocketAddr::new(group, mdns::PORT),
            joined: Vec::new(),
            unsent: VecDeque::new(),
        };
        match group.update(ways) {
            Some(failure) if group.joined.is_empty() => Err(failure),
            _ => Ok(group),
        }
    }

    /// Joins the group on links that are new, and leaves it on those that are gone. Returns the last
    /// failure.
    pub(super) fn update(&mut self, ways: &[(Link, Via)]) -> Option<io::Error> {
        let socket = SockRef::from(&self.socket);
        self.joined.retain(|way| {
            let stays = ways.contains(way);
            if !stays {
                let left = match way.1 {
                    Via::V4(ip) => socket.leave_multicast_v4(&mdns::GROUP_V4, &ip),
                    Via::V6(index) => socket.leave_multicast_v6(&mdns::GROUP_V6, index),
                };
                // The system has left it with the interface.
                left.unwrap_or_else(|error| tracing::trace!(%error, ?way, "not left"));
            }
            stays
        });
        let mut failure = None;
        for way in ways {
            if self.joined.contains(way) {
                continue;
            }
            let joined = match way.1 {
                Via::V4(ip) => socket.join_multicast_v4(&mdns::GROUP_V4, &ip),
                Via::V6(index) => socket.join_multicast_v6(&mdns::GROUP_V6, index),
            };
            match joined {
                Ok(()) => self.joined.push(*way),
                // The interface has another address, and has not forgotten.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => self.joined.push(*way),
                Err(error) => {
                    tracing::debug!(%error, ?way, "the group of multicast DNS is not joined");
                    failure = Some(error);
                }
            }
        }
        failure
    }

    /// Has a message sent to the group, on one link or on all.
    pub(super) fn queue(&mut self, link: Option<Link>, message: &Bytes) {
        for (of, via) in &self.joined {
            if link.is_none_or(|link| link == *of) && self.unsent.len() < UNSENT {
                self.unsent.push_back((To::Group(*via), message.clone()));
            }
        }
    }

    /// Has a message sent to one asker.
    pub(super) fn queue_to(&mut self, asker: SocketAddr, message: Bytes) {
        if self.unsent.len() < UNSENT {
            self.unsent.push_back((To::Asker(asker), message));
        }
    }

    pub(super) fn send(&mut self, cx: &mut Context<'_>) {
        while let Some((to, message)) = self.unsent.front() {
            let sent = self.address_of(*to).map(|to| self.socket.poll_send_to(cx, message, to));
            let sent = match sent {
                Ok(Poll::Pending) => return,
                Ok(Poll::Ready(sent)) => sent.map(|_| ()),
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                tracing::debug!(%error, ?to, "a message of multicast DNS is not sent");
            }
            self.unsent.pop_front();
        }
    }

    /// Sends what the system takes at once; the rest is lost.
    pub(super) fn send_last(&mut self) {
        while let Some((to, message)) = self.unsent.pop_front() {
            let socket = SockRef::from(&self.socket);
            let sent = self.address_of(to).and_then(|to| socket.send_to(&message, &to.into()));
            if let Err(error) = sent {
                tracing::debug!(%error, ?to, "a message of multicast DNS is not sent");
            }
        }
    }

    /// The address to send to. The socket sends to the group on the right link from now on.
    fn address_of(&self, to: To) -> io::Result<SocketAddr> {
        let options = SockRef::from(&self.socket);
        match to {
            To::Group(Via::V4(ip)) => options.set_multicast_if_v4(&ip)?,
            To::Group(Via::V6(index)) => options.set_multicast_if_v6(index)?,
            To::Asker(asker) => return Ok(asker),
        }
        Ok(self.address)
    }
}
