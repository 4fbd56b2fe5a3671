//! Names: RFC 1035 §3.1 and §4.1.4, RFC 6762 §16.

/// What all names end in.
const SUFFIX: &str = ".local";
/// Octets of a label at most: RFC 1035 §2.3.4.
const LABEL: usize = 63;
/// Octets of a name on the wire at most, with the length of each label and the root's 0.
const WIRE: usize = 255;
/// Pointers that one name may have: each is a label at least in an honest message.
const POINTERS: usize = 32;

/// Whether this is a name that multicast DNS resolves for ICE: one label of 1 to 63 octets before
/// `.local` (draft-ietf-mmusic-mdns-ice-candidates §3.2.1, step 1). Letters may have either case.
///
/// ```
/// use peerconnection_mdns::is_hostname;
///
/// assert!(is_hostname("1f4712db-ea17-4bcf-a596-105139dfd8bf.local"));
/// assert!(!is_hostname("a.b.local"));
/// assert!(!is_hostname("example.com"));
/// ```
pub fn is_hostname(name: &str) -> bool {
    label(name).is_some()
}

/// What is before `.local`.
pub(crate) fn label(name: &str) -> Option<&str> {
    let at = name.len().checked_sub(SUFFIX.len())?;
    let (label, suffix) = name.split_at_checked(at)?;
    let is_label = (1..=LABEL).contains(&label.len()) && !label.contains('.');
    (is_label && suffix.eq_ignore_ascii_case(SUFFIX)).then_some(label)
}

/// Appends a name that [`is_hostname`] on the wire.
pub(crate) fn write(name: &str, message: &mut Vec<u8>) {
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap_or(0));
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
}

/// Reads the name at `at`: its labels, joined by dots in lower case, and where the message goes on.
/// `None` for what is malformed, loops, or is longer than a name can be.
///
/// A label with a dot in it cannot be told from two, which is no harm: its name would have three
/// labels and equal none that is asked for.
pub(crate) fn read(message: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let mut name = Vec::new();
    let (mut at, mut end) = (at, None);
    let mut pointers = 0;
    loop {
        let length = usize::from(*message.get(at)?);
        match length >> 6 {
            0 if length == 0 => return Some((name, end.unwrap_or(at + 1))),
            0 => {
                let label = message.get(at + 1..at + 1 + length)?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                // The length of the first label, and the root's 0.
                if 1 + name.len() + length + 1 > WIRE {
                    return None;
                }
                name.extend(label.iter().map(u8::to_ascii_lowercase));
                at += 1 + length;
            }
            3 => {
                let low = usize::from(*message.get(at + 1)?);
                let target = (length & 0x3f) << 8 | low;
                pointers += 1;
                // RFC 1035 §4.1.4: to "a prior occurance" of the name.
                if target >= at || pointers > POINTERS {
                    return None;
                }
                end.get_or_insert(at + 2);
                at = target;
            }
            // RFC 6891 §5 has given up the other kinds of labels.
            _ => return None,
        }
    }
}
