//! Two connections in this thread, on a virtual clock, without a network: what the stack itself
//! costs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use peerconnection::host::{Action, Driver, Host, SocketId};
use peerconnection::{
    RTCCertificate, RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCPeerConnection,
};

use crate::Failure;
use crate::pair::wire;

/// How much virtual time may pass before two connections are connected.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that goes when it is told to.
#[derive(Debug)]
struct Clock {
    start: Instant,
    nanoseconds: AtomicU64,
}

impl Clock {
    fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(by, Ordering::Relaxed);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

impl Host for Clock {
    fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    // Both ends are looked at in turn.
    fn wake(&self) {}
}

/// One connection and its sockets.
#[derive(Debug)]
struct End {
    driver: Driver,
    address: Ipv4Addr,
    sockets: Vec<(SocketId, SocketAddr)>,
}

impl End {
    fn receive(&self, source: SocketAddr, destination: SocketAddr, datagram: &[u8]) {
        if let Some((id, _)) = self.sockets.iter().find(|(_, local)| *local == destination) {
            self.driver.handle_datagram(*id, source, datagram);
        }
    }

    /// Runs tasks, hands datagrams to the other end, binds sockets. Returns whether there was
    /// anything.
    fn step(&mut self, other: &Self) -> bool {
        let mut busy = false;
        while self.driver.run_task() {
            busy = true;
        }
        while let Some(transmit) = self.driver.poll_transmit() {
            busy = true;
            let source = self.sockets.iter().find(|(id, _)| *id == transmit.socket);
            if let Some((_, source)) = source {
                other.receive(*source, transmit.destination, &transmit.payload);
            }
        }
        while let Some(action) = self.driver.poll_action() {
            busy = true;
            match action {
                Action::Gather { transport, generation } => {
                    let number = self.sockets.last().map_or(1, |(id, _)| id.0 + 1);
                    // Beyond the ports to which candidates are prohibited.
                    let port = u16::try_from(20_000 + number).unwrap_or(u16::MAX);
                    let local = SocketAddr::new(self.address.into(), port);
                    self.sockets.push((SocketId(number), local));
                    self.driver.socket_bound(transport, generation, SocketId(number), local);
                    self.driver.gathering_done(transport, generation);
                }
                Action::CloseSocket(id) => self.sockets.retain(|(socket, _)| *socket != id),
                _ => {}
            }
        }
        busy
    }
}

/// Two connections in memory.
#[derive(Debug)]
pub struct Memory {
    /// The peer that offers.
    pub a: RTCPeerConnection,
    /// The peer that answers.
    pub b: RTCPeerConnection,
    clock: Arc<Clock>,
    ends: [End; 2],
}

impl Memory {
    /// Two connections that have not begun to negotiate. Each makes its certificate, or uses the
    /// one that is given.
    ///
    /// # Errors
    /// The errors of the constructor.
    pub fn new(certificate: Option<&RTCCertificate>) -> Result<Self, Failure> {
        let clock = Arc::new(Clock { start: Instant::now(), nanoseconds: AtomicU64::new(0) });
        let end = |number: u8| -> Result<_, Failure> {
            let configuration = RTCConfiguration {
                certificates: certificate.cloned().into_iter().collect(),
                ..RTCConfiguration::default()
            };
            let (pc, driver) =
                RTCPeerConnection::with_host(configuration, clock.clone(), [number; 32])?;
            let address = Ipv4Addr::new(10, 0, 0, number);
            Ok((pc, End { driver, address, sockets: Vec::new() }))
        };
        let ((a, end_a), (b, end_b)) = (end(1)?, end(2)?);
        wire(&a, &b, Some);
        Ok(Self { a, b, clock, ends: [end_a, end_b] })
    }

    /// Two connections with a channel between them, open on both sides: `a`'s end and `b`'s.
    ///
    /// # Errors
    /// The errors of the connections, or one that says that nothing more will happen.
    pub fn connected(
        certificate: Option<&RTCCertificate>,
        init: RTCDataChannelInit,
    ) -> Result<(Self, RTCDataChannel, RTCDataChannel), Failure> {
        let mut memory = Self::new(certificate)?;
        let arrived: Arc<Mutex<Option<RTCDataChannel>>> = Arc::default();
        let to = arrived.clone();
        memory.b.on_datachannel(move |event| {
            *to.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.channel().clone());
        });
        let channel_a = memory.a.create_data_channel("bench", init)?;
        loop {
            memory.settle();
            let channel_b = arrived.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(channel_b) = channel_b {
                return Ok((memory, channel_a, channel_b));
            }
            if !memory.advance() || memory.clock.elapsed() > PATIENCE {
                return Err("the connections do not connect".into());
            }
        }
    }

    /// Moves one end after the other, once. Returns whether there was anything to do.
    pub fn step(&mut self) -> bool {
        let [a, b] = &mut self.ends;
        a.step(b) | b.step(a)
    }

    /// Lets everything happen that can happen at this instant.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// Goes on to the next deadline; `false` if there is none.
    pub fn advance(&mut self) -> bool {
        let next = self.ends.iter().filter_map(|end| end.driver.poll_timeout()).min();
        let Some(next) = next else { return false };
        self.wait(next.saturating_duration_since(self.clock.now()));
        true
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.clock.advance(time);
        let now = self.clock.now();
        for end in &self.ends {
            if end.driver.poll_timeout().is_some_and(|at| at <= now) {
                end.driver.handle_timeout();
            }
        }
    }

    /// Virtual time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_waits_for_no_timer_to_speak_of() {
        // Without a network every step but a timer's is immediate, so the time that passes is
        // the time that timers take.
        let (memory, ..) = Memory::connected(None, RTCDataChannelInit::default()).unwrap();
        assert!(memory.elapsed() <= Duration::from_millis(5), "{:?}", memory.elapsed());
    }
}
