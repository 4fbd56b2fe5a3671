//! One ICE agent, without sockets, clock or randomness of its own.
//!
//! An [`Agent`] runs ICE for one transport: RFC 8445 with trickle (RFC 8838), consent (RFC 7675)
//! and patience (RFC 8863), with the states of webrtc-pc §5.6. It knows no SDP: parameters and
//! candidates come in and go out as values.
//!
//! The host owns sockets and time. It calls a method with the present time, then drains
//! [`poll_transmit`](Agent::poll_transmit) and [`poll_event`](Agent::poll_event), and calls
//! [`handle_timeout`](Agent::handle_timeout) at [`poll_timeout`](Agent::poll_timeout).
//!
//! # Servers
//!
//! With [`set_servers`](Agent::set_servers) each socket asks STUN servers for server-reflexive
//! candidates and TURN servers for relayed ones, in the generation that gathers next. The host
//! passes every datagram through [`handle_datagram`](Agent::handle_datagram), which takes out what
//! servers say and unwraps what relays bring. Data goes out through [`send`](Agent::send), which
//! wraps it for a relay; with room around it, [`send_in_place`](Agent::send_in_place) does so without
//! a copy. Without servers all pass everything on unchanged.
//!
//! # Generations
//!
//! Each set of credentials makes a *generation*, with its own sockets, candidates, checks and
//! consent. After an ICE restart the generation in use goes on carrying data, asking for consent
//! and answering checks while the new one is being built. When the new one has a nominated pair,
//! [`selected_path`](Agent::selected_path) moves in one step, and the old one lingers for
//! [`Config::linger`] before its sockets are released: make before break.
//!
//! # Example
//!
//! Two agents on one clock; what one transmits the other gets.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use peerconnection_ice as ice;
//! use ice::{Agent, Config, Event, GatheringState, Parameters, Role, SocketId, State};
//!
//! let mut now = Instant::now();
//! let parameters = |name: &str| Parameters {
//!     username_fragment: name.to_owned(),
//!     password: format!("a-password-of-{name}-that-is-long"),
//! };
//! let agent = |seed| Agent::new(Config::default(), [seed; 32]);
//! let mut agents = [agent(1), agent(2)];
//! agents[0].set_role(Role::Controlling);
//! agents[1].set_role(Role::Controlled);
//! agents[0].set_local_parameters(now, parameters("alice"));
//! agents[1].set_local_parameters(now, parameters("bobby"));
//! agents[0].set_remote_parameters(now, parameters("bobby"), false);
//! agents[1].set_remote_parameters(now, parameters("alice"), false);
//! agents.iter_mut().for_each(|agent| agent.commit(now));
//!
//! let address = |index| std::net::SocketAddr::from(([192, 0, 2, index as u8 + 1], 4000));
//! for _ in 0..10 {
//!     for (me, peer) in [(0, 1), (1, 0)] {
//!         while let Some(event) = agents[me].poll_event() {
//!             match event {
//!                 Event::Gather { generation } => {
//!                     agents[me].add_socket(now, generation, SocketId(0), address(me));
//!                     agents[me].gathering_done(now, generation);
//!                 }
//!                 Event::LocalCandidate { username_fragment, candidate } => {
//!                     let fragment = Some(username_fragment.as_str());
//!                     agents[peer].add_remote_candidate(now, fragment, candidate)?;
//!                 }
//!                 Event::EndOfCandidates { username_fragment } => {
//!                     agents[peer].add_end_of_candidates(now, Some(&username_fragment))?;
//!                 }
//!                 _ => {}
//!             }
//!         }
//!         while let Some(transmit) = agents[me].poll_transmit() {
//!             agents[peer].handle_stun(now, SocketId(0), address(me), &transmit.payload);
//!         }
//!     }
//!     // By then the agents have something to do: they send a check every `Config::ta`.
//!     now += Duration::from_millis(20);
//!     agents.iter_mut().for_each(|agent| agent.handle_timeout(now));
//! }
//! // The state becomes `Completed` three seconds later.
//! assert_eq!(agents[0].state(), State::Connected);
//! assert_eq!(agents[1].selected_path().map(|path| path.remote), Some(address(0)));
//! # Ok::<(), ice::Error>(())
//! ```

#![forbid(unsafe_code)]

mod agent;
mod candidate;
mod checklist;
mod config;
mod consent;
mod demux;
mod enclosure;
mod error;
mod event;
mod framing;
mod generation;
mod hidden;
mod packet;
mod pair;
mod server;
mod state;
mod stats;
mod stun;
mod timing;

#[cfg(test)]
mod tests;

pub use agent::{Agent, Datagram};
pub use candidate::{Candidate, CandidateAddress, CandidateKind, Protocol, TcpType};
pub use config::Config;
pub use demux::{Demux, MemberId};
pub use enclosure::Enclosure;
pub use error::Error;
pub use event::{
    Base, CandidatePair, ConnectionId, Event, GenerationId, NameOf, Parameters, Path, RelayId,
    SocketId, SocketUse, Transmit,
};
pub use pair::PairState;
pub use server::{CandidateError, CandidateServer, Server, TransportPolicy};
pub use state::{GatheringState, Role, State};
pub use stats::{AgentStats, CandidateStats, PairStats, Traffic};
pub use turn::{Config as ServerConfig, Credentials, Protocol as ServerProtocol};
pub use turn::{HEADROOM, TAILROOM};
