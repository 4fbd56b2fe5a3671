//! Permissions and channels: RFC 8656 §9, §10, §12.

use std::net::{IpAddr, SocketAddr};

use time::{Duration, Instant, earlier, later};

use super::Client;
use super::requests::Operation;
use crate::address::canonical;
use crate::error::{Error, ErrorResponse, ServerError};
use crate::event::{Event, State};

/// "The Permission Lifetime MUST be 300 seconds".
const PERMISSION: Duration = Duration::from_secs(300);
/// "A channel binding lasts for 10 minutes unless refreshed."
const CHANNEL: Duration = Duration::from_secs(600);
/// How long before its end a lease is renewed: longer than an unanswered request takes.
const AHEAD: Duration = Duration::from_secs(60);
/// Shortest time from a request that failed to the next for the same.
const PACE: Duration = Duration::from_secs(5);
/// How long a permission that was never given is asked for: as long as an unanswered check takes
/// to fail (RFC 8489 §6.2.1).
const PATIENCE: Duration = Duration::from_millis(39_500);
/// "the client MUST wait 5 minutes after the channel binding expires before attempting to bind
/// the channel number to a different transport address".
const CHANNEL_QUARANTINE: Duration = Duration::from_secs(300);
/// Channel numbers (RFC 8656 §12).
const FIRST_CHANNEL: u16 = 0x4000;

/// Something that the server holds for this client for some time.
#[derive(Debug, Default)]
pub(super) struct Lease {
    /// Until when the server holds it. `None` until it is first granted.
    until: Option<Instant>,
    /// When it is asked for again; `None` means at once.
    renew_at: Option<Instant>,
    /// When it was asked for first since the server granted it last.
    asked_at: Option<Instant>,
    asking: bool,
    /// The last refusal may mean that the allocation is gone; a refresh of the allocation shows it.
    suspect: bool,
    /// Whether that refresh is awaited.
    waiting: bool,
}

impl Lease {
    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether the server has ever held it, so that packets may be on the way.
    pub(super) fn was_held(&self) -> bool {
        self.until.is_some()
    }

    fn is_due(&self, now: Instant) -> bool {
        !self.asking && !self.waiting && self.renew_at.is_none_or(|at| now >= at)
    }

    fn ask(&mut self, now: Instant) {
        self.asking = true;
        self.asked_at.get_or_insert(now);
    }

    /// When it is due.
    fn deadline(&self, now: Instant) -> Option<Instant> {
        (!self.asking && !self.waiting).then(|| self.renew_at.unwrap_or(now))
    }

    fn grant(&mut self, now: Instant, lifetime: Duration) {
        *self = Self {
            until: Some(later(now, lifetime)),
            renew_at: Some(later(now, lifetime.saturating_sub(AHEAD))),
            ..Self::default()
        };
    }

    /// The server refused it, or did not answer. Only 403 (Forbidden) and 443 (Peer Address Family
    /// Mismatch) are about the peer (RFC 8656 §9.3, §12.2); any other refusal may pass, and is
    /// tried again for so long.
    fn refuse(&mut self, now: Instant, code: u16, patience: Duration) -> Refusal {
        self.asking = false;
        if matches!(code, 403 | 443) {
            return Refusal::Final;
        }
        // Servers answer 400 or 437 where there is no allocation. Once for each refusal, a
        // refresh of the allocation tells which it is.
        if matches!(code, 400 | 437) && !self.suspect {
            (self.suspect, self.waiting, self.renew_at) = (true, true, None);
            return Refusal::Suspicious;
        }
        // What the server holds outlives a lost answer, and every error that may pass.
        let outlives = match code {
            ServerError::UNREACHABLE => self.was_held(),
            _ => self.is_held(now),
        };
        let in_time = self.asked_at.is_some_and(|at| now < later(at, patience));
        if outlives || in_time {
            let left = self.until.map(|until| until.saturating_duration_since(now));
            self.renew_at = Some(later(now, (left.unwrap_or_default() / 2).max(PACE)));
            return Refusal::Again;
        }
        Refusal::Final
    }

    /// Asks for it again at once.
    pub(super) fn renew(&mut self, now: Instant) {
        self.renew_at = self.renew_at.map(|at| at.min(now));
    }
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Final,
    /// It will be asked for again.
    Again,
    /// It will be asked for again when the allocation is known to live.
    Suspicious,
}

/// A peer that packets may come from and go to.
#[derive(Debug)]
pub(super) struct Permission {
    pub(super) peer: IpAddr,
    pub(super) lease: Lease,
    /// Whether it is asked for and refreshed.
    pub(super) wanted: bool,
}

impl Permission {
    fn new(peer: IpAddr) -> Self {
        Self { peer, lease: Lease::default(), wanted: true }
    }

