#!/usr/bin/env bash
# stun-types 2.0.4, two gaps in RFC 8489 §9.2.5:
# - It cannot read PASSWORD-ALGORITHMS at all if an unknown algorithm stands beside SHA-256. A
#   client is to take the first algorithm that it knows, so it has to read the raw attribute by
#   hand.
# - It writes a message with MESSAGE-INTEGRITY-SHA256 under an MD5 key, and then refuses it with the
#   very same key. A server that lists MD5 alone gets and sends such messages.
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
