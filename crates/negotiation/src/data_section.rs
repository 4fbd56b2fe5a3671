//! Sections for data channels: RFC 8841, and how they were written before it.

use sdp::{Media, SctpInit};

use crate::section::{NO_ADDRESS, Placement};

/// The largest message this side receives, in bytes (RFC 8841 §6).
const MAX_MESSAGE_SIZE: u64 = 262_144;
/// The protocol on top of SCTP: that of RFC 8832, which RFC 8841 §4.4.2 gives this name.
const DATA_CHANNEL: &str = "webrtc-datachannel";
/// The number of streams in `a=sctpmap`, as in libwebrtc. SCTP negotiates the real number.
const SCTPMAP_STREAMS: u16 = 1024;

/// How a section says which SCTP port carries data channels. The answer has the syntax of the offer
/// (RFC 9429 §5.3.1): libwebrtc refuses a section that mixes both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataSyntax {
    /// `a=sctp-port`; the format is `webrtc-datachannel` (RFC 8841 §4.4.2, §5).
    SctpPort,
    /// `a=sctpmap`, as the drafts before RFC 8841 have it. Mostly the format is the port.
    SctpMap,
}

impl DataSyntax {
    /// The syntax of a section; `None` if it is not for the data channels of RFC 8831.
    pub(crate) fn of(media: &Media) -> Option<Self> {
        if !media.is_data_channel() {
            return None;
        }
        let map = media.attribute("sctpmap");
        let maps_data_channels =
            map.is_some_and(|map| map.split_ascii_whitespace().nth(1) == Some(DATA_CHANNEL));
        let formats = media.formats();
        if formats.contains(&DATA_CHANNEL) {
            let is_mapped = maps_data_channels && !media.has_attribute("sctp-port");
            return Some(if is_mapped { Self::SctpMap } else { Self::SctpPort });
        }
        // libwebrtc does not insist on the map if the format is a port.
        let format_is_port = formats.first().is_some_and(|format| format.parse::<u16>().is_ok());
        (maps_data_channels || map.is_none() && format_is_port).then_some(Self::SctpMap)
    }
}

/// A section for data channels.
pub(crate) struct DataSection<'a> {
    pub(crate) mid: Option<&'a str>,
    pub(crate) protocol: &'a str,
    pub(crate) formats: &'a [&'a str],
    pub(crate) syntax: DataSyntax,
    /// 0 for no association (RFC 8841 §10.3).
    pub(crate) sctp_port: u16,
    /// `a=sctp-init`.
    pub(crate) sctp_init: Option<SctpInit>,
    pub(crate) placement: Placement<'a>,
}

impl<'a> DataSection<'a> {
    /// RFC 9429 §5.2.1: a section for an offer. It has the syntax of RFC 8841 even if another one
    /// was negotiated (RFC 9429 §5.1.2).
    pub(crate) fn offered(
        mid: &'a str,
        sctp_port: u16,
        sctp_init: Option<SctpInit>,
        placement: Placement<'a>,
    ) -> Self {
        Self {
            mid: Some(mid),
            protocol: "UDP/DTLS/SCTP",
            formats: &[DATA_CHANNEL],
            syntax: DataSyntax::SctpPort,
            sctp_port,
            sctp_init,
            placement,
        }
    }

    pub(crate) fn to_media(&self) -> Media {
        let port = self.placement.port();
        let mut media = Media::new("application", port, self.protocol, self.formats);
        media.set_connection(NO_ADDRESS);
        self.placement.write(&mut media);
        if let Some(mid) = self.mid {
            media.push_attribute("mid", Some(mid));
        }
        let sctp_port = self.sctp_port;
        match self.syntax {
            DataSyntax::SctpPort => media.push_attribute("sctp-port", Some(&sctp_port.to_string())),
            DataSyntax::SctpMap => {
                let map = format!("{sctp_port} {DATA_CHANNEL} {SCTPMAP_STREAMS}");
                media.push_attribute("sctpmap", Some(&map));
            }
        }
        media.push_attribute("max-message-size", Some(&MAX_MESSAGE_SIZE.to_string()));
        if let Some(init) = &self.sctp_init {
            media.push_attribute("sctp-init", Some(&init.to_string()));
        }
        media
    }
}
