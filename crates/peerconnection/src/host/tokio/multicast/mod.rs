//! Multicast DNS on the interfaces of the machine: the names of remote candidates, and those that
//! addresses of our own hide behind.

mod group;
mod links;

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use mdns::{Destination, Event, Resolver, Responder};
use negotiation::TransportId;
use time::{Instant, earlier};
use tokio::io::ReadBuf;
use tokio::time::Sleep;

use super::{TokioOptions, interfaces};
use crate::host::GenerationId;
use group::Group;
use links::Links;

/// RFC 6762 §17: what a message of multicast DNS has at most.
const MESSAGE: usize = 9_000;
/// Datagrams that are read before something else has its turn.
const BATCH: usize = 32;
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

/// Asks for names, and answers for those of this connection. It has sockets while it waits for an
/// answer, and from the first name of its own on.
#[derive(Default)]
pub(super) struct MulticastDns {
    resolver: Resolver,
    responder: Responder,
    asked: VecDeque<Asked>,
    answers: VecDeque<Answer>,
    groups: Vec<Group>,
    links: Links,
    timer: Option<Pin<Box<Sleep>>>,
    buffer: Vec<u8>,
    /// The log says once why there are no sockets: the peer decides how many names it has.
    has_warned: bool,
}

impl MulticastDns {
    /// Asks for a name on the interfaces that the options allow. [`poll`](Self::poll) goes on.
    pub(super) fn resolve(&mut self, options: &TokioOptions, now: Instant, asked: Asked) {
        let begun = self.open(options).map_err(|error| error.to_string());
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

    /// The name that this address hides behind. draft-ietf-mmusic-mdns-ice-candidates §3.1.1: there
    /// is one even if multicast DNS does not work here, and then nobody can resolve it. `None` if
    /// there are too many.
    pub(super) fn hide(
        &mut self,
        options: &TokioOptions,
        now: Instant,
        address: IpAddr,
    ) -> Option<String> {
        // The log has the reason.
        let _ = self.open(options);
        let link = self.links.with(address);
        if link.is_none() {
            tracing::debug!(%address, "no interface has it, so nobody can resolve its name");
        }
        let name = self.responder.register(now, address, link, rand::random());
        name.inspect_err(|error| tracing::warn!(%error, "an address is left out"))
            .ok()
            .map(str::to_owned)
    }

    /// The interfaces of the machine, or their addresses, may be others now.
    pub(super) fn network_changed(&mut self, options: &TokioOptions, now: Instant) {
        if !self.is_used() {
            return;
        }
        let before = std::mem::take(&mut self.links);
        if self.join(options).is_ok() && self.links != before {
            self.responder.network_changed(now, |address| self.links.with(address));
        }
    }

    /// Whether there are sockets.
    pub(super) fn is_open(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether anybody waits for an answer, or may want one.
    fn is_used(&self) -> bool {
        !self.asked.is_empty() || !self.responder.is_idle()
    }

    /// Gives the names up, closes the sockets and forgets who has asked. Answers that are there
    /// already stay.
    pub(super) fn rest(&mut self) {
        self.responder.give_up();
        self.queue();
        self.groups.iter_mut().for_each(Group::send_last);
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
        if !self.is_used() {
            // The only name was refused.
            if self.is_open() {
                self.rest();
            }
            return false;
        }
        self.resolver.handle_timeout(now);
        self.responder.handle_timeout(now);
        let mut busy = self.receive(cx, now);
        self.queue();
        self.groups.iter_mut().for_each(|group| group.send(cx));
        while let Some(event) = self.resolver.poll_event() {
            let (name, addresses) = match event {
                Event::Resolved { name, addresses } => (name, Ok(addresses.into_vec())),
                Event::NotFound { name } => (name, Err("nobody has answered".to_owned())),
            };
            let asked = std::mem::take(&mut self.asked).into_iter();
            let (of_name, others): (VecDeque<_>, _) = asked.partition(|asked| asked.host == name);
            self.asked = others;
            self.answers.extend(of_name.into_iter().map(|asked| (asked, addresses.clone())));
            busy = true;
        }
        if !self.is_used() {
            self.rest();
            return true;
        }
        busy | self.poll_timer(cx)
    }

    /// Binds the sockets, unless there are any. One family is enough.
    fn open(&mut self, options: &TokioOptions) -> io::Result<()> {
        if self.is_open() {
            return Ok(());
        }
        self.join(options).inspect_err(|error| {
            if !std::mem::replace(&mut self.has_warned, true) {
                tracing::warn!(
                    %error,
                    "no multicast DNS: names of candidates are not resolved, neither the peer's \
                     nor those that addresses here hide behind"
                );
            }
        })
    }

    /// Becomes a member of the groups on the links that there are now.
    fn join(&mut self, options: &TokioOptions) -> io::Result<()> {
        let interfaces = interfaces::of_local_network(options)?;
        self.links = Links::of(&interfaces);
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "there is no interface");
        for is_v4 in [true, false] {
            let ways = self.links.ways(is_v4);
            if let Some(group) = self.groups.iter_mut().find(|group| group.is_v4 == is_v4) {
                group.update(&ways);
            } else if !ways.is_empty() {
                match Group::join(is_v4, &ways) {
                    Ok(group) => self.groups.push(group),
                    Err(error) => {
                        tracing::debug!(%error, is_v4, "no socket for multicast DNS");
                        failure = error;
                    }
                }
            }
        }
        if self.is_open() { Ok(()) } else { Err(failure) }
    }

    fn receive(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        self.buffer.resize(MESSAGE, 0);
        let Self { groups, buffer, links, resolver, responder, .. } = self;
        let mut busy = false;
        groups.retain(|group| {
            for _ in 0..BATCH {
                let mut datagram = ReadBuf::new(buffer);
                match group.socket.poll_recv_from(cx, &mut datagram) {
                    Poll::Pending => return true,
                    Poll::Ready(Ok(source)) => {
                        let near = links.to(source);
                        if near.is_empty() {
                            tracing::trace!(%source, "multicast DNS from beyond the link");
                            continue;
                        }
                        resolver.handle_datagram(source, datagram.filled());
                        responder.handle_datagram(now, &near, source, datagram.filled());
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

    /// Has the sockets send what there is to say.
    fn queue(&mut self) {
        while let Some(question) = self.resolver.poll_transmit() {
            self.groups.iter_mut().for_each(|group| group.queue(None, &question));
        }
        while let Some(response) = self.responder.poll_response() {
            match response.to {
                Destination::Groups(link) => {
                    let groups = self.groups.iter_mut();
                    groups.for_each(|group| group.queue(Some(link), &response.payload));
                }
                Destination::Unicast(asker) => {
                    let of_family = |group: &&mut Group| group.is_v4 == asker.is_ipv4();
                    if let Some(group) = self.groups.iter_mut().find(of_family) {
                        group.queue_to(asker, response.payload);
                    }
                }
            }
        }
    }

    /// Whether there is something to do by now.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let mut deadline = self.resolver.poll_timeout();
        earlier(&mut deadline, self.responder.poll_timeout());
        let Some(deadline) = deadline else { return false };
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

#[cfg(test)]
mod tests {
    use futures::task::noop_waker;
    use time::Duration;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
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

    #[tokio::test]
    async fn sockets_are_there_for_as_long_as_a_name_may_be_asked_for() {
        let waker = noop_waker();
        let cx = &mut Context::from_waker(&waker);
        let (mut names, now) = (MulticastDns::default(), Instant::now());
        let address = ip("127.0.0.1");
        let options = TokioOptions::loopback();
        let name = names.hide(&options, now, address).expect("a name");
        assert_eq!(names.hide(&options, now, address), Some(name.clone()), "another generation");
        // A peer's name that is found leaves the sockets open.
        names.resolve(&options, now, asked("nobody-has-this-name.local"));
        names.poll(cx, now);
        names.poll(cx, now + Duration::from_secs(5));
        assert!(names.next_answer().is_some() && names.is_open());
        names.rest();
        assert!(!names.is_open() && names.timer.is_none());
        assert_ne!(names.hide(&options, now, address), Some(name), "it was given up");
    }

    #[tokio::test]
    async fn an_address_hides_where_there_is_no_multicast_too() {
        let (mut names, now) = (MulticastDns::default(), Instant::now());
        let nowhere =
            TokioOptions { addresses: Some(vec![ip("203.0.113.1")]), ..Default::default() };
        let name = names.hide(&nowhere, now, ip("203.0.113.1")).expect("a name");
        assert!(name.ends_with(".local"));
        assert!(!names.is_open() && names.has_warned);
        names.network_changed(&nowhere, now);
        assert_eq!(names.hide(&nowhere, now, ip("203.0.113.1")), Some(name));
    }
}
