//! Data channels over one SCTP association (RFC 8831).
//!
//! [`Channels`] does no IO, reads no clock and draws no random numbers: packets and the time come
//! in; packets, events and the next deadline come out. It does not know what is below: its owner
//! says when packets can be protected and reach the peer.
//!
//! | module | what |
//! |---|---|
//! | `sctp` | SCTP over DTLS (RFC 9260, RFC 8261, RFC 3758, RFC 6525, RFC 8260, RFC 9653) |
//! | `sctp::congestion` | how much is under way, and how fast it is sent: NewReno, CUBIC, BBR |
//! | `dcep` | the channel establishment protocol (RFC 8832) |
//! | `channel`, `channels` | data channels (RFC 8831, webrtc-pc §6.2) |

#![forbid(unsafe_code)]

mod channel;
mod channels;
mod config;
mod dcep;
mod error;
mod event;
mod sctp;

pub use channel::{ChannelConfig, MessageKind, Reliability};
pub use channels::{Beginning, Channels, SctpParameters};
pub use config::{Config, CongestionControl};
pub use error::ChannelError;
pub use event::Event;
pub use sctp::{Inits, SctpError, SctpInit, SctpState, without_messages};
