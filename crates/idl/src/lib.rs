//! The values of the WebRTC API: its dictionaries, its enumerations, its exceptions, its messages and
//! its statistics, with their W3C names and their W3C JSON. They do nothing, so that a native
//! connection and the connection of a page can share them.
//!
//! ```
//! use peerconnection_idl::{RTCSdpType, RTCSessionDescriptionInit};
//!
//! let offer: RTCSessionDescriptionInit =
//!     serde_json::from_str(r#"{"type":"offer","sdp":"v=0\r\n"}"#)?;
//! assert_eq!(offer.type_, RTCSdpType::Offer);
//! assert_eq!("rollback".parse(), Ok(RTCSdpType::Rollback));
//! # Ok::<_, serde_json::Error>(())
//! ```
#![forbid(unsafe_code)]

mod certificate;
mod dictionaries;
mod error;
mod ice;
mod max_message_size;
mod message_data;
mod states;
mod stats;

pub use certificate::{AlgorithmIdentifier, RTCCertificateExpiration, RTCDtlsFingerprint};
pub use dictionaries::*;
pub use error::{Error, RTCError, RTCErrorDetailType, RTCErrorInit};
pub use ice::{
    RTCIceCandidateType, RTCIceComponent, RTCIceParameters, RTCIceProtocol,
    RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCLocalIceCandidateInit,
    RTCPeerConnectionIceErrorEventInit,
};
pub use max_message_size::MaxMessageSize;
pub use message_data::MessageData;
pub use states::{
    BinaryType, MediaStreamTrackState, RTCDataChannelState, RTCDtlsTransportState,
    RTCIceConnectionState, RTCIceGathererState, RTCIceGatheringState, RTCIceRole,
    RTCIceTransportState, RTCPeerConnectionState, RTCSctpTransportState,
};
pub use stats::*;

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

/// Gives a dictionary the members of the dictionary that it inherits from. It is for the crates of
/// this workspace.
#[doc(hidden)]
#[macro_export]
macro_rules! inherits {
    ($name:ident from $parent:ident as $field:ident) => {
        impl std::ops::Deref for $name {
            type Target = $parent;

            fn deref(&self) -> &$parent {
                &self.$field
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $parent {
                &mut self.$field
            }
        }
    };
}
