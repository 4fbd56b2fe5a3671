//! The slots of transceivers, senders and receivers over a negotiation.
//!
//! - `transceivers`: the set of transceivers and the slots of each (webrtc-pc §5.4)
//! - `senders`: encodings, codecs, streams and tracks of a sender (§5.2)
//! - `remote_tracks`: what a description makes of the tracks of receivers (§5.1.1)
//! - `needed`: what transceivers make negotiation needed for (§4.7.3 step 5)

mod needed;
mod remote_tracks;
mod senders;
mod transceivers;

use super::*;
use crate::transceiver::{Receiver, Sender};
use RTCRtpTransceiverDirection::*;

fn track(id: u64, kind: MediaKind) -> LocalTrack {
    LocalTrack { id: TrackId(id), kind }
}

fn streams(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

impl Peer {
    fn add_track(&mut self, id: u64, kind: MediaKind, of: &[&str]) -> TransceiverId {
        self.session.add_track(track(id, kind), &streams(of)).unwrap()
    }

    fn add_transceiver(
        &mut self,
        kind: MediaKind,
        direction: RTCRtpTransceiverDirection,
    ) -> TransceiverId {
        let init = TransceiverInit { direction, ..TransceiverInit::default() };
        self.session.add_transceiver(TrackOrKind::Kind(kind), init).unwrap()
    }

    fn slots(&self, id: TransceiverId) -> &Transceiver {
        self.session.transceiver(id).unwrap()
    }

    fn sender(&self, id: TransceiverId) -> &Sender {
        &self.slots(id).sender
    }

    fn receiver(&self, id: TransceiverId) -> &Receiver {
        &self.slots(id).receiver
    }

    fn all(&self) -> Vec<TransceiverId> {
        self.session.transceivers().collect()
    }

    /// The one transceiver there is.
    fn only(&self) -> TransceiverId {
        let [only] = self.all()[..] else { panic!("{} transceivers", self.all().len()) };
        only
    }
}

/// An offer of `offerer`, set at both.
fn offer(offerer: &mut Peer, answerer: &mut Peer) {
    offerer.set_local_implicitly().unwrap();
    answerer.set_remote(offerer.local()).unwrap();
}
