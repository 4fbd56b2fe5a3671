#!/usr/bin/env bash
# stun-types 2.0.4, two gaps in RFC 8489 §9.2.5:
# - PASSWORD-ALGORITHMS with an algorithm it does not know beside SHA-256 is unreadable as a whole,
#   where a client is to take the first that it knows. The raw attribute has to be read by hand.
# - A message with MESSAGE-INTEGRITY-SHA256 under an MD5 key, which a server gets and sends that
#   lists MD5 alone, is written and then refused with the very same key.
#
# Seen: known: [MD5, SHA256]; unknown beside it: the attribute's data is invalid; written: true,
# validated: false.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'EOF'
[package]
name = "run"
edition = "2021"
[dependencies]
stun-types = "=2.0.4"
EOF
cat > src/main.rs <<'EOF'
use stun_types::attribute::*;
use stun_types::message::*;

fn read(value: &[u8]) -> String {
    let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
    message.add_attribute(&RawAttribute::new(PasswordAlgorithms::TYPE, value)).unwrap();
    let message = message.finish();
    let message = Message::from_bytes(&message).unwrap();
    match message.attribute::<PasswordAlgorithms>() {
        Ok(list) => format!("{:?}", list.algorithms()),
        Err(error) => format!("{error:?}"),
    }
}

fn main() {
    println!("known: {}", read(&[0, 1, 0, 0, 0, 2, 0, 0]));
    println!("unknown beside SHA-256: {}", read(&[0, 9, 0, 0, 0, 2, 0, 0]));

    let credentials = LongTermCredentials::new("user".to_owned(), "password".to_owned());
    let key = credentials.to_key("realm".to_owned()).make_key(IntegrityAlgorithm::Sha1);
    let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
    let written = message.add_message_integrity_with_key(&key, IntegrityAlgorithm::Sha256);
    let message = message.finish();
    let message = Message::from_bytes(&message).unwrap();
    let validated = message.validate_integrity_with_key(&key).is_ok();
    println!("MD5 key with SHA-256 integrity: written {}, validated {validated}", written.is_ok());
}
EOF
output=$(cargo run --quiet)
echo "$output"
expected="known: [MD5, SHA256]
unknown beside SHA-256: InvalidAttributeData
MD5 key with SHA-256 integrity: written true, validated false"
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
