//! The end of the task, and what the connection has still to say then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use super::ConnectionDriver;
use crate::host::Transmit;

/// Datagrams that are sent at the end, at most. The last few tell the peer and the servers; before
/// them there may be as much data as the peer's window takes.
const LAST_WORDS: usize = 1024;

impl Drop for ConnectionDriver {
    /// Runs when the connection was closed, the runtime shuts down, or something has panicked.
    fn drop(&mut self) {
        self.driver.end();
        self.say_last_words();
        if let Some(names) = &mut self.names {
            names.rest();
        }
        self.connecting.iter().for_each(|(_, task)| task.abort());
        self.host.end_notices();
        // The event loop may be what panicked.
        if let Some(event_loop) = &self.host.event_loop
            && catch_unwind(AssertUnwindSafe(|| event_loop.network_ended())).is_err()
        {
            tracing::error!("an event loop panicked at the end of the network");
        }
    }
}

impl ConnectionDriver {
    /// Sends what tells the peer and the servers that the connection is closed, if the runtime ends
    /// before the task has had a turn to do it. Sends once and waits for nothing: what the system
    /// does not take is lost, as on the way. None of it needs the runtime.
    ///
    /// After a panic in this task nothing is sent: what it has left may be half done.
    fn say_last_words(&mut self) {
        if self.is_in_poll {
            return;
        }
        let span = self.driver.span();
        let _entered = span.enter();
        // `drop` may run while something else panics: a second panic would end the process.
        let sending = || {
            // What an open connection has to send need not end.
            if !self.driver.engine().is_closed() {
                return;
            }
            let mut words = std::mem::take(&mut self.unsent);
            while let Some(transmit) = self.driver.poll_transmit() {
                words.push_back(transmit);
            }
            words.drain(..words.len().saturating_sub(LAST_WORDS));
            words.iter().for_each(|transmit| self.send_now(transmit));
            let mut unheard = Context::from_waker(Waker::noop());
            for (_, stream) in &mut self.streams {
                let _ = stream.poll_write(&mut unheard);
            }
        };
        if catch_unwind(AssertUnwindSafe(sending)).is_err() {
            tracing::error!("a panic while a connection sent its last datagrams");
        }
    }

    fn send_now(&mut self, transmit: &Transmit) {
        let Transmit { socket: id, destination, payload } = transmit;
        if let Some((_, stream)) = self.streams.iter_mut().find(|(own, _)| own == id) {
            stream.push(payload);
            return;
        }
        let sent = match self.sockets.iter().find(|(own, _)| own == id) {
            Some((_, socket)) => socket.send_now(*destination, payload),
            None => match &self.shared {
                Some(shared) => shared.send_now(*id, *destination, payload),
                None => Ok(()),
            },
        };
        if let Err(error) = sent {
            tracing::trace!(%error, "a last datagram could not be sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
    use std::sync::Arc;
    use time::Duration;

    use bytes::Bytes;
    use negotiation::TransportId;
    use tokio::runtime::{Builder, Runtime};

    use super::super::super::socket::Socket;
    use super::super::super::stream::Stream;
    use super::super::super::{TokioHost, TokioOptions, UdpMux};
    use super::*;
    use crate::RTCPeerConnection;
    use crate::host::{GenerationId, SocketId};

    const SOCKET: SocketId = SocketId(1);

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// A connection, and its driver that nobody polls.
    fn driver(options: TokioOptions) -> (RTCPeerConnection, ConnectionDriver) {
        let host = Arc::new(TokioHost::default());
        let (pc, driver) =
            RTCPeerConnection::with_host(Default::default(), host.clone(), [1; 32]).unwrap();
        (pc, ConnectionDriver::new(driver, host, options))
    }

    fn driver_with_a_socket() -> (RTCPeerConnection, ConnectionDriver) {
        let (pc, mut driver) = driver(TokioOptions::loopback());
        driver.sockets.push((SOCKET, Socket::bind(IpAddr::from(Ipv4Addr::LOCALHOST)).unwrap()));
        (pc, driver)
    }

    fn goodbye(destination: SocketAddr) -> Transmit {
        Transmit { socket: SOCKET, destination, payload: Bytes::from_static(b"goodbye") }
    }

    fn listener() -> UdpSocket {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        listener
    }

    fn heard(listener: &UdpSocket) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 16];
        let (length, source) = listener.recv_from(&mut buffer).unwrap();
        (buffer[..length].to_vec(), source)
    }

    /// The runtime has never looked whether the sockets have room, and looks no more.
    #[test]
    fn the_last_datagram_needs_no_runtime_on_a_socket_of_its_own_or_a_shared_port() {
        let (runtime, listener) = (runtime(), listener());
        let context = runtime.enter();
        let (_pc, mut own) = driver(TokioOptions::loopback());
        let socket = Socket::bind(IpAddr::from(Ipv4Addr::LOCALHOST)).unwrap();
        let local = socket.local;
        own.sockets.push((SOCKET, socket));
        let mux = UdpMux::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let (_pc, mut sharing) = driver(TokioOptions::loopback().with_udp_mux(&mux));
        sharing.gather(TransportId(0), GenerationId(0));
        drop(context);
        drop(runtime);
        for (mut driver, local) in [(own, local), (sharing, mux.local_addr())] {
            driver.unsent.push_back(goodbye(listener.local_addr().unwrap()));
            drop(driver);
            assert_eq!(heard(&listener), (b"goodbye".to_vec(), local));
        }
    }

    #[test]
    fn what_waits_for_a_stream_is_written_at_the_end() {
        let runtime = runtime();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let remote = listener.local_addr().unwrap();
        let (_pc, mut driver) = driver(TokioOptions::loopback());
        let opened = runtime.block_on(Stream::open(remote.ip(), remote, None));
        driver.streams.push((SOCKET, opened.unwrap_or_else(|error| panic!("{error}"))));
        driver.unsent.push_back(goodbye(remote));
        runtime.block_on(async { drop(driver) });
        let mut received = String::new();
        std::io::Read::read_to_string(&mut listener.accept().unwrap().0, &mut received).unwrap();
        assert_eq!(received, "goodbye");
    }

    #[test]
    fn of_more_than_the_end_may_have_the_last_are_sent() {
        let (runtime, listener) = (runtime(), listener());
        let _context = runtime.enter();
        let (_pc, mut driver) = driver_with_a_socket();
        let destination = listener.local_addr().unwrap();
        let early = Transmit { payload: Bytes::from_static(b"early"), ..goodbye(destination) };
        driver.unsent.push_back(early);
        // Nobody reads there, and the system drops what finds no room.
        let elsewhere = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        driver.unsent.extend(vec![goodbye(elsewhere.local_addr().unwrap()); LAST_WORDS - 1]);
        driver.unsent.push_back(goodbye(destination));
        drop(driver);
        assert_eq!(heard(&listener).0, b"goodbye");
        listener.set_nonblocking(true).unwrap();
        assert!(listener.recv_from(&mut [0; 16]).is_err(), "there is no more");
    }

    #[test]
    fn after_a_panic_in_the_task_nothing_is_sent() {
        let (runtime, listener) = (runtime(), listener());
        let _context = runtime.enter();
        let (_pc, mut driver) = driver_with_a_socket();
        driver.unsent.push_back(goodbye(listener.local_addr().unwrap()));
        driver.is_in_poll = true;
        drop(driver);
        listener.set_nonblocking(true).unwrap();
        assert!(listener.recv_from(&mut [0; 16]).is_err());
    }
}
