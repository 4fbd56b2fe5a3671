//! What an offer and its answer negotiate: the codecs and header extensions to send and to receive.

use std::sync::Arc;

use super::codec_match::{Role, referenced, role, same_format};
use super::formats::{Format, Formats};
use crate::{RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters};

/// webrtc-pc §4.4.1.4, `[[SendCodecs]]`: the codecs that `remote` receives and `local` has, too.
/// Order, payload types and parameters come from `remote`.
pub(crate) fn negotiate_send_codecs(
    local: &Formats,
    remote: &Formats,
) -> Arc<[RTCRtpCodecParameters]> {
    let common = find_common_codecs(local, remote);
    common
        .into_iter()
        .map(|(local, remote)| RTCRtpCodecParameters {
            codec: RTCRtpCodec {
                sdp_fmtp_line: remote.codec.sdp_fmtp_line.clone(),
                ..local.codec.as_ref().clone()
            },
            payload_type: remote.payload_type,
        })
        .collect()
}

/// webrtc-pc §4.4.1.4, `[[ReceiveCodecs]]`: the codecs of `local`. If there is a `remote`, only
/// the codecs that both have. For a remote offer that is not answered yet, `local` comes from
/// [`answer`](super::answer()).
pub(crate) fn negotiate_receive_codecs(
    local: &Formats,
    remote: Option<&Formats>,
) -> Arc<[RTCRtpCodecParameters]> {
    let mut common = [true; 128];
    if let Some(remote) = remote {
        common = [false; 128];
        for (local, _) in find_common_codecs(local, remote) {
            if let Some(common) = common.get_mut(usize::from(local.payload_type)) {
                *common = true;
            }
        }
    }
    let is_common =
        |format: &&Format| common.get(usize::from(format.payload_type)).is_some_and(|known| *known);
    local
        .codecs()
        .iter()
        .filter(is_common)
        .map(|format| RTCRtpCodecParameters {
            codec: format.codec.as_ref().clone(),
            payload_type: format.payload_type,
        })
        .collect()
}

/// The formats of `remote`, in its order, each with its counterpart in `local`. Their payload types
/// need not be the same (RFC 3264 §5.1).
fn find_common_codecs<'a>(
    local: &'a Formats,
    remote: &'a Formats,
) -> Vec<(&'a Format, &'a Format)> {
    let mut counterparts: [Option<&Format>; 128] = [None; 128];
    let mut is_used = [false; 128];
    // `rtx` refers to another codec, so it comes in the later pass.
    let passes: [fn(Role) -> bool; 2] = [|role| role != Role::Rtx, |role| role == Role::Rtx];
    for in_this_pass in passes {
        for theirs in remote.codecs().iter().filter(|format| in_this_pass(role(&format.codec))) {
            // The payload types of `local` for the formats that it refers to.
            let references: Option<Vec<u8>> = referenced(&theirs.codec)
                .into_iter()
                .map(|number| Some((*counterparts.get(usize::from(number))?)?.payload_type))
                .collect();
            let Some(references) = references else { continue };
            let is_counterpart = |ours: &&Format| {
                !is_used.get(usize::from(ours.payload_type)).is_some_and(|used| *used)
                    && (role(&theirs.codec) != Role::Rtx || referenced(&ours.codec) == references)
                    && same_format(&ours.codec, &theirs.codec)
            };
            let ours = local
                .codec(theirs.payload_type)
                .filter(is_counterpart)
                .or_else(|| local.codecs().iter().find(is_counterpart));
            let Some(ours) = ours else { continue };
            if let Some(used) = is_used.get_mut(usize::from(ours.payload_type)) {
                *used = true;
            }
            if let Some(counterpart) = counterparts.get_mut(usize::from(theirs.payload_type)) {
                *counterpart = Some(ours);
            }
        }
    }
    let counterpart = |theirs: &'a Format| -> Option<(&'a Format, &'a Format)> {
        Some(((*counterparts.get(usize::from(theirs.payload_type))?)?, theirs))
    };
    remote.codecs().iter().filter_map(counterpart).collect()
}

/// webrtc-pc §5.2, `getParameters()` step 3: the header extensions to send.
pub(crate) fn negotiate_send_extensions(
    local: &Formats,
    remote: &Formats,
) -> Arc<[RTCRtpHeaderExtensionParameters]> {
    negotiate_extensions(remote, local)
}

/// webrtc-pc §5.3, `getParameters()`: the header extensions to receive.
pub(crate) fn negotiate_receive_extensions(
    local: &Formats,
    remote: &Formats,
) -> Arc<[RTCRtpHeaderExtensionParameters]> {
    negotiate_extensions(local, remote)
}

/// The extensions that `receiver` receives and `sender` sends, with the ids of `receiver`.
fn negotiate_extensions(
    receiver: &Formats,
    sender: &Formats,
) -> Arc<[RTCRtpHeaderExtensionParameters]> {
    let is_sent = |uri: &str| {
        sender
            .header_extensions()
            .iter()
            .any(|sent| sent.uri == uri && sent.direction.unwrap_or_default().sends())
    };
    receiver
        .header_extensions()
        .iter()
        .filter(|received| received.direction.unwrap_or_default().receives())
        .filter(|received| is_sent(&received.uri))
        .map(|received| RTCRtpHeaderExtensionParameters {
            uri: received.uri.clone().into_owned(),
            id: received.id.into(),
            encrypted: false,
        })
        .collect()
}
