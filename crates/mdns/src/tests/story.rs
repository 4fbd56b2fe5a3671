//! Responders and resolvers on one link, on a virtual clock: who is told what, and when.

use super::ip;
use super::responder::WIFI;
use crate::{Destination, Event, Resolver, Responder};
use std::net::{IpAddr, SocketAddr};
use time::{Duration, Instant};

/// A machine with both.
struct Machine {
    address: IpAddr,
    resolver: Resolver,
    responder: Responder,
}

/// A link on which everything arrives at once. It may lose the multicasts of a time.
struct Network {
    start: Instant,
    now: Instant,
    machines: Vec<Machine>,
    loses_until: Duration,
    trace: Vec<String>,
}

impl Network {
    fn new(addresses: &[&str]) -> Self {
        let now = Instant::now();
        let machine = |address: &&str| Machine {
            address: ip(address),
            resolver: Resolver::new(),
            responder: Responder::new(),
        };
        let machines = addresses.iter().map(machine).collect();
        Self { start: now, now, machines, loses_until: Duration::ZERO, trace: Vec::new() }
    }

    fn hide(&mut self, machine: usize) -> String {
        let Machine { address, responder, .. } = &mut self.machines[machine];
        let random = [machine as u8; 16];
        responder.register(self.now, *address, Some(WIFI), random).unwrap().to_owned()
    }

    fn ask(&mut self, machine: usize, name: &str) {
        self.machines[machine].resolver.resolve(self.now, name).unwrap();
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.deliver();
            let timers = self.machines.iter().flat_map(|machine| {
                [machine.resolver.poll_timeout(), machine.responder.poll_timeout()]
            });
            let Some(next) = timers.flatten().min().filter(|next| *next <= end) else { break };
            self.now = next;
            for machine in &mut self.machines {
                machine.resolver.handle_timeout(self.now);
                machine.responder.handle_timeout(self.now);
            }
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        loop {
            let mut datagrams = Vec::new();
            for (from, machine) in self.machines.iter_mut().enumerate() {
                let source = SocketAddr::new(machine.address, crate::PORT);
                while let Some(question) = machine.resolver.poll_transmit() {
                    datagrams.push((from, source, question, "asks"));
                }
                while let Some(response) = machine.responder.poll_response() {
                    assert_eq!(response.to, Destination::Groups(WIFI));
                    datagrams.push((from, source, response.payload, "tells"));
                }
            }
            if datagrams.is_empty() {
                break;
            }
            let time = (self.now - self.start).as_millis();
            for (from, source, datagram, what) in datagrams {
                self.trace.push(format!("{time} {from} {what}"));
                if self.now - self.start < self.loses_until {
                    continue;
                }
                for machine in &mut self.machines {
                    machine.resolver.handle_datagram(source, &datagram);
                    machine.responder.handle_datagram(self.now, &[WIFI], source, &datagram);
                }
            }
        }
        let time = (self.now - self.start).as_millis();
        for (index, machine) in self.machines.iter_mut().enumerate() {
            while let Some(event) = machine.resolver.poll_event() {
                self.trace.push(match event {
                    Event::Resolved { addresses, .. } => {
                        format!("{time} {index} knows {}", addresses[0])
                    }
                    Event::NotFound { .. } => format!("{time} {index} gives up"),
                });
            }
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn two_peers_that_hide_find_each_other_in_no_time() {
    let mut net = Network::new(&["192.0.2.1", "2001:db8::2"]);
    let names = [net.hide(0), net.hide(1)];
    net.ask(0, &names[1]);
    net.ask(1, &names[0]);
    net.run_for(10 * SECOND);
    let expected = [
        "0 0 asks",
        "0 1 asks",
        "0 0 tells",
        "0 1 tells",
        "0 0 knows 2001:db8::2",
        "0 1 knows 192.0.2.1",
        "1000 0 tells",
        "1000 1 tells",
    ];
    assert_eq!(net.trace, expected);
}

/// The first answer is heard by both, so a third machine that asks later is the one who waits.
#[test]
fn a_third_machine_that_asks_a_moment_later_waits_for_less_than_a_second() {
    let mut net = Network::new(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    let name = net.hide(0);
    net.ask(1, &name);
    net.run_for(Duration::from_millis(300));
    net.ask(2, &name);
    net.run_for(10 * SECOND);
    let expected = [
        "0 1 asks",
        "0 0 tells",
        "0 1 knows 192.0.2.1",
        "300 2 asks",
        "1000 0 tells",
        "1000 2 knows 192.0.2.1",
    ];
    assert_eq!(net.trace, expected);
}

#[test]
fn lost_datagrams_are_made_up_for() {
    let mut net = Network::new(&["192.0.2.1", "192.0.2.2"]);
    net.loses_until = Duration::from_millis(2_500);
    let name = net.hide(0);
    net.ask(1, &name);
    net.run_for(10 * SECOND);
    let expected = [
        "0 1 asks",
        "1000 0 tells",
        "1000 1 asks",
        "2000 0 tells",
        "3000 1 asks",
        "3000 0 tells",
        "3000 1 knows 192.0.2.1",
    ];
    assert_eq!(net.trace, expected);
}

#[test]
fn a_name_that_was_given_up_is_found_no_more() {
    let mut net = Network::new(&["192.0.2.1", "192.0.2.2"]);
    let name = net.hide(0);
    net.run_for(5 * SECOND);
    net.machines[0].responder.give_up();
    net.ask(1, &name);
    net.run_for(10 * SECOND);
    let expected = [
        "1000 0 tells",
        "2000 0 tells",
        "5000 0 tells",
        "5000 1 asks",
        "6000 1 asks",
        "8000 1 asks",
        "10000 1 gives up",
    ];
    assert_eq!(net.trace, expected);
}
