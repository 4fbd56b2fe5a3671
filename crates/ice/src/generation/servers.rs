//! What servers are asked for and what comes of it. Reports servers that give no candidate: RFC
//! 8445 §5.1.1.2, webrtc-pc §4.8.3.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;
use time::{Duration, Instant, earlier, later};
use turn::{BindingEvent, ServerError};

use super::server_client::{ClientKind, End, ServerClient, Urls};
use super::{Context, Generation, Socket};
use crate::event::{Event, NameOf, RelayId, SocketUse};
use crate::server::{CandidateError, Server, TransportPolicy};
use crate::state::GatheringState;

/// What a generation asks servers for.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    pub(crate) policy: TransportPolicy,
    pub(super) list: Vec<Asked>,
    pub(crate) clients: Vec<ServerClient>,
    /// When the names are to be resolved at the latest.
    resolved_by: Option<Instant>,
    /// When the next client begins to ask: RFC 8445 §14.2 paces gathering too.
    pub(super) next_start: Option<Instant>,
    /// The host binds no more sockets.
    pub(super) host_done: bool,
}

/// A server of the configuration.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server: Server,
    pub(super) addresses: Known,
    /// The time that each of its addresses is given.
    pub(super) share: Duration,
    /// The server has answered some socket, be it with a refusal.
    is_reached: bool,
    /// Why the sockets that have asked did not reach it.
    unreached: Option<Unreached>,
    /// No more errors are reported for it.
    is_settled: bool,
}

impl Asked {
    fn awaits_addresses(&self) -> bool {
        matches!(self.addresses, Known::NotYet)
    }
}

/// The addresses of a server.
#[derive(Debug)]
pub(super) enum Known {
    NotYet,
    Are(SmallVec<[IpAddr; 2]>),
    Failed,
}

/// A server that did not answer.
#[derive(Debug)]
struct Unreached {
    /// The address from which it was asked first, if it was.
    local: Option<SocketAddr>,
    text: String,
}

/// What became of a client.
enum Outcome {
    Binding(BindingEvent),
    Relay(turn::Event),
}

impl Generation {
    /// Takes the servers of the configuration, and asks the host for addresses of their names.
    pub(crate) fn begin_servers(&mut self, ctx: &Context, now: Instant) {
        let mut list: Vec<Asked> = Vec::new();
        // Under relay-only a STUN server has nothing to offer, and DNS need not learn its name.
        let all = ctx.policy == TransportPolicy::All;
        for server in ctx.servers.iter().filter(|s| all || s.credentials.is_some()) {
            let addresses = match server.ip() {
                Some(ip) => Known::Are(SmallVec::from_iter([ip])),
                None => {
                    let host = &server.host;
                    if !list.iter().any(|asked| asked.server.host == *host) {
                        let (generation, host) = (self.id, host.clone());
                        let of = NameOf::Server;
                        self.events.push_back(Event::Resolve { generation, of, host });
                    }
                    Known::NotYet
                }
            };
            list.push(Asked {
                server: server.clone(),
                addresses,
                share: ctx.config.servers.deadline,
                is_reached: false,
                unreached: None,
                is_settled: false,
            });
        }
        self.servers = Servers {
            policy: ctx.policy,
            resolved_by: (!list.is_empty()).then(|| later(now, ctx.config.servers.deadline)),
            list,
            ..Servers::default()
        };
    }

    /// Takes the addresses of a server's name, or the reason why there are none.
    pub(crate) fn server_resolved(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        let awaited = |asked: &Asked| asked.awaits_addresses() && asked.server.host == host;
        for index in 0..self.servers.list.len() {
            let Some(asked) = self.servers.list.get_mut(index).filter(|a| awaited(a)) else {
                continue;
            };
            match addresses {
                Ok(known) => {
                    let known = known.iter().map(IpAddr::to_canonical);
                    asked.addresses = Known::Are(known.collect());
                    for socket in self.sockets.clone() {
                        self.ask_server(ctx, now, socket, index);
                    }
                }
                Err(why) => {
                    asked.addresses = Known::Failed;
                    asked.is_settled = true;
                    let text = format!("host lookup of {host} failed: {why}");
                    self.tell_error(None, index, ServerError::UNREACHABLE, text);
                }
            }
        }
    }

    pub(crate) fn wants_relays_over_udp(&self) -> bool {
        let over_udp =
            |server: &Server| server.credentials.is_some() && !server.protocol.is_stream();
        self.servers.list.iter().any(|asked| over_udp(&asked.server))
    }

    /// The host binds no more sockets.
    pub(crate) fn host_done(&mut self) {
        self.servers.host_done = true;
    }

