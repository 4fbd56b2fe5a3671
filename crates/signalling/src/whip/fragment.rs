//! `application/trickle-ice-sdpfrag` (RFC 8840 §9, RFC 9725 §4.3): credentials and candidates
//! without the rest of a description.

use peerconnection::RTCIceCandidateInit;
use sdp::{Description, IceParameters, Media};

/// The lines that a description has and a fragment has not (RFC 8866 §5).
const LEADING: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// A text is no fragment, or no description.
pub(super) type Malformed = sdp::Error;

/// Credentials and candidates of one side.
#[derive(Clone, Debug)]
pub(super) struct Fragment(Description);

impl Fragment {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        Description::parse(&format!("{LEADING}{text}")).map(Self)
    }

    /// What a description has in common with a fragment, and `candidates` of its generation. `end`:
    /// there will be no more.
    pub(super) fn of(
        description: &Description,
        candidates: &[RTCIceCandidateInit],
        end: bool,
    ) -> Self {
        let mut fragment = Description::new(0, 0);
        if let Some(group) = description.session().attribute("group") {
            fragment.session_mut().push_attribute("group", Some(group));
        }
        for (index, media) in description.media().iter().enumerate() {
            let of_section: Vec<_> = candidates
                .iter()
                .filter(|init| section(description, init) == Some(index))
                .collect();
            // RFC 9725 §4.3.2: with bundling the first section speaks for all.
            if index > 0 && of_section.is_empty() {
                continue;
            }
            let mut lines = Media::new(media.kind(), 9, media.protocol(), &media.formats());
            if let Some(mid) = media.mid() {
                lines.push_attribute("mid", Some(mid));
            }
            if let Some(ice) = description.ice_parameters(index) {
                lines.push_attribute("ice-ufrag", Some(&ice.username_fragment));
                lines.push_attribute("ice-pwd", Some(&ice.password));
            }
            of_section.into_iter().for_each(|init| add(&mut lines, init));
            lines.set_end_of_candidates(end);
            fragment.push_media(lines);
        }
        Self(fragment)
    }

    pub(super) fn credentials(&self) -> Option<IceParameters> {
        let sections = 0..self.0.media().len().max(1);
        sections.into_iter().find_map(|index| self.0.ice_parameters(index))
    }

    /// The candidates, and whether there will be no more.
    pub(super) fn candidates(&self) -> (Vec<RTCIceCandidateInit>, bool) {
        let ufrag = self.credentials().map(|ice| ice.username_fragment);
        let mut found = Vec::new();
        for (index, media) in self.0.media().iter().enumerate() {
            found.extend(media.attributes("candidate").map(|value| RTCIceCandidateInit {
                candidate: format!("candidate:{value}"),
                sdp_mid: media.mid().map(str::to_owned),
                sdp_mline_index: u16::try_from(index).ok(),
                username_fragment: ufrag.clone(),
            }));
        }
        let sections = 0..self.0.media().len().max(1);
        (found, sections.into_iter().any(|index| self.0.end_of_candidates(index)))
    }
}

impl std::fmt::Display for Fragment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        // `v=`, `o=`, `s=` and `t=` come first.
        let mut lines = text.split_inclusive('\n').skip(LEADING.lines().count());
        lines.try_for_each(|line| f.write_str(line))
    }
}

/// The section of a candidate (webrtc-pc §4.4.2 addIceCandidate()).
fn section(description: &Description, init: &RTCIceCandidateInit) -> Option<usize> {
    match &init.sdp_mid {
        Some(mid) => description.media_by_mid(mid).map(|(index, _)| index),
        None => init.sdp_mline_index.map(usize::from).filter(|at| *at < description.media().len()),
    }
}

fn add(media: &mut Media, init: &RTCIceCandidateInit) {
    let value = init.candidate.strip_prefix("candidate:").unwrap_or(&init.candidate);
    if !value.is_empty() && !value.contains(['\r', '\n']) {
        media.push_attribute("candidate", Some(value));
    }
}

/// Adds candidates to a description, and says that there will be no more.
pub(super) fn complete(description: &mut Description, candidates: &[RTCIceCandidateInit]) {
    for init in candidates {
        let Some(index) = section(description, init) else { continue };
        if let Some(media) = description.media_mut().get_mut(index) {
            add(media, init);
        }
    }
    for media in description.media_mut() {
        media.set_end_of_candidates(true);
    }
}

/// RFC 9725 §4.3.3: the description that a restart makes of the one before. Only what has to do with
/// ICE is another.
pub(super) fn restarted(before: &Description, fragment: &Fragment) -> Option<Description> {
    let ice = fragment.credentials()?;
    let mut description = without_ice(before);
    for media in description.media_mut() {
        media.set_attribute("ice-ufrag", Some(&ice.username_fragment));
        media.set_attribute("ice-pwd", Some(&ice.password));
    }
    let (candidates, end) = fragment.candidates();
    for init in &candidates {
        let named = section(&description, init).or(Some(0));
        if let Some(media) = named.and_then(|index| description.media_mut().get_mut(index)) {
            add(media, init);
        }
    }
    if end {
        description.media_mut().iter_mut().for_each(|media| media.set_end_of_candidates(true));
    }
    let mut origin = description.origin();
    origin.session_version = origin.session_version.saturating_add(1);
    description.set_origin(origin);
    Some(description)
}