    /// When nothing is left of it.
    fn forget_at(&self, now: Instant) -> Option<Instant> {
        (!self.wanted && !self.lease.asking).then(|| self.lease.until.unwrap_or(now))
    }
}

/// A peer with a number.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) number: u16,
    pub(super) peer: SocketAddr,
    pub(super) lease: Lease,
    /// Whether it is refreshed.
    wanted: bool,
}

impl Channel {
    /// When the number may be given to another peer.
    fn forget_at(&self, now: Instant) -> Option<Instant> {
        let end = self.lease.until.map_or(now, |until| later(until, CHANNEL_QUARANTINE));
        (!self.wanted && !self.lease.asking).then_some(end)
    }
}

impl Client {
    /// Asks the server to relay packets to and from this address, as soon as there is an
    /// allocation, and keeps the permission alive. [`Event::PermissionGranted`] or
    /// [`Event::PermissionDenied`] follows: at once if the server forbids the peer (403, 443), and
    /// for any other refusal after 39.5 s in which it was asked for again. After that it may be
    /// asked for anew. ICE asks before the checks of a remote candidate. Asking again for what is
    /// granted or being asked for does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyPermissions`], [`Error::Closed`].
    pub fn create_permission(&mut self, now: Instant, peer: IpAddr) -> Result<(), Error> {
        self.add_permission(peer.to_canonical())?;
        self.drive(now);
        Ok(())
    }

    /// The permission is refreshed no more. Packets pass until it expires, 300 s after the server
    /// gave it last: the peer may come back.
    pub fn release_permission(&mut self, now: Instant, peer: IpAddr) {
        let peer = peer.to_canonical();
        if let Some(permission) = self.permissions.iter_mut().find(|p| p.peer == peer) {
            permission.wanted = false;
        }
        self.drive(now);
    }

    /// Asks for a channel to this peer, which makes packets to and from it smaller, and keeps it
    /// and the permission alive. ICE asks for the selected pair alone. [`Event::ChannelBound`] or
    /// [`Event::ChannelRefused`] follows; until then packets go as before. If the server does not
    /// permit the peer, [`Event::PermissionDenied`] reports it.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyChannels`], [`Error::TooManyPermissions`], [`Error::Closed`].
    pub fn bind_channel(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        let peer = canonical(peer);
        let known = self.channels.iter().any(|channel| channel.peer == peer);
        if !known && self.channels.len() >= self.config.max_channels {
            return Err(Error::TooManyChannels);
        }
        self.add_permission(peer.ip())?;
        if let Some(channel) = self.channels.iter_mut().find(|channel| channel.peer == peer) {
            channel.wanted = true;
        } else if self.can_relay_to(peer.ip()) {
            let taken = |number: &u16| self.channels.iter().any(|c| c.number == *number);
            let number = (FIRST_CHANNEL..=0x4fff).find(|number| !taken(number));
            let number = number.ok_or(Error::TooManyChannels)?;
            self.channels.push(Channel { number, peer, lease: Lease::default(), wanted: true });
        }
        self.drive(now);
        Ok(())
    }

    /// Stops refreshing the channel. It is used until it expires; another 300 s later its number
    /// can go to another peer (RFC 8656 §12).
    pub fn release_channel(&mut self, now: Instant, peer: SocketAddr) {
        let peer = canonical(peer);
        if let Some(channel) = self.channels.iter_mut().find(|channel| channel.peer == peer) {
            channel.wanted = false;
        }
        self.drive(now);
    }

    fn add_permission(&mut self, peer: IpAddr) -> Result<(), Error> {
        if matches!(self.state, State::Failed | State::Closing | State::Closed) {
            return Err(Error::Closed);
        }
        if let Some(permission) = self.permissions.iter_mut().find(|p| p.peer == peer) {
            permission.wanted = true;
            return Ok(());
        }
        if self.permissions.len() >= self.config.max_permissions {
            let released = self.permissions.iter().position(|permission| !permission.wanted);
            let Some(released) = released else { return Err(Error::TooManyPermissions) };
            self.permissions.remove(released);
        }
        if self.can_relay_to(peer) {
            self.permissions.push(Permission::new(peer));
        } else {
            let error = self.family_mismatch();
            self.events.push_back(Event::PermissionDenied { peer, error });
        }
        Ok(())
    }

    /// Denies the permissions whose address family the new allocation does not have.
    pub(super) fn deny_other_families(&mut self) {
        for permission in std::mem::take(&mut self.permissions) {
            let peer = permission.peer;
            if self.can_relay_to(peer) {
                self.permissions.push(permission);
            } else {
                self.channels.retain(|channel| channel.peer.ip() != peer);
                let error = self.family_mismatch();
                self.events.push_back(Event::PermissionDenied { peer, error });
            }
        }
    }

