//! One handshake between honest sides, one over a hostile network, one with a hostile peer.

mod handshake;
mod hostile_network;
mod hostile_peer;

use super::*;
use crate::config::DtlsVersion::Dtls12 as VERSION;
use crate::engine::common::codec::Signed;
use crate::engine::testing::{DATAGRAM, ECDSA, Pair, RSA, Rng, library, ours, pair};
