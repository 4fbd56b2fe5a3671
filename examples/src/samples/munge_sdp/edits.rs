//! What is edited, and what is to come of it.

use peerconnection::{RTCRtpTransceiverDirection, RTCSdpType};

use super::Call;
use crate::samples::sdp_edit::{edit_section, insert_after, remove_codec, replace_line};

/// What a user does to a description between two calls.
pub struct Edit {
    /// What is done, for people.
    pub name: String,
    /// Whether to the offer or the answer.
    pub of: RTCSdpType,
    pub(super) apply: Box<dyn Fn(&str) -> String>,
    /// Whether the call is what the edit makes of it.
    pub(super) is_success: fn(&Call) -> bool,
}

impl Edit {
    fn new(
        name: &str,
        of: RTCSdpType,
        apply: impl Fn(&str) -> String + 'static,
        is_success: fn(&Call) -> bool,
    ) -> Self {
        Self { name: name.to_owned(), of, apply: Box::new(apply), is_success }
    }

    /// Puts `new` in the place of `old` in the offer, wherever it stands; `\n` in them is the end
    /// of a line. What comes of it is for the user to see, as long as it changes anything.
    pub fn replace(old: &str, new: &str) -> Self {
        let [old, new] = [old, new].map(|text| text.replace("\\n", "\r\n"));
        let name = format!("{old:?} becomes {new:?}");
        Self::new(&name, RTCSdpType::Offer, move |sdp| sdp.replace(&old, &new), |call| call.changed)
    }
}

/// The edits that the example shows.
pub fn edits() -> Vec<Edit> {
    use RTCSdpType::{Answer, Offer};
    vec![
        Edit::new("nothing", Offer, str::to_owned, |call| {
            call.local_error.is_none()
                && call.remote_error.is_none()
                && call.pc1.audio == Some(RTCRtpTransceiverDirection::Sendonly)
                && call.pc2.codecs.iter().any(|codec| codec == "VP8")
        }),
        Edit::new(
            "bandwidth: b=AS:500 for video",
            Offer,
            |sdp| insert_after(sdp, "video", "c=", "b=AS:500"),
            |call| {
                is_applied(call)
                    && call.pc2.bandwidth.as_deref() == Some("AS:500")
                    && call.pc1.codecs == call.pc2.codecs
            },
        ),
        Edit::new(
            "codec: VP8 removed",
            Offer,
            |sdp| remove_codec(sdp, "video", "VP8"),
            |call| {
                is_applied(call)
                    && is_without(&call.pc2.codecs, "VP8")
                    && call.pc1.codecs == call.pc2.codecs
            },
        ),
        Edit::new(
            "direction: audio inactive",
            Offer,
            |sdp| replace_line(sdp, "audio", "a=sendrecv", "a=inactive"),
            |call| {
                is_applied(call)
                    && [&call.pc1, &call.pc2].iter().all(|media| {
                        media.audio == Some(RTCRtpTransceiverDirection::Inactive)
                            && media.video != media.audio
                    })
                    && call.pc2.tracks == ["video"]
            },
        ),
        Edit::new(
            "mistake: no payload type in the first a=rtpmap of video",
            Offer,
            |sdp| {
                edit_section(sdp, "video", |line| {
                    let mapping = line.strip_prefix("a=rtpmap:96 ");
                    vec![mapping.map_or(line.to_owned(), |codec| format!("a=rtpmap:x {codec}"))]
                })
            },
            |call| {
                let error = call.remote_error.as_ref();
                is_refused_here(call)
                    && error.is_some_and(|error| {
                        error.name == "OperationError" && error.sdp_line_number.is_some()
                    })
                    && call.pc2.codecs.iter().any(|codec| codec == "VP8")
            },
        ),
        Edit::new(
            "codec: VP8 removed",
            Answer,
            |sdp| remove_codec(sdp, "video", "VP8"),
            // The answerer does not know what became of its answer.
            |call| {
                is_applied(call)
                    && is_without(&call.pc1.codecs, "VP8")
                    && call.pc2.codecs.iter().any(|codec| codec == "VP8")
            },
        ),
        Edit::new(
            "direction: video inactive",
            Answer,
            |sdp| replace_line(sdp, "video", "a=recvonly", "a=inactive"),
            |call| {
                is_applied(call)
                    && call.pc1.video == Some(RTCRtpTransceiverDirection::Inactive)
                    && call.pc2.video == Some(RTCRtpTransceiverDirection::Recvonly)
            },
        ),
    ]
}

/// Whether the peer that made the description refused the edited one.
fn is_refused_here(call: &Call) -> bool {
    call.local_error.as_ref().is_some_and(|error| error.name == "InvalidModificationError")
}

/// Whether it did, and the other peer applied it.
fn is_applied(call: &Call) -> bool {
    is_refused_here(call) && call.remote_error.is_none()
}

fn is_without(codecs: &[String], name: &str) -> bool {
    !codecs.is_empty() && codecs.iter().all(|codec| codec != name)
}
