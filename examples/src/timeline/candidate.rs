//! What a candidate's line says (RFC 8839 §5.1).

/// Its type, such as `host`, and its address with the port.
pub(super) fn describe(candidate: &str) -> String {
    if candidate.is_empty() {
        return "end of candidates".to_owned();
    }
    match (after(candidate, "typ"), address(candidate)) {
        (Some(kind), Some(address)) => format!("{kind} {address}"),
        _ => candidate.to_owned(),
    }
}

/// The address with the port.
pub(super) fn address(candidate: &str) -> Option<String> {
    let mut words = candidate.split(' ').skip(4);
    Some(host(words.next()?, words.next()?))
}

/// An address with a port; that of IPv6 is in brackets.
pub(super) fn host(address: &str, port: &str) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// The name of the generation.
pub(super) fn ufrag(candidate: &str) -> Option<&str> {
    after(candidate, "ufrag")
}

/// The word behind a name.
fn after<'a>(candidate: &'a str, name: &str) -> Option<&'a str> {
    let mut words = candidate.split(' ');
    words.find(|word| *word == name)?;
    words.next()
}
