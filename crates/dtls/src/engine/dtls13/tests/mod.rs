//! The key schedule, one handshake between honest sides, one over a hostile network, one with a
//! hostile peer.

mod handshake;
mod hostile_network;
mod hostile_peer;
mod schedule;
mod versions;

use super::acks::MOST_ACKS;
use super::reading::{MOST_HELD, MOST_HELD_RECORDS};
use super::record::{IN_THE_CLEAR, Record};
use super::wire::kind;
use super::*;
use crate::config::DtlsVersion::Dtls13 as VERSION;
use crate::config::DtlsVersions;
use crate::engine::common::codec::Reader;
use crate::engine::common::reassembly::Fragment;
use crate::engine::testing::{DATAGRAM, ECDSA, Pair, RSA, Rng, library, library_with, ours, pair};