/// Whether the second description asks for nothing but new credentials: it has the same sections,
/// which send and receive the same.
pub(super) fn is_restart(before: &Description, after: &Description) -> bool {
    let is_same = |(index, (a, b)): (usize, (&Media, &Media))| {
        (a.kind(), a.protocol(), a.mid(), a.direction(), a.is_rejected(), a.sctp_port())
            == (b.kind(), b.protocol(), b.mid(), b.direction(), b.is_rejected(), b.sctp_port())
            && a.attributes("msid").eq(b.attributes("msid"))
            && before.fingerprints(index) == after.fingerprints(index)
    };
    credentials(before) != credentials(after)
        && before.media().len() == after.media().len()
        && before.media().iter().zip(after.media()).enumerate().all(is_same)
}

/// The credentials of a description whose sections are bundled.
pub(super) fn credentials(description: &Description) -> Option<IceParameters> {
    let mut sections = 0..description.media().len();
    sections.find_map(|index| description.ice_parameters(index))
}

/// What an ICE restart leaves as it is.
fn without_ice(description: &Description) -> Description {
    let mut description = description.clone();
    let session = description.session_mut();
    for name in ["ice-ufrag", "ice-pwd", "end-of-candidates"] {
        session.remove_attributes(name);
    }
    for media in description.media_mut() {
        for name in ["ice-ufrag", "ice-pwd", "candidate", "end-of-candidates", "rtcp"] {
            media.remove_attributes(name);
        }
        // RFC 8839 §4.2.1.2: the default candidate, which is a candidate. Port 0 is none.
        if media.port() != 0 {
            media.set_port(9);
        }
        if media.connection().is_some() {
            media.set_connection("IN IP4 0.0.0.0");
        }
    }
    description
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        a=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:aaaa\r\n\
        a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\na=rtpmap:111 opus/48000/2\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n\
        a=ice-ufrag:aaaa\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\n";

    fn candidate(mid: &str) -> RTCIceCandidateInit {
        RTCIceCandidateInit {
            candidate: "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host".to_owned(),
            sdp_mid: Some(mid.to_owned()),
            ..Default::default()
        }
    }

    #[test]
    fn a_fragment_has_the_lines_of_rfc_9725() {
        let offer = Description::parse(OFFER).unwrap();
        let fragment = Fragment::of(&offer, &[candidate("0")], true);
        let text = "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        assert!(fragment.to_string().starts_with(text), "{fragment}");
        let lines = "a=mid:0\r\na=ice-ufrag:aaaa\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\n\
            a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n";
        assert!(fragment.to_string().ends_with(lines), "{fragment}");
        let read = Fragment::parse(&fragment.to_string()).unwrap();
        let (candidates, end) = read.candidates();
        assert!(end);
        let [found] = candidates.as_slice() else { panic!("{candidates:?}") };
        assert_eq!(found.candidate, candidate("0").candidate);
        assert_eq!((found.sdp_mid.as_deref(), found.sdp_mline_index), (Some("0"), Some(0)));
        assert_eq!(found.username_fragment.as_deref(), Some("aaaa"));
    }

    #[test]
    fn credentials_of_the_session_part_are_found_too() {
        let text =
            "a=ice-ufrag:bbbb\r\na=ice-pwd:bbbbbbbbbbbbbbbbbbbbbb\r\na=end-of-candidates\r\n";
        let fragment = Fragment::parse(text).unwrap();
        assert_eq!(fragment.credentials().unwrap().username_fragment, "bbbb");
        assert_eq!(fragment.candidates(), (Vec::new(), true));
        for wrong in ["nonsense", "a=ice-ufrag:b\r\n", "v=0\r\n"] {
            assert!(Fragment::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_restart_changes_credentials_and_candidates_and_nothing_else() {
        let mut offer = Description::parse(OFFER).unwrap();
        complete(&mut offer, &[candidate("0")]);
        let text = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:bbbb\r\n\
            a=ice-pwd:bbbbbbbbbbbbbbbbbbbbbb\r\n";
        let fragment = Fragment::parse(text).unwrap();
        let after = restarted(&offer, &fragment).unwrap();
        assert!(is_restart(&offer, &after));
        assert!(!is_restart(&offer, &offer));
        assert_eq!(after.origin().session_version, 3);
        for (index, media) in after.media().iter().enumerate() {
            assert_eq!(after.ice_parameters(index).unwrap().username_fragment, "bbbb");
            assert_eq!(media.candidates().count(), 0, "those of the generation before");
            assert!(!media.end_of_candidates());
        }
        let mut other = after.clone();
        other.media_mut()[0].push_attribute("sendonly", None);
        assert!(!is_restart(&offer, &other), "another direction needs more than a restart");
    }
}
