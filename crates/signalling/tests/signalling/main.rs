//! Servers and clients on real sockets: rooms, hostile clients, WHIP, and servers over NATS.

mod hostile;
#[cfg(feature = "nats")]
mod nats;
mod rooms;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod whip;
