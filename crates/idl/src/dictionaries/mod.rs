//! The dictionaries, enumerations and read-only objects of webrtc-pc that negotiation reads and
//! makes.

mod candidate;
mod channel;
mod configuration;
mod description;
mod rtp;
mod states;

pub use candidate::RTCIceCandidateInit;
pub use channel::{RTCDataChannelInit, RTCPriorityType};
pub use configuration::{RTCBundlePolicy, RTCIceServer, RTCIceTransportPolicy, RTCRtcpMuxPolicy};
pub use description::{
    RTCAnswerOptions, RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCSdpType,
    RTCSessionDescription, RTCSessionDescriptionInit,
};
pub use rtp::{
    MediaKind, RTCRtcpParameters, RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters,
    RTCRtpCodingParameters, RTCRtpContributingSource, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RTCRtpHeaderExtensionParameters, RTCRtpParameters,
    RTCRtpReceiveParameters, RTCRtpSendParameters, RTCRtpSynchronizationSource,
    RTCSetParameterOptions,
};
pub use states::{RTCRtpTransceiverDirection, RTCSignalingState};

#[cfg(test)]
mod tests;
