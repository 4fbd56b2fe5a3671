//! The four slots of descriptions. They change when a description is applied or rolled back, and
//! candidates are added to them.

use super::Description;
use crate::session::Session;
use crate::signaling::Side;
use idl::RTCSdpType::{Answer, Offer, Pranswer, Rollback};
use idl::RTCSessionDescription;

/// The slots. An offer and a provisional answer are pending. When the answer is set, it becomes
/// current and so does its offer; both pending slots are empty then, so they take no room.
#[derive(Debug, Default)]
pub(crate) struct Descriptions {
    /// `[[PendingLocalDescription]]`
    pending_local_description: Option<Box<Description>>,
    /// `[[CurrentLocalDescription]]`
    current_local_description: Option<Box<Description>>,
    /// `[[PendingRemoteDescription]]`
    pending_remote_description: Option<Box<Description>>,
    /// `[[CurrentRemoteDescription]]`
    current_remote_description: Option<Box<Description>>,
}

impl Descriptions {
    pub(crate) fn pending(&self, side: Side) -> Option<&Description> {
        match side {
            Side::Local => self.pending_local_description.as_deref(),
            Side::Remote => self.pending_remote_description.as_deref(),
        }
    }

    pub(crate) fn current(&self, side: Side) -> Option<&Description> {
        match side {
            Side::Local => self.current_local_description.as_deref(),
            Side::Remote => self.current_remote_description.as_deref(),
        }
    }

    /// The pending description of a side, else the current one.
    pub(crate) fn latest(&self, side: Side) -> Option<&Description> {
        self.pending(side).or(self.current(side))
    }

    /// The pending and the current description of a side.
    pub(crate) fn of(&self, side: Side) -> impl Iterator<Item = &Description> {
        self.pending(side).into_iter().chain(self.current(side))
    }

    /// The local and the remote description of the last complete exchange.
    pub(crate) fn both_current(&self) -> impl Iterator<Item = &Description> + Clone {
        let remote = self.current(Side::Remote);
        self.current(Side::Local).into_iter().chain(remote)
    }

    /// Gives back the memory for more lines.
    pub(crate) fn rest(&mut self) {
        for side in [Side::Local, Side::Remote] {
            self.of_mut(side).for_each(|description| description.sdp.shrink_to_fit());
        }
    }

    /// All descriptions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Description> {
        self.of(Side::Local).chain(self.of(Side::Remote))
    }

    /// The answer of the last complete exchange, of either side.
    pub(crate) fn most_recent_answer(&self) -> Option<&Description> {
        self.both_current().find(|description| description.type_ == Answer)
    }

    /// The pending and the current description of a side. Only candidates may be added to them.
    pub(crate) fn of_mut(&mut self, side: Side) -> impl Iterator<Item = &mut Description> {
        let (pending, current) = match side {
            Side::Local => {
                (&mut self.pending_local_description, &mut self.current_local_description)
            }
            Side::Remote => {
                (&mut self.pending_remote_description, &mut self.current_remote_description)
            }
        };
        pending.iter_mut().chain(current).map(AsMut::as_mut)
    }

    /// webrtc-pc §4.4.1.4 steps 4.7.5 and 4.7.6, as far as these slots go.
    pub(super) fn set(&mut self, side: Side, description: Box<Description>) {
        match (side, description.type_) {
            // Steps 4.7.5.1 and 4.7.5.3
            (Side::Local, Offer | Pranswer) => self.pending_local_description = Some(description),
            // Steps 4.7.6.1 and 4.7.6.3
            (Side::Remote, Offer | Pranswer) => self.pending_remote_description = Some(description),
            // Step 4.7.5.2
            (Side::Local, Answer) => {
                self.current_remote_description = self.pending_remote_description.take();
                self.current_local_description = Some(description);
                self.pending_local_description = None;
            }
            // Step 4.7.6.2
            (Side::Remote, Answer) => {
                self.current_local_description = self.pending_local_description.take();
                self.current_remote_description = Some(description);
                self.pending_remote_description = None;
            }
            (_, Rollback) => self.roll_back(),
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.12.4
    pub(crate) fn roll_back(&mut self) {
        self.pending_local_description = None;
        self.pending_remote_description = None;
    }
}

impl Session {
    /// `localDescription`
    pub fn local_description(&self) -> Option<RTCSessionDescription> {
        self.local().map(Description::to_session_description)
    }

    /// `currentLocalDescription`
    pub fn current_local_description(&self) -> Option<RTCSessionDescription> {
        self.descriptions.current(Side::Local).map(Description::to_session_description)
    }

    /// `pendingLocalDescription`
    pub fn pending_local_description(&self) -> Option<RTCSessionDescription> {
        self.descriptions.pending(Side::Local).map(Description::to_session_description)
    }

    /// `remoteDescription`
    pub fn remote_description(&self) -> Option<RTCSessionDescription> {
        self.remote().map(Description::to_session_description)
    }

    /// `currentRemoteDescription`
    pub fn current_remote_description(&self) -> Option<RTCSessionDescription> {
        self.descriptions.current(Side::Remote).map(Description::to_session_description)
    }

    /// `pendingRemoteDescription`
    pub fn pending_remote_description(&self) -> Option<RTCSessionDescription> {
        self.descriptions.pending(Side::Remote).map(Description::to_session_description)
    }

    /// What `localDescription` shows.
    pub(crate) fn local(&self) -> Option<&Description> {
        self.descriptions.latest(Side::Local)
    }

    /// What `remoteDescription` shows.
    pub(crate) fn remote(&self) -> Option<&Description> {
        self.descriptions.latest(Side::Remote)
    }
}
