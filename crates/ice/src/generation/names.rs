//! Remote candidates that hide their address behind a name:
//! draft-ietf-mmusic-mdns-ice-candidates §3.2.

use std::net::{IpAddr, SocketAddr};

use time::{Duration, Instant, earlier, later};

use super::{Context, Generation};
use crate::candidate::{Candidate, destination};
use crate::event::{Event, NameOf};
use crate::server::TransportPolicy;

/// Names that a generation asks for: a browser has one for each address that it gathers on.
const NAMES: usize = 32;
/// How long an answer is awaited. Chromium announces one name a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The names of a generation: each is asked for once.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Name>);

#[derive(Debug)]
struct Name {
    /// In lower case.
    host: String,
    address: Answer,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    AwaitedUntil(Instant),
    Is(IpAddr),
    None,
}

impl Name {
    fn awaited_until(&self) -> Option<Instant> {
        match self.address {
            Answer::AwaitedUntil(at) => Some(at),
            Answer::Is(_) | Answer::None => None,
        }
    }
}

impl Names {
    /// Whether a candidate may yet get an address.
    pub(super) fn are_awaited(&self) -> bool {
        self.deadline().is_some()
    }

    /// When the first name is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let mut deadline = None;
        self.0.iter().for_each(|name| earlier(&mut deadline, name.awaited_until()));
        deadline
    }
}

impl Generation {
    /// Asks for the names of the remote candidates that came before the generation gathers. Until
    /// then its policy is not known. What another id of the generation has asked for nobody will
    /// answer any more.
    pub(crate) fn look_up_all(&mut self, ctx: &Context, now: Instant) {
        self.names = Names::default();
        for key in self.signalled.clone() {
            self.look_up(ctx, now, key);
        }
    }

    /// §3.2.1 step 3, for a candidate that has a name.
    pub(super) fn look_up(&mut self, ctx: &Context, now: Instant, key: usize) {
        // Step 2: under relay-only the name is nobody's business.
        if self.local.is_none() || self.servers.policy == TransportPolicy::Relay {
            return;
        }
        let waiting = self.remotes.get(key).filter(|remote| remote.address.is_none());
        let Some(host) = waiting.and_then(|remote| remote.candidate.multicast_name()) else {
            return;
        };
        match self.names.0.iter().find(|name| name.host == host).map(|name| name.address) {
            Some(Answer::Is(ip)) => self.set_remote_address(ctx, now, key, ip),
            Some(Answer::AwaitedUntil(_) | Answer::None) => {}
            None if self.names.0.len() >= NAMES => {
                tracing::debug!(host, "too many names of remote candidates");
            }
            None => {
                let address = Answer::AwaitedUntil(later(now, PATIENCE));
                self.names.0.push(Name { host: host.clone(), address });
                let (generation, of) = (self.id, NameOf::Candidate);
                self.events.push_back(Event::Resolve { generation, of, host });
            }
        }
    }

    /// Takes the addresses of a candidate's name, or the reason why there are none.
    pub(crate) fn name_resolved(
        &mut self,
        ctx: &Context,
        now: Instant,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        let awaited = |name: &Name| name.awaited_until().is_some() && name.host == host;
        let Some(index) = self.names.0.iter().position(awaited) else {
            tracing::trace!(host, "a name that nobody waits for any more");
            return;
        };
        let address = addresses.and_then(|known| {
            self.choose_address(known).ok_or("none of its addresses can be checked")
        });
        if let Err(why) = address {
            tracing::debug!(host, why, "a remote candidate has no address");
        }
        if let Some(name) = self.names.0.get_mut(index) {
            name.address = address.map_or(Answer::None, Answer::Is);
        }
        let Ok(ip) = address else { return };
        self.candidate_at = Some(now);
        for key in self.signalled.clone() {
            let remote = self.remotes.get(key).filter(|remote| remote.address.is_none());
            let name = remote.and_then(|remote| remote.candidate.multicast_name());
            if name.is_some_and(|name| name == host) {
                self.set_remote_address(ctx, now, key, ip);
            }
        }
    }

    /// §3.2.1: "the ICE agent MUST take exactly one of the resolved IP addresses", "the first IPv6
    /// address resolved, if one exists, or the first IPv4 address, if not"; but rather one that
    /// makes a pair.
    fn choose_address(&self, known: &[IpAddr]) -> Option<IpAddr> {
        let probe = |ip| Candidate::udp(SocketAddr::new(ip, 1)).checkable();
        let usable = || known.iter().filter_map(|ip| probe(ip.to_canonical()));
        let direct = || self.bases.iter().filter(|base| base.id.relay.is_none());
        let reached = |to: &SocketAddr| direct().any(|b| destination(b.address, *to).is_some());
        let first = |is_wanted: &dyn Fn(&SocketAddr) -> bool| {
            let by_family = |v6: bool| usable().find(|at| at.is_ipv6() == v6 && is_wanted(at));
            by_family(true).or_else(|| by_family(false))
        };
        first(&reached).or_else(|| first(&|_| true)).map(|at| at.ip())
    }

    /// Lets a signalled candidate make pairs. It keeps its name.
    fn set_remote_address(&mut self, ctx: &Context, now: Instant, key: usize, ip: IpAddr) {
        let Some(remote) = self.remotes.get(key) else { return };
        let Some(address) = remote.candidate.checkable_at(ip) else { return };
        match self.find_remote(&remote.candidate, address) {
            // Signalled twice, RFC 8838 §9: with its name, too.
            Some(known) if self.signalled.contains(&known) => {}
            Some(reflexive) => {
                // RFC 8445 §7.3.1.3: a peer-reflexive candidate that becomes known keeps its pairs.
                let candidate = self.remotes.remove(key).candidate;
                if let Some(remote) = self.remotes.get_mut(reflexive) {
                    remote.candidate = candidate;
                }
                for signalled in self.signalled.iter_mut().filter(|of| **of == key) {
                    *signalled = reflexive;
                }
                self.speak_for(reflexive);
                self.update_priorities(ctx);
                self.pair_with_all(ctx, reflexive);
                self.put_off_settling(&ctx.config, now, reflexive);
            }
            None => {
                if let Some(remote) = self.remotes.get_mut(key) {
                    remote.address = Some(address);
                }
                self.pair_with_all(ctx, key);
                self.put_off_settling(&ctx.config, now, key);
            }
        }
    }

    /// Gives up the names that nobody has resolved in time.
    pub(super) fn on_name_time(&mut self, now: Instant) {
        for name in &mut self.names.0 {
            if name.awaited_until().is_some_and(|at| now >= at) {
                tracing::debug!(host = name.host, "a remote candidate's name is not resolved");
                name.address = Answer::None;
            }
        }
    }
}
