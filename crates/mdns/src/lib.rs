//! A resolver of `.local` names by multicast DNS (RFC 6762), without sockets and clock of its own.
//!
//! A browser that has not been granted media hides the addresses of its host candidates behind
//! names such as `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`
//! (draft-ietf-mmusic-mdns-ice-candidates). [`Resolver`] asks the local network for the addresses.
//! It answers nobody: names of our own it does not know.
//!
//! # How it is driven
//!
//! The host owns the socket, which is bound to [`PORT`] and is a member of [`GROUP_V4`] and
//! [`GROUP_V6`]. It calls a method with the present time, then drains
//! [`poll_transmit`](Resolver::poll_transmit) and [`poll_event`](Resolver::poll_event), and calls
//! [`handle_timeout`](Resolver::handle_timeout) at [`poll_timeout`](Resolver::poll_timeout). When
//! [`is_idle`](Resolver::is_idle), the socket may be closed.
//!
//! Each datagram of `poll_transmit` goes to both groups, on every interface. Each datagram that
//! comes is for [`handle_datagram`](Resolver::handle_datagram), if its source is on the link: a
//! neighbour's address, which the host alone can tell (RFC 6762 §11).
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

#![forbid(unsafe_code)]

mod message;
mod name;
mod resolver;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

pub use name::is_hostname;
pub use resolver::{Event, Refused, Resolver};

/// The port of multicast DNS, for both sides: RFC 6762 §3.
pub const PORT: u16 = 5353;
/// The group of IPv4.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The group of IPv6, of link-local scope.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
