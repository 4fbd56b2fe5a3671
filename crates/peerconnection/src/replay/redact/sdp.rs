//! Descriptions and candidates without addresses, names and passwords.

use super::datagrams::in_text;
use super::names::Names;

/// A description.
pub(super) fn description(sdp: &str, names: &mut Names) -> String {
    sdp.split_inclusive('\n')
        .map(|whole| {
            let line = whole.trim_end_matches(['\r', '\n']);
            let end = whole.get(line.len()..).unwrap_or_default();
            self::line(line, names) + end
        })
        .collect()
}

fn line(line: &str, names: &mut Names) -> String {
    if let Some(fragment) = line.strip_prefix("a=ice-ufrag:") {
        return format!("a=ice-ufrag:{}", names.word(fragment));
    }
    if let Some(password) = line.strip_prefix("a=ice-pwd:") {
        return format!("a=ice-pwd:{}", names.password(password));
    }
    if let Some(text) = line.strip_prefix("a=candidate:") {
        return format!("a=candidate:{}", candidate(text, names));
    }
    if let Some(extmap) = line.strip_prefix("a=extmap:") {
        names.extension(extmap);
        return line.to_owned();
    }
    // RFC 5576 §6.1: some write there who they are, and on which machine.
    if line.starts_with("a=ssrc:")
        && let Some((source, name)) = line.split_once(" cname:")
    {
        let name = names.word(name);
        return format!("{} cname:{name}", known_words(source, names));
    }
    match line.get(..2) {
        // RFC 8866 §5.3 to §5.6: what people write.
        Some(kind @ ("s=" | "i=" | "u=" | "e=" | "p=")) if line != "s=-" => format!("{kind}x"),
        Some("o=" | "c=" | "a=") => known_words(line, names),
        _ => line.to_owned(),
    }
}

/// A line with other addresses, and others for the words that are known.
fn known_words(line: &str, names: &mut Names) -> String {
    words(line, ' ', |word| {
        // `a=msid:stream track`, `a=ssrc:1 msid:stream track`
        words(&in_text(word, names), ':', |part| names.known(part).to_owned())
    })
}

/// A candidate (RFC 8839 §5.1).
pub(super) fn candidate(text: &str, names: &mut Names) -> String {
    let mut is_fragment = false;
    words(text, ' ', |word| {
        if std::mem::replace(&mut is_fragment, word == "ufrag") {
            return names.word(word);
        }
        in_text(word, names)
    })
}

fn words(text: &str, separator: char, new: impl FnMut(&str) -> String) -> String {
    let words: Vec<_> = text.split(separator).map(new).collect();
    words.join(separator.encode_utf8(&mut [0; 4]))
}

/// Learns from two local descriptions, of one connection and of the other that is to be the same
/// without its secrets, what each has chosen at random.
pub(super) fn learn(sdp: &str, other: &str, names: &mut Names) {
    for (line, other) in sdp.lines().zip(other.lines()) {
        line.strip_prefix("a=extmap:").into_iter().for_each(|extmap| names.extension(extmap));
        let values = |prefix| line.strip_prefix(prefix).zip(other.strip_prefix(prefix));
        if let Some((password, other)) = values("a=ice-pwd:") {
            names.learn_password(password, other);
        } else if let Some((fragment, other)) = values("a=ice-ufrag:") {
            names.learn(fragment, other);
        } else if ["o=", "a=msid", "a=ssrc"].iter().any(|prefix| values(*prefix).is_some()) {
            let separators = [' ', ':'];
            for (word, other) in line.split(separators).zip(other.split(separators)) {
                if word.parse::<std::net::IpAddr>().is_err() {
                    names.learn(word, other);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_its_form_and_loses_what_is_secret() {
        let sdp = "v=0\r\no=- 77 2 IN IP4 10.0.0.7\r\ns=our project\r\nc=IN IP6 2a00::1\r\n\
                   a=ice-ufrag:abcd\r\na=ice-pwd:the-password-of-the-peer\r\n\
                   a=candidate:1 1 udp 2122 10.0.0.7 4000 typ srflx raddr 10.0.0.8 rport 9 ufrag abcd\r\n\
                   a=candidate:2 1 udp 2122 1f4712db.local 4000 typ host\r\n\
                   a=ssrc:77 cname:alice@host-of-alice\r\na=extmap:4/sendonly \
                   urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:5 uri:other\r\n\
                   a=rtcp:9 IN IP4 10.0.0.8\r\na=fingerprint:sha-256 AB:CD\r\na=sctp-port:5000\r\n";
        let mut names = Names::default();
        let text = description(sdp, &mut names);
        for secret in ["10.0.0", "abcd", "password", "project", "2a00", "alice"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(text.matches("192.0.2.1 ").count(), 1, "{text}");
        assert_eq!(text.matches("192.0.2.2").count(), 2, "{text}");
        assert!(text.contains("1f4712db.local") && text.contains("sha-256 AB:CD"));
        assert_eq!(text.lines().count(), sdp.lines().count());
        assert!(names.is_naming(4) && !names.is_naming(5));
        assert!(text.ends_with("a=sctp-port:5000\r\n"));
        let fragment = names.known("abcd").to_owned();
        assert_eq!(text.matches(&fragment).count(), 2);
    }

    #[test]
    fn what_each_side_has_chosen_is_learned_from_its_descriptions() {
        let local = |id: &str, ufrag: &str, password: &str| {
            format!(
                "o=- {id} 2 IN IP4 127.0.0.1\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n"
            )
        };
        let (sdp, other) = (local("1234", "aaaa", "p1"), local("5678", "bbbb", "p2"));
        let mut names = Names::default();
        learn(&sdp, &other, &mut names);
        assert_eq!(description(&sdp, &mut names), other);
        assert_eq!(names.keys().count(), 1);
    }
}
