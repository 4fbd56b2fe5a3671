//! What descriptions say, as it is looked up for packets.

use std::sync::Arc;

use rand::RngExt;

use super::Media;
use crate::demux::{self, ExtensionNumbers, Source};
use crate::section::{Codec, Extension, Kind, Receive, Section, SectionId, Send, id_of};
use crate::streams::outgoing::OutgoingStream;

/// Streams that are remembered after no description names them any more. Those that were silent
/// longest are forgotten.
const RETIRED: usize = 1_024;

/// A section that receives.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) id: SectionId,
    pub(super) kind: Kind,
    pub(super) reduced_size: bool,
    pub(super) codecs: Vec<Codec>,
    pub(super) rids: Vec<Arc<str>>,
    sources: Vec<Source>,
}

impl Receiving {
    /// The source that another one repairs, if the description says so.
    pub(super) fn repaired_by(&self, ssrc: u32) -> Option<u32> {
        self.sources.iter().find(|source| source.ssrc == ssrc)?.repairs
    }

    /// The source that repairs another one, if the description says so.
    pub(super) fn repair_of(&self, ssrc: u32) -> Option<u32> {
        let repairs = |source: &&Source| source.repairs == Some(ssrc);
        self.sources.iter().find(repairs).map(|source| source.ssrc)
    }
}

/// A section that sends.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) id: SectionId,
    pub(super) kind: Kind,
    pub(super) mid: Arc<str>,
    pub(super) codecs: Vec<Codec>,
    pub(super) ids: Ids,
    pub(super) allow_mixed: bool,
    pub(super) encodings: Vec<OutgoingStream>,
}

/// The ids of header extensions that are sent.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) mid: Option<u8>,
    pub(super) rid: Option<u8>,
    pub(super) repaired_rid: Option<u8>,
    pub(super) abs_send_time: Option<u8>,
    /// What is carried untouched.
    pub(super) carried: Vec<u8>,
}

impl Ids {
    fn new(extensions: &[(u8, Extension)]) -> Self {
        let id = |extension| id_of(extensions, extension);
        let is_carried = |(_, extension): &&(u8, Extension)| match extension {
            Extension::AudioLevel | Extension::Other => true,
            Extension::Mid
            | Extension::Rid
            | Extension::RepairedRid
            | Extension::AbsSendTime
            | Extension::TransmissionOffset => false,
        };
        Self {
            mid: id(Extension::Mid),
            rid: id(Extension::Rid),
            repaired_rid: id(Extension::RepairedRid),
            abs_send_time: id(Extension::AbsSendTime),
            carried: extensions.iter().filter(is_carried).map(|(id, _)| *id).collect(),
        }
    }
}

/// What one of our SSRCs is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    /// The place of its section among those that send, and of its encoding.
    pub(super) section: usize,
    pub(super) encoding: usize,
    /// It repairs the encoding.
    pub(super) is_repair: bool,
}

impl Media {
    /// Sets what the descriptions say now. Sources go on with their counters, numbers and what they
    /// have sent, ours as long as there is an encoding with their SSRC, and the peer's as long as
    /// there is a section with their id. Of an encoding that goes away and comes back the numbers
    /// are kept, too.
    pub fn set_sections(&mut self, sections: Vec<Section>) {
        let ids: Vec<_> = sections.iter().map(|section| section.id).collect();
        let streams = self.sending.drain(..).flat_map(|sending| sending.encodings);
        self.retired.extend(streams.map(|stream| (stream.encoding.ssrc, stream)));
        self.by_id.clear();
        self.own.clear();
        self.receiving.clear();
        // Lists have no room for more than they need, since most never change.
        let sends = sections.iter().filter(|section| section.send.is_some()).count();
        let receives = sections.iter().filter(|section| section.receive.is_some()).count();
        self.sending.reserve_exact(sends);
        self.receiving.reserve_exact(receives);

        let mut routes = Vec::with_capacity(receives);
        for section in sections {
            let Section { id, mid, kind, reduced_size, receive, send } = section;
            if let Some(send) = send {
                self.add_sending(id, Arc::from(mid.as_str()), kind, send);
            }
            if let Some(receive) = receive {
                routes.push(route(mid, &receive));
                self.receiving.push(Receiving {
                    id,
                    kind,
                    reduced_size,
                    codecs: receive.codecs,
                    rids: receive.rids.iter().map(|rid| Arc::from(rid.as_str())).collect(),
                    sources: receive.sources,
                });
            }
        }
        self.demultiplexer.set_sections(routes);
        self.sources.retain(|id| ids.contains(&id));
        self.retire();
        // An offer alone says nothing yet of what may come.
        self.is_described |= !self.receiving.is_empty() || !self.sending.is_empty();
        self.handle_early();
    }

    fn add_sending(&mut self, id: SectionId, mid: Arc<str>, kind: Kind, send: Send) {
        let place = self.sending.len();
        let mut encodings = Vec::with_capacity(send.encodings.len());
        for encoding in send.encodings {
            let (ssrc, repair) = (encoding.ssrc, encoding.rtx_ssrc);
            let random = &mut || self.random.random();
            let stream = match self.retired.remove(&ssrc) {
                Some(mut stream) => {
                    stream.set(id, encoding, &mid, random);
                    stream
                }
                None => OutgoingStream::new(id, encoding, &mid, random),
            };
            for (ssrc, is_repair) in
                [(Some(ssrc), false), (repair, true)].into_iter().filter_map(|(s, r)| Some((s?, r)))
            {
                let own = Own { section: place, encoding: encodings.len(), is_repair };
                if self.own.insert(ssrc, own).is_some() {
                    tracing::warn!(ssrc, "two encodings have one SSRC: feedback goes to the last");
                }
            }
            encodings.push(stream);
        }
        let (ids, allow_mixed) = (Ids::new(&send.extensions), send.allow_mixed);
        self.by_id.insert(id, place);
        let codecs = send.codecs;
        self.sending.push(Sending { id, kind, mid, codecs, ids, allow_mixed, encodings });
    }

    /// Lets go of what streams have sent that no description names now.
    fn retire(&mut self) {
        self.retired.retain(|_, stream| stream.has_sent);
        self.retired.values_mut().for_each(OutgoingStream::rest);
        while self.retired.len() > RETIRED {
            let silent = self.retired.iter().min_by_key(|(_, stream)| stream.counters.last);
            let Some(ssrc) = silent.map(|(ssrc, _)| *ssrc) else { return };
            self.retired.remove(&ssrc);
        }
    }
}

/// What the demultiplexer is to know of a section.
fn route(mid: String, receive: &Receive) -> demux::Section {
    let (repairs, media): (Vec<_>, Vec<_>) =
        receive.codecs.iter().partition(|codec| codec.repairs.is_some());
    let payload_types = |codecs: Vec<&Codec>| codecs.iter().map(|c| c.payload_type).collect();
    let number = |extension| id_of(&receive.extensions, extension);
    demux::Section {
        mid,
        payload_types: payload_types(media),
        repair_payload_types: payload_types(repairs),
        rids: receive.rids.clone(),
        numbers: ExtensionNumbers {
            mid: number(Extension::Mid),
            rid: number(Extension::Rid),
            repaired_rid: number(Extension::RepairedRid),
        },
        sources: receive.sources.clone(),
    }
}
