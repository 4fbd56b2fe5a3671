//! webrtc-pc §5.3: the slots of an `RTCRtpReceiver`.

use std::sync::Arc;

use super::TransceiverId;
use crate::effect::TransportId;
use crate::session::Session;
use idl::{
    RTCRtcpParameters, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
};

/// The slots of an `RTCRtpReceiver`. The host has `[[ReceiverTrack]]` and `[[JitterBufferTarget]]`.
/// Ids stand for streams; the host has one object for each id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receiver {
    /// `[[ReceiverTransport]]`
    pub(crate) receiver_transport: Option<TransportId>,
    /// `[[LastStableStateReceiverTransport]]`
    pub(crate) last_stable_state_receiver_transport: Option<TransportId>,
    /// `[[AssociatedRemoteMediaStreams]]`
    pub(crate) associated_remote_media_streams: Vec<String>,
    /// `[[LastStableStateAssociatedRemoteMediaStreams]]`
    pub(crate) last_stable_state_associated_remote_media_streams: Vec<String>,
    /// `[[ReceiveCodecs]]`
    pub(crate) receive_codecs: Arc<[RTCRtpCodecParameters]>,
    /// `[[LastStableStateReceiveCodecs]]`
    pub(crate) last_stable_state_receive_codecs: Arc<[RTCRtpCodecParameters]>,

    /// The header extensions that the receiver is prepared to receive.
    pub(crate) header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    /// Whether the receiver is prepared to receive reduced-size RTCP.
    pub(crate) reduced_size_rtcp: bool,
    /// The two above when the connection was last stable. They are restored with
    /// `[[ReceiveCodecs]]`.
    pub(crate) last_stable_state_header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    pub(crate) last_stable_state_reduced_size_rtcp: bool,
}

impl Session {
    /// webrtc-pc §5.3 getParameters
    pub fn get_receive_parameters(&self, id: TransceiverId) -> RTCRtpReceiveParameters {
        let receiver = self.transceivers.get(id).map(|transceiver| &transceiver.receiver);
        RTCRtpReceiveParameters {
            header_extensions: receiver.map(|r| r.header_extensions.to_vec()).unwrap_or_default(),
            codecs: receiver.map(|r| r.receive_codecs.to_vec()).unwrap_or_default(),
            rtcp: RTCRtcpParameters {
                cname: None,
                reduced_size: Some(receiver.is_some_and(|receiver| receiver.reduced_size_rtcp)),
            },
        }
    }
}
