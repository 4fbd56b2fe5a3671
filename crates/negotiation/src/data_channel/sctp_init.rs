//! SCTP's INIT chunks in the descriptions (draft-hancke-tsvwg-snap-00): with one in the offer and
//! one in the answer the association needs no handshake.

use sdp::{Media, SctpInit};

use crate::session::Session;
use crate::signaling::Side;

/// How the INIT chunks of this side are made, and when descriptions have them.
///
/// ```
/// use peerconnection_negotiation::SctpInitSource;
/// use sdp::SctpInit;
///
/// fn make(tag: u32, initial_tsn: u32) -> Option<SctpInit> {
///     let mut chunk = vec![1, 0, 0, 20];
///     chunk.extend(tag.to_be_bytes());
///     chunk.extend([0, 16, 0, 0, 255, 255, 255, 255]);
///     chunk.extend(initial_tsn.to_be_bytes());
///     SctpInit::new(chunk).ok()
/// }
/// let source = SctpInitSource { offers: true, make };
/// assert!((source.make)(7, 1).is_some());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SctpInitSource {
    /// Whether offers have one. Answers have one if the offer has.
    pub offers: bool,
    /// Makes one of an initiate tag, which is not 0, and an initial TSN. `None` leaves it out of
    /// the description.
    pub make: fn(tag: u32, initial_tsn: u32) -> Option<SctpInit>,
}

/// The INIT chunks of both descriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SctpInits {
    /// The initiate tag of this side's.
    pub tag: u32,
    /// The initial TSN of this side's.
    pub initial_tsn: u32,
    /// The peer's.
    pub peer: SctpInit,
}

/// The INIT chunk of this side. All of its descriptions have the same one, so that it does not
/// matter in which exchange the peer takes it.
#[derive(Clone, Debug)]
struct Own {
    tag: u32,
    initial_tsn: u32,
    init: SctpInit,
}

/// The INIT chunks of a session.
#[derive(Debug, Default)]
pub(super) struct OwnInit {
    source: Option<SctpInitSource>,
    own: Option<Own>,
    /// The tag and the initial TSN to use, unless the session chooses them.
    numbers: Option<(u32, u32)>,
    /// There has been an association. Another one with the same numbers would take packets of the
    /// last one for its own.
    pub(super) is_spent: bool,
}

impl Session {
    /// Sets when descriptions that are created from now on have an INIT chunk; `None` for never,
    /// which is the default.
    pub fn set_sctp_init_source(&mut self, source: Option<SctpInitSource>) {
        self.sctp.own_init.source = source;
    }

    /// Sets the initiate tag and the initial TSN that the INIT chunk will have. Otherwise the session
    /// chooses them. A tag is not 0 (RFC 9260 §3.3.2): 0 becomes 1.
    pub fn set_sctp_numbers(&mut self, tag: u32, initial_tsn: u32) {
        self.sctp.own_init.numbers = Some((tag.max(1), initial_tsn));
    }

    /// The `a=sctp-init` of an offer. An association that was established without stays as it is.
    pub(crate) fn sctp_init_for_offer(&mut self) -> Option<SctpInit> {
        let wants = self.sctp.own_init.source.is_some_and(|source| source.offers);
        let has = self.sctp.has_inits().unwrap_or(wants && !self.sctp.own_init.is_spent);
        if has { self.own_sctp_init() } else { None }
    }

    /// The `a=sctp-init` of the answer. The offer must have one: else this side would take the
    /// association for established, and the offerer would not.
    pub(crate) fn sctp_init_for_answer(&mut self) -> Option<SctpInit> {
        let offer = self.descriptions.pending(Side::Remote)?;
        let offered = offer.media(offer.data_section()?)?;
        let is_offered = offered.sctp_init().is_some() && offered.sctp_port() != Some(0);
        let has = self.sctp.has_inits().unwrap_or(!self.sctp.own_init.is_spent);
        if is_offered && has { self.own_sctp_init() } else { None }
    }

    fn own_sctp_init(&mut self) -> Option<SctpInit> {
        let OwnInit { source, own, numbers, .. } = &mut self.sctp.own_init;
        let source = (*source)?;
        if own.is_none() {
            let (tag, initial_tsn) =
                numbers.unwrap_or_else(|| self.identifiers.make_sctp_numbers());
            let init = (source.make)(tag, initial_tsn);
            *own = init.map(|init| Own { tag, initial_tsn, init });
        }
        own.as_ref().map(|own| own.init.clone())
    }

    /// What a local and a remote section agree on.
    pub(super) fn agreed_sctp_inits(&self, local: &Media, remote: &Media) -> Option<SctpInits> {
        let own = self.sctp.own_init.own.as_ref()?;
        let Own { tag, initial_tsn, .. } = *own;
        // An offer that was set before the source was.
        local.sctp_init().filter(|init| *init == own.init)?;
        remote.sctp_init().map(|peer| SctpInits { tag, initial_tsn, peer })
    }
}
