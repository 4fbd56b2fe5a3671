//! Descriptions edited as text, as the samples and some servers do.

/// The description with its section of this kind (`audio`, `video`, `application`) edited line by
/// line: `edit` gets each and says what takes its place.
pub(super) fn edit_section(sdp: &str, kind: &str, edit: impl Fn(&str) -> Vec<String>) -> String {
    let mut inside = false;
    let mut edited = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            inside = media.split(' ').next() == Some(kind);
        }
        let lines = if inside { edit(line) } else { vec![line.to_owned()] };
        for line in lines {
            edited.push_str(&line);
            edited.push_str("\r\n");
        }
    }
    edited
}

/// Puts a line behind every line of the section that begins with `before`.
pub(super) fn insert_after(sdp: &str, kind: &str, before: &str, new: &str) -> String {
    edit_section(sdp, kind, |line| {
        let mut lines = vec![line.to_owned()];
        if line.starts_with(before) {
            lines.push(new.to_owned());
        }
        lines
    })
}

/// Puts a line in the place of every line of the section that is `old`.
pub(super) fn replace_line(sdp: &str, kind: &str, old: &str, new: &str) -> String {
    edit_section(sdp, kind, |line| vec![if line == old { new } else { line }.to_owned()])
}

/// Removes the formats of a codec from the section, and what repairs them.
pub(super) fn remove_codec(sdp: &str, kind: &str, name: &str) -> String {
    let named: Vec<&str> = lines_of(sdp, kind)
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .filter(|(_, codec)| codec.split('/').next() == Some(name))
        .map(|(number, _)| number)
        .collect();
    let repairs: Vec<&str> = lines_of(sdp, kind)
        .filter_map(|line| line.strip_prefix("a=fmtp:")?.split_once(" apt="))
        .filter(|(_, repaired)| named.contains(repaired))
        .map(|(number, _)| number)
        .collect();
    let is_removed = |number: &str| named.contains(&number) || repairs.contains(&number);
    edit_section(sdp, kind, |line| {
        if line.starts_with("m=") {
            // Kind, port and protocol stand before the formats.
            let words = line.split(' ').enumerate();
            let kept = words.filter(|(index, word)| *index < 3 || !is_removed(word));
            return vec![kept.map(|(_, word)| word).collect::<Vec<_>>().join(" ")];
        }
        let value = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
            .iter()
            .find_map(|attribute| line.strip_prefix(attribute));
        match value.and_then(|value| value.split(' ').next()) {
            Some(number) if is_removed(number) => Vec::new(),
            _ => vec![line.to_owned()],
        }
    })
}

/// The lines of the section of this kind.
pub(super) fn lines_of<'a>(sdp: &'a str, kind: &'a str) -> impl Iterator<Item = &'a str> {
    let mut inside = false;
    sdp.lines().filter(move |line| {
        if let Some(media) = line.strip_prefix("m=") {
            inside = media.split(' ').next() == Some(kind);
        }
        inside
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=sendrecv\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 9\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n\
        a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:9 VP9/90000\r\na=sendrecv\r\n";

    #[test]
    fn a_codec_goes_with_everything_that_is_said_of_it_in_its_section_only() {
        let edited = remove_codec(SDP, "video", "VP8");
        let video: Vec<_> = lines_of(&edited, "video").collect();
        assert_eq!(video, ["m=video 9 UDP/TLS/RTP/SAVPF 9", "a=rtpmap:9 VP9/90000", "a=sendrecv"]);
        assert!(lines_of(&edited, "audio").eq(lines_of(SDP, "audio")));
        assert_eq!(remove_codec(SDP, "video", "AV1"), SDP);
    }

    #[test]
    fn lines_are_put_into_the_section_that_is_named() {
        let edited = replace_line(SDP, "audio", "a=sendrecv", "a=inactive");
        assert_eq!(lines_of(&edited, "audio").last(), Some("a=inactive"));
        assert!(lines_of(&edited, "video").eq(lines_of(SDP, "video")));
        let edited = insert_after(SDP, "video", "m=", "b=AS:500");
        assert_eq!(lines_of(&edited, "video").nth(1), Some("b=AS:500"));
        assert_eq!(edited.len(), SDP.len() + "b=AS:500\r\n".len());
    }
}
