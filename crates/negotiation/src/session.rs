//! The slots of an `RTCPeerConnection` that negotiation owns: making them, and closing.

use crate::configuration::{Configuration, ConfigurationSlot};
use crate::data_channel::{DataChannels, SctpTransports};
use crate::description::{Descriptions, LastCreated};
use crate::dtls_in_stun::DtlsInStun;
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
use idl::Error;

/// The negotiation of one `RTCPeerConnection`.
///
/// A method runs the synchronous section of its algorithm at once. A task of the specification
/// comes out of [`poll_task`](Self::poll_task); the host appends it to its own queue and runs it
/// with [`run_task`](Self::run_task). Whatever concerns more than these slots comes out of
/// [`poll_effect`](Self::poll_effect) as an effect.
///
/// The host does this after every method and every task:
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
///         // A promise reaction runs when the effects before it are delivered.
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
/// The specification never settles some promises of a connection that was closed. A session does
/// not settle them either.
#[derive(Debug)]
pub struct Session {
    // The fields of each group are private to its module: its methods say how they may change.
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
    pub(crate) dtls_in_stun: DtlsInStun,
    pub(crate) outputs: Outputs,
}

impl Session {
    /// webrtc-pc §4.4.1.1. ICE credentials and the session id are made from `seed`, so it must be
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
            dtls_in_stun: DtlsInStun::default(),
            outputs: Outputs::default(),
        })
    }

    /// webrtc-pc §4.4.2: close the connection, steps 1 to 4. The host closes transports and
    /// channels. From here on tasks do nothing, and the only effects are rejections of later calls.
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
