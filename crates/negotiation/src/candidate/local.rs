//! Surfacing local candidates (webrtc-pc §5.6).

use sdp::{Candidate, Media};

use super::{add_candidate_line, set_default_candidate};
use crate::effect::TransportId;
use crate::session::Session;
use crate::signaling::Side;
use idl::RTCIceCandidateInit;

impl Session {
    /// webrtc-pc §5.6: surface a candidate. It is added to the local descriptions that have its
    /// username fragment. The host calls this in a task and fires `icecandidate` with what is
    /// returned; `None` if no description has the username fragment any more.
    pub fn surface_a_candidate(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
        candidate: &Candidate,
    ) -> Option<RTCIceCandidateInit> {
        // Steps 3 and 4
        self.add_to_local_descriptions(transport, username_fragment, |media| {
            add_candidate_line(media, candidate);
            set_default_candidate(media);
        })
        // Step 5
        .map(|init| RTCIceCandidateInit { candidate: candidate.to_string(), ..init })
    }

    /// webrtc-pc §5.6: the first task when the candidates with this username fragment are gathered.
    /// The host calls this in that task and fires `icecandidate` with what is returned; `None` if
    /// no description has the username fragment any more.
    pub fn finish_gathering(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
    ) -> Option<RTCIceCandidateInit> {
        // Steps 2 to 4
        self.add_to_local_descriptions(transport, username_fragment, |media| {
            media.set_end_of_candidates(true);
        })
    }

    /// Changes the section that describes the transport with this username fragment, in each local
    /// description that has one. Returns a candidate dictionary that names the section; `None` if
    /// there is no such section, or the connection is closed.
    fn add_to_local_descriptions(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
        add: impl Fn(&mut Media),
    ) -> Option<RTCIceCandidateInit> {
        if self.is_closed() || self.transports.get(transport).is_none() {
            return None;
        }
        let mut init = None;
        let transports = &self.transports;
        for description in self.descriptions.of_mut(Side::Local) {
            let describes = |index: &usize| {
                !description.is_rejected(*index)
                    && description.transport_section(*index) == *index
                    && description
                        .ice(*index)
                        .is_some_and(|ice| ice.username_fragment == username_fragment)
            };
            let sections =
                transports.mids_of(transport).filter_map(|mid| description.index_of_mid(mid));
            let index = sections.filter(describes).min();
            let Some(index) = index else { continue };
            let Some(media) = description.sdp.media_mut().get_mut(index) else { continue };
            add(media);
            init.get_or_insert_with(|| RTCIceCandidateInit {
                candidate: String::new(),
                sdp_mid: media.mid().map(str::to_owned),
                sdp_mline_index: u16::try_from(index).ok(),
                username_fragment: Some(username_fragment.to_owned()),
            });
        }
        init
    }
}
