//! Multicast DNS (RFC 6762) for the `.local` names of ICE candidates, without sockets and clock of
//! its own.
//!
//! A browser that has not been granted media hides the addresses of its host candidates behind
//! names such as `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`
//! (draft-ietf-mmusic-mdns-ice-candidates). [`Resolver`] asks the local network for the addresses
//! of such names. [`Responder`] has names for addresses of our own, and answers for them.
//!
//! # How they are driven
//!
//! The host owns the sockets, which are bound to [`PORT`] and are members of [`GROUP_V4`] and
//! [`GROUP_V6`]. It calls a method with the present time, then drains
//! [`poll_transmit`](Resolver::poll_transmit) and [`poll_event`](Resolver::poll_event), or
//! [`poll_response`](Responder::poll_response), and calls `handle_timeout` at `poll_timeout`. When
//! `is_idle`, the sockets may be closed.
//!
//! Each question of `poll_transmit` goes to both groups, on every interface; a response says where
//! it goes. Each datagram that comes is for both `handle_datagram`, if its source is on a link of
//! the host: a neighbour's address, which the host alone can tell (RFC 6762 §11).
//!
//! # What is asked
//!
//! Questions ask for A and AAAA, and for a multicast answer, since Chromium gives no other, and
//! that to questions from port 5353 alone. A question is sent at once and, while nobody answers,
//! after 1 and 3 seconds (§5.2). An announcement (§8.3) is as good as an answer.
//!
//! # What is believed
//!
//! A response counts if it comes from port 5353 and has addresses of a name that is asked for.
//! Everybody on the link can answer, so an address means nothing until an ICE check has proven it.
//!
//! # What is answered
//!
//! Questions for A, AAAA and all types of a name of our own, on the link where its address is and on
//! no other (§6.2). A response has the address for 120 s, with the cache-flush bit, and an NSEC
//! record (§6.1), for a name has one address of one family. A name is announced twice (§8.3), for
//! which an answer counts, and never probed for. It is multicast once a second at most (§6); whoever
//! asks again within that second is answered at its end. A question that is content with unicast gets it within 30 s of a
//! multicast (§5.4), and one from another port gets what §6.7 says; there are 10 such responses a
//! second. Known answers are not given again (§7.1). Another who claims the name or ends it is
//! contradicted.
//!
//! # Example
//!
//! Nobody answers, on a clock that runs as fast as we like:
//!
//! ```
//! use peerconnection_mdns::{Event, Resolver};
//! use std::time::{Duration, Instant};
//!
//! let start = Instant::now();
//! let mut resolver = Resolver::new();
//! resolver.resolve(start, "1f4712db-ea17-4bcf-a596-105139dfd8bf.local")?;
//! let mut questions = Vec::new();
//! let mut now = start;
//! let name = loop {
//!     while let Some(_question) = resolver.poll_transmit() {
//!         questions.push((now - start).as_secs());
//!     }
//!     if let Some(event) = resolver.poll_event() {
//!         let Event::NotFound { name } = event else { panic!("nobody answered") };
//!         break name;
//!     }
//!     // A host waits for a datagram until then, and gives it to `handle_datagram`.
//!     now = resolver.poll_timeout().expect("an answer is awaited");
//!     resolver.handle_timeout(now);
//! };
//! assert_eq!(name, "1f4712db-ea17-4bcf-a596-105139dfd8bf.local");
//! assert_eq!((questions, now - start), (vec![0, 1, 3], Duration::from_secs(5)));
//! assert!(resolver.is_idle());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A name is made, and another on the link asks for it:
//!
//! ```
//! use peerconnection_mdns::{Destination, Event, Link, Resolver, Responder};
//! use std::time::Instant;
//!
//! let (now, wifi) = (Instant::now(), Link(3));
//! let mut responder = Responder::new();
//! // The randomness of a real name comes from the system.
//! let name = responder.register(now, "192.0.2.7".parse()?, Some(wifi), [7; 16])?.to_owned();
//! assert_eq!(name, "07070707-0707-4707-8707-070707070707.local");
//!
//! let mut resolver = Resolver::new();
//! resolver.resolve(now, &name)?;
//! let question = resolver.poll_transmit().expect("a question");
//! responder.handle_datagram(now, &[wifi], "192.0.2.8:5353".parse()?, &question);
//! let answer = responder.poll_response().expect("an answer");
//! assert_eq!(answer.to, Destination::Groups(wifi));
//!
//! resolver.handle_datagram("192.0.2.7:5353".parse()?, &answer.payload);
//! let Some(Event::Resolved { addresses, .. }) = resolver.poll_event() else { panic!() };
//! assert_eq!(addresses.as_slice(), ["192.0.2.7".parse::<std::net::IpAddr>()?]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod message;
mod name;
mod resolver;
mod responder;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

pub use name::is_hostname;
pub use resolver::{Event, Refused, Resolver};
pub use responder::{Destination, Link, Responder, Response, TooManyNames};

/// The port of multicast DNS, for both sides: RFC 6762 §3.
pub const PORT: u16 = 5353;
/// The group of IPv4.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The group of IPv6, of link-local scope.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
