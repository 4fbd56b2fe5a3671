//! Sections that go on over another path (RFC 9143 §7.4), or to another peer (RFC 8842 §5.5).

use rand::RngExt;
use time::earlier;

use super::Media;
use crate::section::SectionId;
use crate::streams::incoming::IncomingStream;
use crate::streams::outgoing::OutgoingStream;

/// The streams of sections that leave a path.
#[derive(Debug)]
pub struct Moved {
    outgoing: Vec<OutgoingStream>,
    incoming: Vec<(u32, IncomingStream)>,
}

impl Media {
    /// Gives away the streams of some sections, for [`adopt`](Self::adopt). Until
    /// [`set_sections`](Self::set_sections) nothing is sent there any more.
    pub fn release(&mut self, sections: &[SectionId]) -> Moved {
        let leaves = |section: SectionId| sections.contains(&section);
        let outgoing = self.release_outgoing(leaves);
        let incoming = self.sources.release(leaves);
        Moved { outgoing, incoming }
    }

    /// Takes over what is known of streams, so that their numbers, timestamps and counters go on.
    /// Call it before [`set_sections`](Self::set_sections) names their sections. What they have sent
    /// is not sent again, and they say anew whose they are: the peer may know nothing of them here.
    pub fn adopt(&mut self, moved: Moved) {
        for mut stream in moved.outgoing {
            stream.rest();
            stream.say_whose_it_is();
            self.retired.insert(stream.encoding.ssrc, stream);
        }
        for (ssrc, stream) in moved.incoming {
            earlier(&mut self.key_frame_due, stream.key_frame.due);
            self.sources.insert(ssrc, stream);
        }
    }

    fn release_outgoing(&mut self, leaves: impl Fn(SectionId) -> bool) -> Vec<OutgoingStream> {
        let mut outgoing = Vec::new();
        for sending in self.sending.iter_mut().filter(|sending| leaves(sending.id)) {
            outgoing.append(&mut sending.encodings);
        }
        let retired = self.retired.iter().filter(|(_, stream)| leaves(stream.section));
        let retired: Vec<_> = retired.map(|(ssrc, _)| *ssrc).collect();
        outgoing.extend(retired.into_iter().filter_map(|ssrc| self.retired.remove(&ssrc)));
        outgoing
    }

    /// Another peer takes over, and this is its media. Our streams go on with the numbers,
    /// timestamps and counters that they had with the last peer, since those belong to the SSRC
    /// (webrtc-stats §8.7). The sources of the last peer end with it.
    ///
    /// Nothing may have been sent here before.
    pub fn succeed(&mut self, last: &mut Self) {
        self.peer = self.peer.max(last.peer.wrapping_add(1));
        self.sources.iter_mut().for_each(|(_, stream)| stream.peer = self.peer);
        for mut stream in last.release_outgoing(|_| true) {
            stream.meet_another_peer();
            let streams = self.sending.iter_mut().flat_map(|sending| &mut sending.encodings);
            let mut named = streams.filter(|named| named.encoding.ssrc == stream.encoding.ssrc);
            match named.next() {
                Some(named) => named.go_on_as(stream, &mut || self.random.random()),
                None => drop(self.retired.insert(stream.encoding.ssrc, stream)),
            }
        }
    }
}
