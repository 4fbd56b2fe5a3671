//! webrtc-pc §5.4: codec preferences.

use super::capabilities::{
    Implemented, list_of_implemented_receive_codecs, list_of_implemented_send_codecs, usable_codecs,
};
use super::codec_match::{Role, codec_dictionary_match, role};
use crate::{Error, MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection};

/// webrtc-pc §5.4: steps 3 to 8 of `setCodecPreferences()`. Returns the value for
/// `[[PreferredCodecs]]`; the empty list stands for the defaults.
pub(crate) fn check_codec_preferences(
    kind: MediaKind,
    codecs: Vec<RTCRtpCodec>,
) -> Result<Vec<RTCRtpCodec>, Error> {
    // Step 3
    if codecs.is_empty() {
        return Ok(codecs);
    }
    // Step 6
    let in_codec_capabilities = |codec: &RTCRtpCodec| {
        let send = list_of_implemented_send_codecs(kind).iter();
        send.chain(list_of_implemented_receive_codecs(kind))
            .any(|implemented| codec_dictionary_match(codec, &implemented.codec, false))
    };
    let mut unique: Vec<RTCRtpCodec> = Vec::new();
    for codec in codecs {
        // Step 7, before step 4, so that a long list of unknown codecs is refused at once
        if !in_codec_capabilities(&codec) {
            let name = &codec.mime_type;
            let message = format!("{name} is not a codec with these parameters that is supported");
            return Err(Error::InvalidModificationError(message));
        }
        // Step 4
        if !unique.iter().any(|known| codec_dictionary_match(known, &codec, false)) {
            unique.push(codec);
        }
    }
    // Step 8
    let carries_media =
        |codec| !matches!(role(codec), Role::Rtx | Role::Red | Role::Fec | Role::ComfortNoise);
    if !unique.iter().any(carries_media) {
        let message = "nothing but RTX, RED, FEC and comfort noise is preferred";
        return Err(Error::InvalidModificationError(message.into()));
    }
    // Step 9
    Ok(unique)
}

/// webrtc-pc §4.4.2, final steps to create an offer, 3.2, and an answer, 3.1: the implemented
/// codecs for the preferences that fit the direction. `None` if no preferences are set.
pub(super) fn filter_preferred_codecs(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
    preferred: &[RTCRtpCodec],
) -> Option<Vec<&'static Implemented>> {
    let usable = usable_codecs(kind, direction);
    let filtered: Vec<_> = preferred
        .iter()
        .filter_map(|codec| {
            // An exact match comes before one that ignores asymmetrical parameters.
            let matching = |ignore: bool| {
                usable.iter().find(|known| codec_dictionary_match(codec, &known.codec, ignore))
            };
            matching(false).or_else(|| matching(true))
        })
        .collect();
    Some(filtered).filter(|filtered| !filtered.is_empty())
}