    /// Tells what there is to tell, and ends gathering when nothing is awaited any more.
    pub(crate) fn finish_gathering(&mut self) {
        if self.gathering != GatheringState::Gathering || !self.servers.host_done {
            return;
        }
        self.tell_unreached();
        if self.servers.list.iter().any(Asked::awaits_addresses)
            || self.servers.clients.iter().any(|client| client.gathers)
        {
            return;
        }
        self.gathering = GatheringState::Complete;
        let Some(username_fragment) = self.username_fragment_of_candidates() else {
            return;
        };
        self.events.push_back(Event::EndOfCandidates { username_fragment });
    }

    /// webrtc-pc §4.8.3: 701 is "only fired once per server URL", and "if no host candidate can
    /// reach the server": so not before every socket has tried.
    fn tell_unreached(&mut self) {
        for index in 0..self.servers.list.len() {
            let clients = &self.servers.clients;
            let Some(asked) = self.servers.list.get_mut(index) else { return };
            let mut waits = clients.iter().filter(|client| client.gathers);
            if asked.is_settled
                || asked.awaits_addresses()
                || waits.any(|client| client.may_ask(index))
            {
                continue;
            }
            asked.is_settled = true;
            if asked.is_reached {
                continue;
            }
            let (local, text) = match asked.unreached.take() {
                Some(unreached) => (unreached.local, unreached.text),
                None => (None, "no interface reaches an address of the server".to_owned()),
            };
            self.tell_error(local, index, ServerError::UNREACHABLE, text);
        }
    }

    /// A socket did not reach a server.
    pub(super) fn note_unreached(
        &mut self,
        index: usize,
        socket: Socket,
        local: Option<SocketAddr>,
        text: String,
    ) {
        let Some(asked) = self.servers.list.get_mut(index) else { return };
        tracing::debug!(url = asked.server.url, socket = %socket.address, text, "not reached");
        match &mut asked.unreached {
            Some(unreached) => unreached.local = unreached.local.or(local),
            none => *none = Some(Unreached { local, text }),
        }
    }

    /// A server has answered a socket.
    pub(super) fn note_reached(&mut self, index: usize) {
        if let Some(asked) = self.servers.list.get_mut(index) {
            asked.is_reached = true;
        }
    }

    /// A client has an answer, whatever it says.
    pub(super) fn on_reached(&mut self, ctx: &mut Context, now: Instant, client: usize) {
        let Some(reached) = self.servers.clients.get(client) else { return };
        for url in reached.urls.clone() {
            self.note_reached(url);
        }
        self.go_on(ctx, now, client, End::Reached);
    }

    /// A client has ended: its socket asks at the addresses that are left.
    pub(super) fn go_on(&mut self, ctx: &mut Context, now: Instant, client: usize, end: End) {
        let Some(ended) = self.servers.clients.get_mut(client) else { return };
        ended.end = Some(end);
        let (socket, left) = (ended.socket, std::mem::take(&mut ended.left));
        self.ask_next(ctx, now, socket, left);
    }

    /// A client has asked in vain.
    fn on_failure(&mut self, ctx: &mut Context, now: Instant, client: usize, error: ServerError) {
        let Some(failed) = self.servers.clients.get(client) else { return };
        let (socket, local, urls) = (failed.socket, failed.local(), failed.urls.clone());
        if error.code != ServerError::UNREACHABLE {
            self.on_reached(ctx, now, client);
            self.tell_refusal(local, &urls, error.code, &error.reason);
            return;
        }
        for url in urls {
            self.note_unreached(url, socket, local, error.reason.clone());
        }
        self.go_on(ctx, now, client, End::Unreached(error.reason));
    }

    /// Reports what a server has answered to the question of these servers, once for each URL.
    pub(super) fn tell_refusal(
        &mut self,
        local: Option<SocketAddr>,
        urls: &Urls,
        code: u16,
        text: &str,
    ) {
        let url = |index: &usize| self.servers.list.get(*index).map(|a| a.server.url.as_str());
        let is_first = |(at, index): &(usize, &usize)| {
            !urls.iter().take(*at).any(|other| url(other) == url(index))
        };
        let once: Urls = urls.iter().enumerate().filter(is_first).map(|(_, i)| *i).collect();
        for index in once {
            self.tell_error(local, index, code, text.to_owned());
        }
    }

    fn tell_error(&mut self, local: Option<SocketAddr>, index: usize, code: u16, text: String) {
        let Some(asked) = self.servers.list.get(index) else { return };
        let told = |other: &Asked| other.is_settled && other.server.url == asked.server.url;
        if code == ServerError::UNREACHABLE && self.servers.list.iter().take(index).any(told) {
            tracing::debug!(url = asked.server.url, text, "a URL that is there twice");
            return;
        }
        let Some(username_fragment) = self.username_fragment_of_candidates() else {
            return;
        };
        // webrtc-pc §4.8.3: an address that no candidate exposes is null.
        let local = local.filter(|_| self.servers.policy == TransportPolicy::All);
        let error = CandidateError { local, url: asked.server.url.clone(), code, text };
        tracing::debug!(?error, "no candidate from a server");
        self.events.push_back(Event::CandidateError { username_fragment, error });
    }

