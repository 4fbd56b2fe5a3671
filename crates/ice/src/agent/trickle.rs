//! Candidates of both sides: gathering and trickle (RFC 8838).

use std::net::{IpAddr, SocketAddr};

use time::Instant;

use super::Agent;
use crate::candidate::Candidate;
use crate::error::Error;
use crate::event::{Event, GenerationId, SocketId, SocketUse};
use crate::generation::Generation;
use crate::state::{GatheringState, State};

impl Agent {
    /// Hides an address of this machine behind a name that multicast DNS knows
    /// (draft-ietf-mmusic-mdns-ice-candidates §3.1). From now on nothing that comes out of the
    /// agent for the application or the peer has the address: host candidates, over UDP and TCP,
    /// have the name, `related` is unspecified with port 9, and an error of a server has no
    /// address. What goes to the host, [`Event::Connect`] and datagrams, is as ever. To be called
    /// before a socket on the address is added: what has come out before is not called back. An
    /// address stays hidden for the life of the agent.
    ///
    /// A server-reflexive candidate shows what a server has seen. One that would be a hidden address
    /// is made only if the address is public.
    pub fn hide_address(&mut self, address: IpAddr, name: &str) {
        self.ctx.hidden.hide(address, name);
    }

    /// Takes a socket that the host has bound for this generation, at a specific address. It gives
    /// a host candidate, unless the policy hides that, and the [servers](Self::set_servers) are
    /// asked from it. An earlier socket is preferred to a later one. A socket that is of no use
    /// (its generation is gone or no longer gathers, its address is unspecified or multicast, there
    /// are too many) is given back by [`Event::CloseSocket`].
    pub fn add_socket(
        &mut self,
        now: Instant,
        generation: GenerationId,
        socket: SocketId,
        local: SocketAddr,
    ) {
        self.add_socket_for(now, generation, socket, local, SocketUse::Everything);
    }

    /// Like [`add_socket`](Self::add_socket), for a socket that is not good for everything.
    pub fn add_socket_for(
        &mut self,
        now: Instant,
        generation: GenerationId,
        socket: SocketId,
        local: SocketAddr,
        good_for: SocketUse,
    ) {
        if self.generation_of(socket).is_some() {
            tracing::debug!(?socket, "socket added twice");
            return;
        }
        let gathers = gathering(&mut self.generations, generation);
        if gathers.is_some_and(|g| g.add_socket(&mut self.ctx, now, socket, local, good_for)) {
            self.drive(now);
        } else {
            tracing::debug!(?generation, ?socket, %local, "socket of no use");
            self.emit(Event::CloseSocket(socket));
        }
    }

    /// Whether a generation asks TURN servers over UDP: then a host whose sockets are
    /// [shared](SocketUse::Shared) adds others for [relays](SocketUse::Relays).
    pub fn wants_relays_over_udp(&self, generation: GenerationId) -> bool {
        self.generations.iter().any(|g| g.id == generation && g.wants_relays_over_udp())
    }

    /// No more sockets or listeners will come for this generation. Its gathering ends, or goes on
    /// until the servers have answered or their time is over.
    pub fn gathering_done(&mut self, now: Instant, generation: GenerationId) {
        let gathers = gathering(&mut self.generations, generation);
        if let Some(generation) = gathers {
            generation.announce_listeners(&self.ctx);
            generation.host_done();
            self.drive(now);
        }
    }

    /// Adds a remote candidate to the generation with this remote username fragment, or without one
    /// to the newest generation whose remote parameters are known. A known candidate is ignored.
    /// One that makes no pair (another component, port 0, TCP that is not passive or is on a port
    /// below 1024 other than 80 and 443) is kept for
    /// [`remote_candidates`](Self::remote_candidates). For one with a `.local` name
    /// [`Event::Resolve`] asks for the address, unless only relays may be used.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUsernameFragment`], [`Error::NoRemoteParameters`],
    /// [`Error::TooManyCandidates`], [`Error::Closed`].
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        username_fragment: Option<&str>,
        candidate: Candidate,
    ) -> Result<(), Error> {
        let index = self.remote_generation(username_fragment)?;
        if let Some(generation) = self.generations.get_mut(index) {
            generation.add_remote_candidate(&self.ctx, now, candidate)?;
        }
        self.drive(now);
        Ok(())
    }

    /// The peer announces that it has no more candidates for this generation (see
    /// [`add_remote_candidate`](Self::add_remote_candidate)). Some may come nevertheless.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownUsernameFragment`], [`Error::NoRemoteParameters`], [`Error::Closed`].
    pub fn add_end_of_candidates(
        &mut self,
        now: Instant,
        username_fragment: Option<&str>,
    ) -> Result<(), Error> {
        let index = self.remote_generation(username_fragment)?;
        if let Some(generation) = self.generations.get_mut(index) {
            generation.remote_done = true;
        }
        self.drive(now);
        Ok(())
    }

    fn remote_generation(&self, username_fragment: Option<&str>) -> Result<usize, Error> {
        if self.state == State::Closed {
            return Err(Error::Closed);
        }
        match username_fragment {
            None => {
                let known = self.generations.iter().rposition(|g| g.remote.is_some());
                known.ok_or(Error::NoRemoteParameters)
            }
            Some(wanted) => {
                let of = |g: &Generation| g.has_remote_username_fragment(wanted);
                let index = self.generations.iter().rposition(of);
                index.ok_or_else(|| Error::UnknownUsernameFragment(wanted.to_owned()))
            }
        }
    }
}

/// The generation with this id, while it gathers.
pub(super) fn gathering(
    generations: &mut [Generation],
    id: GenerationId,
) -> Option<&mut Generation> {
    let mut generations = generations.iter_mut();
    generations.find(|g| g.id == id && g.gathering == GatheringState::Gathering)
}
