//! The dictionaries, enumerations and read-only objects of webrtc-pc that negotiation reads and
//! makes. They have their W3C names and their W3C JSON.

mod candidate;
mod channel;
mod configuration;
mod description;
mod rtp;
mod states;

pub use candidate::RTCIceCandidateInit;
pub use channel::RTCDataChannelInit;
pub use configuration::{RTCBundlePolicy, RTCIceServer, RTCIceTransportPolicy, RTCRtcpMuxPolicy};
pub use description::{
    RTCAnswerOptions, RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCSdpType,
    RTCSessionDescription, RTCSessionDescriptionInit,
};
pub use rtp::{
    MediaKind, RTCRtcpParameters, RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters,
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability,
    RTCRtpHeaderExtensionParameters, RTCRtpParameters, RTCRtpReceiveParameters,
    RTCRtpSendParameters, RTCSetParameterOptions,
};
pub use states::{RTCRtpTransceiverDirection, RTCSignalingState};

/// Makes a W3C enumeration: values, strings, serde, `Display` and `FromStr` from one declaration.
/// It is for the crates of this workspace.
#[doc(hidden)]
#[macro_export]
macro_rules! w3c_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $string:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $string)] $variant,)+
        }

        impl $name {
            /// The value as the specification writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $string,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            /// WebIDL: a string that is no value of the enumeration is a `TypeError`.
            fn from_str(string: &str) -> Result<Self, Self::Err> {
                match string {
                    $($string => Ok(Self::$variant),)+
                    other => Err($crate::Error::TypeError(format!(
                        concat!("'{}' is not a valid value of ", stringify!($name)), other
                    ))),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests;
