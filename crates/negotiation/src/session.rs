//! The slots of an `RTCPeerConnection` that negotiation owns: making them, and closing.

use crate::configuration::{Configuration, ConfigurationSlot};
use crate::data_channel::{DataChannels, SctpTransports};
use crate::description::{Descriptions, LastCreated};
use crate::error::Error;
use crate::ice_restart::IceRestart;
use crate::identifiers::Identifiers;
use crate::mids::Mids;
use crate::negotiation_needed::NegotiationNeeded;
use crate::operations::Operations;
use crate::outputs::Outputs;
use crate::rtp::Assignments;
use crate::signaling::Signaling;
use crate::transceiver::Transceivers;
use crate::transports::Transports;

/// The negotiation of one `RTCPeerConnection`.
///
/// Methods run the synchronous section of their algorithm at once. What the specification does in
/// a task comes out of [`poll_task`](Self::poll_task); the host puts it behind everything that is
/// in its queue already and runs it with [`run_task`](Self::run_task). What is to be done with the
/// world comes out of [`poll_effect`](Self::poll_effect).
///
/// The host's part of the event loop, after every method and every task:
///
/// ```
/// # use peerconnection_negotiation::{Effect, Session, Task};
/// # use std::collections::VecDeque;
/// # fn deliver(_: Effect) {}
/// fn settle(session: &mut Session, queue: &mut VecDeque<Task>) {
///     loop {
///         while let Some(effect) = session.poll_effect() {
///             deliver(effect);
///         }
///         // Promise reactions come behind the effects before them.
///         if !session.run_microtask() {
///             break;
///         }
///     }
///     queue.extend(std::iter::from_fn(|| session.poll_task()));
/// }
/// # fn run(session: &mut Session, queue: &mut VecDeque<Task>) {
/// while let Some(task) = queue.pop_front() {
///     session.run_task(task);
///     settle(session, queue);
/// }
/// # }
/// ```
///
/// A promise that the specification leaves pending for ever because the connection was closed is
/// never settled here either.
#[derive(Debug)]
pub struct Session {
    // Each group has its slots for itself; its methods are the ways in which they change.
    pub(crate) configuration: ConfigurationSlot,
    pub(crate) signaling: Signaling,
    pub(crate) negotiation_needed: NegotiationNeeded,
    pub(crate) operations: Operations,
    pub(crate) descriptions: Descriptions,
    pub(crate) last_created: LastCreated,
    pub(crate) ice_restart: IceRestart,
    pub(crate) transceivers: Transceivers,
    pub(crate) transports: Transports,
    pub(crate) sctp: SctpTransports,
    pub(crate) data_channels: DataChannels,
    pub(crate) assignments: Assignments,
    pub(crate) mids: Mids,
    pub(crate) identifiers: Identifiers,
    pub(crate) outputs: Outputs,
}

impl Session {
    /// webrtc-pc §4.4.1.1. ICE credentials and the session id are made from `seed`: it must be
    /// random.
    ///
    /// # Errors
    /// `SyntaxError` and `InvalidAccessError` for ICE servers that are not valid,
    /// `InvalidAccessError` if there is no certificate.
    pub fn new(configuration: Configuration, seed: [u8; 32]) -> Result<Self, Error> {
        let configuration = ConfigurationSlot::new(configuration)?;
        let mut identifiers = Identifiers::new(seed);
        Ok(Self {
            configuration,
            signaling: Signaling::default(),
            negotiation_needed: NegotiationNeeded::default(),
            operations: Operations::default(),
            descriptions: Descriptions::default(),
            last_created: LastCreated::new(identifiers.make_session_id()),
            ice_restart: IceRestart::default(),
            transceivers: Transceivers::default(),
            transports: Transports::default(),
            sctp: SctpTransports::default(),
            data_channels: DataChannels::default(),
            assignments: Assignments::default(),
            mids: Mids::default(),
            identifiers,
            outputs: Outputs::default(),
        })
    }

    /// webrtc-pc §4.4.2: close the connection, steps 1 to 4; what concerns transports and channels is
    /// the host's. Tasks do nothing any more, and no effect comes out except the rejection of later
    /// calls.
    pub fn close(&mut self) {
        // Steps 1 to 3
        if !self.signaling.close() {
            return;
        }
        // Step 4
        for id in self.transceivers.ids().to_vec() {
            self.stop_the_transceiver(id, true);
        }
        self.outputs.clear();
    }
}
