//! The key schedule against the trace of RFC 8448 §3, which has the labels of TLS.

use super::super::schedule::*;
use crate::crypto::Hash;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_chunks().0.iter().map(octet).collect()
}

/// What a secret expands to: key and IV of its records.
fn key_and_iv(secret: &Secret) -> [Vec<u8>; 2] {
    let (mut key, mut iv) = (vec![0; 16], vec![0; 12]);
    secret.fill(b"key", &[], &mut key).unwrap();
    secret.fill(b"iv", &[], &mut iv).unwrap();
    [key, iv]
}

#[test]
fn the_trace_of_rfc_8448_has_our_keys() {
    let suite = Suite::of(AES_128_GCM_SHA256).unwrap();
    let shared = hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
    let handshake = Secret::early(suite, b"tls13 ").next_stage(&shared).unwrap();
    let to_server_hello = hex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
    let client = handshake.derive(b"c hs traffic", &to_server_hello).unwrap();
    let server = handshake.derive(b"s hs traffic", &to_server_hello).unwrap();
    let expected = ["dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"].map(hex);
    assert_eq!(key_and_iv(&client), expected);
    let expected = ["3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"].map(hex);
    assert_eq!(key_and_iv(&server), expected);

    let master = handshake.master().unwrap();
    let to_finished = hex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13");
    let client = master.derive(b"c ap traffic", &to_finished).unwrap();
    let server = master.derive(b"s ap traffic", &to_finished).unwrap();
    let expected = ["17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"].map(hex);
    assert_eq!(key_and_iv(&client), expected);
    let expected = ["9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"].map(hex);
    assert_eq!(key_and_iv(&server), expected);
}

/// RFC 9147 §5.9 has another prefix, so that keys of TLS and of DTLS have nothing in common.
#[test]
fn our_labels_are_those_of_dtls() {
    let suite = Suite::of(AES_128_GCM_SHA256).unwrap();
    let ours = Secret::handshake(suite, &[7; 32]).unwrap();
    let same = Secret::early(suite, b"dtls13").next_stage(&[7; 32]).unwrap();
    let tls = Secret::early(suite, b"tls13 ").next_stage(&[7; 32]).unwrap();
    assert_eq!(key_and_iv(&ours), key_and_iv(&same));
    assert_ne!(key_and_iv(&ours), key_and_iv(&tls));
}

/// RFC 8446 §4.4.1.
#[test]
fn the_hash_of_a_first_hello_stands_for_it() {
    let mut transcript = Transcript::new();
    transcript.add(1, b"hello");
    transcript.replace_first_hello(Hash::Sha256);
    transcript.add(2, b"retry");
    let first = Hash::Sha256.of(b"\x01\x00\x00\x05hello");
    let all = [&[254, 0, 0, 32][..], first.as_ref(), b"\x02\x00\x00\x05retry"].concat();
    assert_eq!(transcript.hash().unwrap().as_ref(), Hash::Sha256.of(&all).as_ref());
}