    /// Does what is due at the clients, and takes their events.
    pub(crate) fn drive_servers(&mut self, ctx: &mut Context, now: Instant) {
        if self.servers.resolved_by.is_some_and(|at| now >= at) {
            self.servers.resolved_by = None;
            let awaited = self.servers.list.iter().filter(|asked| asked.awaits_addresses());
            let hosts: Vec<String> = awaited.map(|asked| asked.server.host.clone()).collect();
            for host in hosts {
                self.server_resolved(ctx, now, &host, Err("the name was not resolved in time"));
            }
        }
        for index in 0..self.servers.clients.len() {
            let Some(client) = self.servers.clients.get_mut(index) else { break };
            if client.start_at.is_some_and(|at| now >= at) {
                client.start(now);
                self.ask_for_connection(index);
            } else if client.is_connecting_too_long(now) {
                self.not_connected(ctx, now, index, "no connection in time");
            } else if client.poll_timeout().is_some_and(|at| now >= at) {
                client.handle_timeout(now);
            }
            while let Some(outcome) = self.next_outcome(index) {
                match outcome {
                    Outcome::Binding(event) => self.on_binding(ctx, now, index, event),
                    Outcome::Relay(event) => self.on_relay(ctx, now, index, event),
                }
            }
            self.close_idle_connection(index);
        }
    }

    fn next_outcome(&mut self, index: usize) -> Option<Outcome> {
        match &mut self.servers.clients.get_mut(index)?.kind {
            ClientKind::Binding(binding) => binding.poll_event().map(Outcome::Binding),
            ClientKind::Relay(relay) => relay.client.poll_event().map(Outcome::Relay),
            ClientKind::Connecting(_) => None,
        }
    }

    fn on_binding(&mut self, ctx: &mut Context, now: Instant, index: usize, event: BindingEvent) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        client.gathers = false;
        match event {
            BindingEvent::Mapped(mapped) => {
                self.on_reached(ctx, now, index);
                self.add_server_reflexive(ctx, index, mapped);
            }
            BindingEvent::Failed(error) => self.on_failure(ctx, now, index, error),
            BindingEvent::AlternateServer(other) => self.follow(ctx, now, index, &other),
        }
    }

    fn on_relay(&mut self, ctx: &mut Context, now: Instant, index: usize, event: turn::Event) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        let Some(id) = client.relay_id() else { return };
        // What is mapped to a socket of which no candidate tells says nothing of use.
        let is_mapped =
            !client.question.protocol.is_stream() && client.socket.good_for != SocketUse::Relays;
        match event {
            turn::Event::Allocated(allocated) => {
                if !std::mem::take(&mut client.gathers) {
                    return;
                }
                self.on_reached(ctx, now, index);
                if self.servers.policy == TransportPolicy::All && is_mapped {
                    self.add_server_reflexive(ctx, index, allocated.mapped);
                }
                self.add_relayed(ctx, index, id, &allocated);
            }
            turn::Event::AllocateFailed(error) => {
                if std::mem::take(&mut client.gathers) {
                    let is_refusal = error.code != ServerError::UNREACHABLE;
                    self.on_failure(ctx, now, index, error);
                    if is_refusal {
                        self.ask_for_mapping(ctx, now, index);
                    }
                } else {
                    self.relay_lost(id);
                }
            }
            turn::Event::AlternateServer(other) => {
                if std::mem::take(&mut client.gathers) {
                    self.follow(ctx, now, index, &other);
                }
            }
            turn::Event::AllocationLost(error) => {
                tracing::debug!(%error, "a relay is lost");
                self.relay_lost(id);
            }
            turn::Event::PermissionGranted { peer } => self.on_permitted(id, peer),
            turn::Event::PermissionDenied { peer, error } => {
                tracing::debug!(%peer, %error, "a relay does not reach a peer");
                self.on_denied(id, peer);
            }
            turn::Event::ChannelBound { .. } | turn::Event::Closed => {}
            turn::Event::ChannelRefused { peer, error } => {
                tracing::debug!(%peer, %error, "packets go without a channel");
            }
        }
    }

    pub(crate) fn relay_mut(&mut self, id: RelayId) -> Option<&mut ServerClient> {
        self.servers.clients.iter_mut().find(|client| client.relay_id() == Some(id))
    }

    /// When a client has something to do.
    pub(crate) fn servers_deadline(&self) -> Option<Instant> {
        let awaits = self.servers.list.iter().any(Asked::awaits_addresses);
        let mut deadline = self.servers.resolved_by.filter(|_| awaits);
        for client in &self.servers.clients {
            earlier(&mut deadline, client.poll_timeout());
        }
        deadline
    }
}
