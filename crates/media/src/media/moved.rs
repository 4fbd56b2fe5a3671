//! Sections that go on over another path (RFC 9143 §7.4).

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
        let mut outgoing = Vec::new();
        for sending in self.sending.iter_mut().filter(|sending| leaves(sending.id)) {
            outgoing.append(&mut sending.encodings);
        }
        let retired = self.retired.iter().filter(|(_, stream)| leaves(stream.section));
        let retired: Vec<_> = retired.map(|(ssrc, _)| *ssrc).collect();
        outgoing.extend(retired.into_iter().filter_map(|ssrc| self.retired.remove(&ssrc)));
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
}
