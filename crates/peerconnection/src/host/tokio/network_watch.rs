//! Tells the connections of this process which addresses of the machine are up, when that may have
//! changed.
//!
//! One thread a process waits for news of interfaces and addresses. It begins with the first
//! connection, and ends with the first news after the last. The kernel's messages are but a sign to
//! look: a lost carrier changes a link alone, and a link that is set down keeps its IPv4 addresses.
//! News of routes come by the hundred where a routing daemon runs, and say nothing about addresses:
//! checks notice a route that is gone.

use std::io;
#[cfg(not(target_os = "linux"))]
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use time::Duration;

use super::{TokioHost, interfaces};

/// News come in bursts: this long after the first, the connections are told.
#[cfg(target_os = "linux")]
const BURST: Duration = Duration::from_millis(20);

/// The hosts to tell; nothing while no thread waits.
static HOSTS: Mutex<Option<Vec<Weak<TokioHost>>>> = Mutex::new(None);

/// Tells this host of changes as long as it lives.
pub(super) fn watch(host: &Arc<TokioHost>) {
    let mut hosts = HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(hosts) = &mut *hosts {
        // Only before the list would grow: looking at all others for each connection adds up.
        if hosts.len() == hosts.capacity() {
            hosts.retain(|host| host.strong_count() > 0);
        }
        hosts.push(Arc::downgrade(host));
        return;
    }
    let started = News::listen().and_then(|news| {
        thread::Builder::new().name("network-watch".to_owned()).spawn(move || tell(news))
    });
    match started {
        Ok(_) => *hosts = Some(vec![Arc::downgrade(host)]),
        Err(error) => tracing::warn!(%error, "changes of the network will not be noticed"),
    }
}

fn tell(mut news: News) {
    loop {
        let failed = news.wait().err();
        let up = interfaces::all_up();
        let told: Vec<Arc<TokioHost>> = {
            let mut hosts = HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
            let known = hosts.take().unwrap_or_default();
            let told: Vec<_> = known.iter().filter_map(Weak::upgrade).collect();
            if failed.is_none() && !told.is_empty() {
                *hosts = Some(told.iter().map(Arc::downgrade).collect());
            }
            told
        };
        // Not under the lock: the last handle of a host may be dropped here, and the application's
        // event loop with it.
        for host in &told {
            if let Some(up) = &up {
                host.network_changed(up.clone());
            }
        }
        if let Some(error) = failed {
            tracing::warn!(%error, "changes of the network are not noticed any more");
            return;
        }
        if told.is_empty() {
            return;
        }
    }
}

/// News of interfaces since this was made.
#[cfg(target_os = "linux")]
pub(super) struct News {
    socket: netlink_sys::Socket,
    buffer: Vec<u8>,
}

#[cfg(target_os = "linux")]
impl News {
    pub(super) fn listen() -> io::Result<Self> {
        /// Links, and addresses of both families: RTMGRP_LINK, RTMGRP_IPV4_IFADDR and
        /// RTMGRP_IPV6_IFADDR of linux/rtnetlink.h.
        const GROUPS: u32 = 0x1 | 0x10 | 0x100;
        let mut socket = netlink_sys::Socket::new(netlink_sys::protocols::NETLINK_ROUTE)?;
        socket.bind(&netlink_sys::SocketAddr::new(0, GROUPS))?;
        // The messages are not read, so it does not matter that long ones are cut.
        Ok(Self { socket, buffer: vec![0; 4096] })
    }

    /// Returns when there were news.
    fn wait(&mut self) -> io::Result<()> {
        self.receive(0)?;
        thread::sleep(BURST);
        self.came().map(drop)
    }

    /// Takes the news. Returns whether there were any. The kernel has them before whoever made the
    /// change goes on.
    pub(super) fn came(&mut self) -> io::Result<bool> {
        /// Of recv(2), where no other flag is wanted.
        const MSG_DONTWAIT: i32 = 0x40;
        let mut any = false;
        loop {
            match self.receive(MSG_DONTWAIT) {
                Ok(()) => any = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                Err(error) => return Err(error),
            }
        }
    }

    fn receive(&mut self, flags: i32) -> io::Result<()> {
        /// More news than the socket holds were lost: news all the same.
        const ENOBUFS: i32 = 105;
        loop {
            match self.socket.recv(&mut &mut self.buffer[..], flags) {
                Ok(_) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(ENOBUFS) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Elsewhere the addresses are looked at every few seconds.
#[cfg(not(target_os = "linux"))]
struct News {
    known: Option<Arc<[IpAddr]>>,
}

#[cfg(not(target_os = "linux"))]
impl News {
    fn listen() -> io::Result<Self> {
        Ok(Self { known: interfaces::all_up() })
    }

    fn wait(&mut self) -> io::Result<()> {
        const INTERVAL: Duration = Duration::from_secs(3);
        loop {
            thread::sleep(INTERVAL);
            let known = interfaces::all_up();
            let hosts = HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
            let any = hosts.iter().flatten().any(|host| host.strong_count() > 0);
            drop(hosts);
            if known != self.known || !any {
                self.known = known;
                return Ok(());
            }
        }
    }
}