    // ----- answers

    pub(super) fn on_permitted(&mut self, now: Instant, peer: IpAddr) {
        let permission = self.permissions.iter_mut().find(|p| p.peer == peer);
        let Some(permission) = permission else { return };
        let held = permission.lease.is_held(now);
        permission.lease.grant(now, PERMISSION);
        if !held {
            self.events.push_back(Event::PermissionGranted { peer });
        }
    }

    pub(super) fn on_bound(&mut self, now: Instant, peer: SocketAddr) {
        let Some(channel) = self.channels.iter_mut().find(|c| c.peer == peer) else { return };
        let held = channel.lease.is_held(now);
        channel.lease.grant(now, CHANNEL);
        if !held {
            self.events.push_back(Event::ChannelBound { peer });
        }
        // "A ChannelBind transaction also creates or refreshes a permission towards the peer".
        // A request for it that is in flight does no harm.
        self.on_permitted(now, peer.ip());
    }

    pub(super) fn on_permission_error(&mut self, now: Instant, peer: IpAddr, error: ErrorResponse) {
        let Some(index) = self.permissions.iter().position(|p| p.peer == peer) else { return };
        let lease = self.permissions.get_mut(index).map(|permission| &mut permission.lease);
        match lease.map(|lease| lease.refuse(now, error.code, PATIENCE)) {
            Some(Refusal::Final) | None => {}
            Some(Refusal::Again) => return,
            Some(Refusal::Suspicious) => return self.verify_allocation(now),
        }
        if !self.permissions.remove(index).wanted {
            tracing::debug!(%peer, code = error.code, "a released permission is refused");
            return;
        }
        let error = self.server_error(error);
        self.events.push_back(Event::PermissionDenied { peer, error });
    }

    pub(super) fn on_channel_error(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        error: ErrorResponse,
    ) {
        let Some(index) = self.channels.iter().position(|c| c.peer == peer) else { return };
        let Some(channel) = self.channels.get_mut(index) else { return };
        // Without a channel packets take a few bytes more: there is nothing to be patient for.
        match channel.lease.refuse(now, error.code, Duration::ZERO) {
            // A number that the server may know is not another peer's too soon.
            Refusal::Final if channel.lease.was_held() => channel.wanted = false,
            Refusal::Final => drop(self.channels.remove(index)),
            Refusal::Again => return,
            Refusal::Suspicious => return self.verify_allocation(now),
        }
        let error = self.server_error(error);
        self.events.push_back(Event::ChannelRefused { peer, error });
    }

    /// The allocation lives, or nobody knows whether it does. What a refusal made doubtful is asked
    /// for again, once.
    pub(super) fn note_verified_allocation(&mut self) {
        for permission in &mut self.permissions {
            permission.lease.waiting = false;
        }
        for channel in &mut self.channels {
            channel.lease.waiting = false;
        }
    }

    /// The allocation is gone, and everything with it.
    pub(super) fn forget_leases(&mut self) {
        self.channels.retain(|channel| channel.wanted);
        self.permissions.retain(|permission| permission.wanted);
        for permission in &mut self.permissions {
            permission.lease = Lease::default();
        }
        for channel in &mut self.channels {
            channel.lease = Lease::default();
        }
    }

    // ----- time

    pub(super) fn drive_peers(&mut self, now: Instant) {
        self.channels.retain(|channel| channel.forget_at(now).is_none_or(|at| now < at));
        self.permissions.retain(|permission| permission.forget_at(now).is_none_or(|at| now < at));
        if self.state != State::Allocated {
            return;
        }
        let mut due: Vec<Operation> = Vec::new();
        for permission in &mut self.permissions {
            if permission.wanted && permission.lease.is_due(now) {
                permission.lease.ask(now);
                due.push(Operation::Permission(permission.peer));
            }
        }
        for channel in &mut self.channels {
            if channel.wanted && channel.lease.is_due(now) {
                channel.lease.ask(now);
                due.push(Operation::Channel(channel.peer));
            }
        }
        for operation in due {
            self.start(now, operation, 0);
        }
    }

    pub(super) fn peers_deadline(&self, now: Instant) -> Option<Instant> {
        let mut deadline = None;
        if self.state == State::Allocated {
            for permission in self.permissions.iter().filter(|permission| permission.wanted) {
                earlier(&mut deadline, permission.lease.deadline(now));
            }
            for channel in self.channels.iter().filter(|channel| channel.wanted) {
                earlier(&mut deadline, channel.lease.deadline(now));
            }
        }
        for channel in &self.channels {
            earlier(&mut deadline, channel.forget_at(now));
        }
        for permission in &self.permissions {
            earlier(&mut deadline, permission.forget_at(now));
        }
        deadline
    }
}
