//! What a hub has to do with the hubs of other servers: whose members are in the same rooms.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::{Hub, Wake};
use crate::protocol::MemberId;

/// A server of a cluster; each start of a server has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerId(pub(crate) u64);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What the other servers have to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "nobody reads it"))]
pub(crate) enum Away {
    /// The first member has entered a room here.
    Opened(Arc<str>),
    /// The members here have changed; without any the room is closed here.
    Members(Arc<str>),
    /// A message for a member there.
    Message { server: ServerId, to: MemberId, from: MemberId, data: String },
    /// A member there has to go: it has filled the buffer of one here.
    Expel { server: ServerId, member: MemberId },
}

/// The way to the other servers.
#[derive(Debug)]
pub(crate) struct Cluster<W> {
    events: VecDeque<Away>,
    wake: W,
}

impl<W: Wake> Hub<W> {
    fn tell_cluster(&mut self, event: impl FnOnce() -> Away) {
        if let Some(cluster) = &mut self.cluster {
            cluster.events.push_back(event());
            cluster.wake.wake();
        }
    }

    pub(super) fn room_opened(&mut self, room: &Arc<str>) {
        self.tell_cluster(|| Away::Opened(room.clone()));
    }

    pub(super) fn members_changed(&mut self, room: &Arc<str>) {
        self.tell_cluster(|| Away::Members(room.clone()));
    }

    /// Sends a message to a member with a session at another server, if there is one.
    pub(super) fn send_away(&mut self, room: &str, to: MemberId, from: MemberId, data: &str) {
        let Some(members) = self.rooms.get(room) else { return };
        if let Some(&(_, server)) = members.away.iter().find(|(member, _)| *member == to) {
            self.tell_cluster(|| Away::Message { server, to, from, data: data.to_owned() });
        }
    }

    pub(super) fn expel_away(&mut self, server: ServerId, member: MemberId) {
        self.tell_cluster(|| Away::Expel { server, member });
    }
}

#[cfg(feature = "nats")]
impl<W: Wake> Hub<W> {
    /// From now on others are told what happens here, and first what there is.
    pub(crate) fn join_cluster(&mut self, wake: W) {
        wake.wake();
        let events = self.rooms.keys().cloned().map(Away::Opened).collect();
        self.cluster = Some(Cluster { events, wake });
    }

    /// From now on nobody is told, and the members of other servers have left.
    pub(crate) fn leave_cluster(&mut self) {
        self.cluster = None;
        for room in self.rooms.keys().cloned().collect::<Vec<_>>() {
            self.keep_away(&room, |_| false);
        }
        self.settle();
    }

    /// The next event for the other servers.
    pub(crate) fn next_away(&mut self) -> Option<Away> {
        self.cluster.as_mut()?.events.pop_front()
    }

    /// The members of a room whose sessions are here.
    pub(crate) fn members_here(&self, room: &str) -> Vec<MemberId> {
        self.rooms.get(room).map(|room| room.here.clone()).unwrap_or_default()
    }

    /// The rooms with members here.
    pub(crate) fn open_rooms(&self) -> Vec<Arc<str>> {
        self.rooms.keys().cloned().collect()
    }

    /// These are the members whom a server has in a room.
    pub(crate) fn handle_members(&mut self, server: ServerId, room: &str, members: &[MemberId]) {
        self.keep_away(room, |&(member, of)| of != server || members.contains(&member));
        for &member in members {
            let is_session = self.sessions.contains_key(&member);
            let limit = self.limits.members_per_room;
            let Some(known) = self.rooms.get_mut(room) else { break };
            if is_session || known.away.iter().any(|(other, _)| *other == member) {
                continue;
            }
            // Servers that let somebody in at the same moment may exceed the limit, but not by more
            // than this.
            if known.away.len() >= limit {
                tracing::warn!(%server, room, "more members of other servers than a room may have");
                break;
            }
            known.away.push((member, server));
            self.tell_others(room, member, "entered");
        }
        self.settle();
    }

    /// A member there has sent something to one here.
    pub(crate) fn handle_message(
        &mut self,
        server: ServerId,
        to: MemberId,
        from: MemberId,
        data: &str,
    ) {
        let Some(room) = self.sessions.get(&to).map(|session| session.room.clone()) else { return };
        let known = self.rooms.get(&room);
        if known.is_some_and(|room| room.away.contains(&(from, server))) {
            self.deliver(&room, to, from, data);
            self.settle();
        } else {
            tracing::debug!(%server, %from, "a message from a member of another room");
        }
    }

    /// A member here has filled the buffer of one there.
    pub(crate) fn handle_expel(&mut self, member: MemberId) {
        self.end(member, Some(crate::Refusal::Flood));
    }

    /// A server is gone, and its members with it.
    pub(crate) fn handle_server_lost(&mut self, server: ServerId) {
        for room in self.open_rooms() {
            self.keep_away(&room, |(_, of)| *of != server);
        }
        self.settle();
    }

    /// Lets those members of other servers go for whom `keep` is false.
    fn keep_away(&mut self, room: &str, keep: impl Fn(&(MemberId, ServerId)) -> bool) {
        let Some(members) = self.rooms.get_mut(room) else { return };
        let (kept, gone): (Vec<_>, Vec<_>) = members.away.drain(..).partition(keep);
        members.away = kept;
        for (member, _) in gone {
            self.tell_others(room, member, "left");
        }
    }
}
