//! Sockets, listeners, connections and names come and go with the network.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Context;
use std::time::SystemTime;

use negotiation::TransportId;
use time::{Duration, Instant};

use super::super::listener::Listener;
use super::super::multicast::Asked;
use super::super::socket::Socket;
use super::super::stream::Stream;
use super::super::{Notice, interfaces};
use super::{AskedBy, ConnectionDriver};
use crate::host::{GenerationId, Host, NameOf};

/// Connections that are being opened at once, at most.
const MAX_CONNECTING: usize = 64;
/// A network that has not changed for this long has settled: an address may come in several steps.
const SETTLED: Duration = Duration::from_millis(700);

impl ConnectionDriver {
    /// Notices that the machine was suspended. A date that was set has the same effect, which does
    /// no harm.
    pub(super) fn compare_clocks(&mut self) {
        /// Shorter naps need nothing.
        const NAP: Duration = Duration::from_secs(2);
        let now = (Instant::now(), SystemTime::now());
        let before = std::mem::replace(&mut self.clocks, now);
        let passed = now.1.duration_since(before.1).unwrap_or_default();
        if passed > now.0.saturating_duration_since(before.0).saturating_add(NAP) {
            tracing::debug!(?passed, "the machine was suspended");
            self.driver.resumed();
        }
    }

    /// Opens a connection to a server. Those that nobody waits for any more end after 10 s; should
    /// there be too many before, the oldest is given up.
    pub(super) fn connect(
        &mut self,
        asked: AskedBy,
        opened: impl Future<Output = Result<Stream, String>> + Send + 'static,
    ) {
        if self.connecting.len() >= MAX_CONNECTING {
            let ((transport, generation, connection), task) = self.connecting.remove(0);
            task.abort();
            let why = Err("too many connections are being opened");
            self.driver.connected(transport, generation, connection, why);
        }
        let (transport, generation, connection) = asked;
        let task = self.host.tell_later(async move {
            let opened = opened.await;
            Notice::Connected { transport, generation, connection, opened }
        });
        self.connecting.push((asked, task));
    }

    /// Tells the connection which of its sockets can be used, if that has changed.
    pub(super) fn network_changed(&mut self, up: Arc<[IpAddr]>) {
        for (id, socket) in &mut self.sockets {
            let is_up = up.contains(&socket.local.ip());
            if socket.is_listed && is_up != socket.is_up {
                tracing::debug!(address = %socket.local, is_up, "an interface has changed");
                socket.is_up = is_up;
                self.driver.interface_changed(*id, is_up);
            }
        }
        let shared = self.shared.as_mut().map(|shared| shared.changed(&up));
        for (id, is_up) in shared.into_iter().flatten() {
            tracing::debug!(is_up, "the interface of a shared port has changed");
            self.driver.interface_changed(id, is_up);
        }
        if let Some(names) = &mut self.names {
            names.network_changed(&self.options, self.host.now());
        }
        self.driver.network_changed();
        if self.options.restart_on_network_change {
            let change = self.network.changed(up);
            self.host.tell_later(async move {
                tokio::time::sleep(SETTLED).await;
                Notice::NetworkSettled(change)
            });
        }
    }

    pub(super) fn network_settled(&mut self, change: u64) {
        if self.network.wants_restart(change, &self.options) {
            tracing::debug!("another network: an ICE restart");
            self.driver.restart_ice();
        }
    }

    /// Hides an address behind a name, if the options ask for that. Returns whether a candidate may
    /// be gathered there.
    pub(super) fn may_show(&mut self, address: IpAddr) -> bool {
        #[cfg(feature = "mdns")]
        if self.options.hidden_addresses {
            let names = self.names.get_or_insert_default();
            let Some(name) = names.hide(&self.options, self.host.now(), address) else {
                return false;
            };
            self.driver.hide_address(address, &name);
        }
        #[cfg(not(feature = "mdns"))]
        let _ = address;
        true
    }

    pub(super) fn gather(&mut self, transport: TransportId, generation: GenerationId) {
        if !self.options.udp_muxes.is_empty() {
            self.gather_shared(transport, generation);
            return;
        }
        let up = interfaces::all_up().unwrap_or_default();
        let addresses = interfaces::usable(&self.options, &up);
        let mut unbound = Vec::new();
        for address in &addresses {
            if !self.may_show(*address) {
                continue;
            }
            let mut beside = None;
            match Socket::bind(*address) {
                Ok(mut socket) => {
                    socket.is_listed = up.contains(address);
                    let id = self.next_socket();
                    let local = socket.local;
                    self.sockets.reserve_exact(1);
                    self.sockets.push((id, socket));
                    beside = Some(id);
                    self.driver.socket_bound(transport, generation, id, local);
                }
                Err(error) => {
                    tracing::debug!(%error, %address, "no socket on this address");
                    unbound.push(*address);
                }
            }
            match Listener::bind(*address, beside) {
                Ok(listener) => {
                    let id = self.next_socket();
                    let local = listener.local;
                    self.listeners.reserve_exact(1);
                    self.listeners.push((id, listener));
                    self.asks_listeners = true;
                    self.driver.listening(transport, generation, id, local);
                }
                Err(error) => tracing::debug!(%error, %address, "no listener on this address"),
            }
        }
        self.network.gathered(addresses, &unbound);
        self.driver.gathering_done(transport, generation);
    }

    /// Moves the questions for names of candidates and their answers. Returns whether there was anything.
    pub(super) fn resolve_names(&mut self, cx: &mut Context<'_>) -> bool {
        // Allocations that are still to be deleted may keep the driver for a while.
        let Some(names) = &mut self.names else { return false };
        if names.is_open() && self.driver.engine().is_closed() {
            names.rest();
        }
        let mut busy = names.poll(cx, self.host.now());
        while let Some((asked, addresses)) = names.next_answer() {
            busy = true;
            let Asked { transport, generation, host } = asked;
            let addresses = addresses.as_deref().map_err(String::as_str);
            self.driver.resolved(transport, generation, NameOf::Candidate, &host, addresses);
        }
        busy
    }
}
