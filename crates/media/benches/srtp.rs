//! Packets of 1,200 octets, beside what the primitives alone take: the floor.

use std::hint::black_box;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use peerconnection_media::srtp::{MasterKey, Profile, Receiver, Sender};

const LENGTH: usize = 1_200;
const HEADER: usize = 12;
/// Packets that are received in one sample: within one turn of the sequence number.
const BATCH: u16 = 1_000;

fn master(profile: Profile) -> MasterKey<'static> {
    MasterKey::new(profile, &[1; 32][..profile.key_len()], &[2; 14][..profile.salt_len()])
        .expect("a key that fits")
}

/// The header of a packet.
fn put_header(packet: &mut [u8], number: u16) {
    packet[..HEADER].copy_from_slice(&[0x80, 96, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    packet[2..4].copy_from_slice(&number.to_be_bytes());
}

fn ours(c: &mut Criterion) {
    for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmHmacSha1_80] {
        let mut group = c.benchmark_group(format!("{profile:?}"));
        let mut sender = Sender::new(&master(profile)).expect("a sender");
        let mut packet = vec![7; LENGTH + profile.rtp_overhead()];
        let mut number = 0_u16;
        group.bench_function("protect", |b| {
            b.iter(|| {
                number = number.wrapping_add(1);
                put_header(&mut packet, number);
                sender.protect_rtp(black_box(&mut packet)).expect("a packet");
            });
        });

        // Each packet is received once, so a sample begins with a new receiver and fresh packets.
        let mut sender = Sender::new(&master(profile)).expect("a sender");
        let protected: Vec<_> = (0..BATCH)
            .map(|number| {
                put_header(&mut packet, number);
                sender.protect_rtp(&mut packet).expect("a packet");
                packet.clone()
            })
            .collect();
        group.bench_function(format!("unprotect {BATCH}"), |b| {
            b.iter_batched_ref(
                || (Receiver::new(&master(profile)).expect("a receiver"), protected.clone()),
                |(receiver, packets)| {
                    for packet in packets {
                        black_box(receiver.unprotect_rtp(packet).expect("a packet"));
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

fn floor(c: &mut Criterion) {
    for (name, algorithm, key) in
        [("AeadAes128Gcm", &AES_128_GCM, 16), ("AeadAes256Gcm", &AES_256_GCM, 32)]
    {
        let mut group = c.benchmark_group(format!("{name} floor"));
        let key = UnboundKey::new(algorithm, &[1; 32][..key]).expect("a key");
        let key = LessSafeKey::new(key);
        let mut packet = vec![7; LENGTH];
        group.bench_function("seal", |b| {
            b.iter(|| {
                let (header, payload) = black_box(&mut packet).split_at_mut(HEADER);
                let nonce = Nonce::assume_unique_for_key([7; 12]);
                key.seal_in_place_separate_tag(nonce, Aad::from(&*header), payload)
                    .expect("a packet")
            });
        });
        let (header, payload) = packet.split_at_mut(HEADER);
        let nonce = Nonce::assume_unique_for_key([7; 12]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*header), payload);
        packet.extend_from_slice(tag.expect("a packet").as_ref());
        let packets = vec![packet; BATCH.into()];
        group.bench_function(format!("open {BATCH}"), |b| {
            b.iter_batched_ref(
                || packets.clone(),
                |packets| {
                    for packet in packets {
                        let (header, sealed) = packet.split_at_mut(HEADER);
                        let nonce = Nonce::assume_unique_for_key([7; 12]);
                        key.open_in_place(nonce, Aad::from(&*header), black_box(sealed))
                            .expect("a packet");
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
    let mut group = c.benchmark_group("Aes128CmHmacSha1_80 floor");
    let key = UnboundCipherKey::new(&AES_128, &[1; 16]).expect("a key");
    let key = EncryptingKey::ctr(key).expect("a key");
    let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[3; 20]);
    let mut packet = vec![7; LENGTH];
    group.bench_function("encrypt and sign", |b| {
        b.iter(|| {
            let context = EncryptionContext::Iv128(FixedLength::from([7; 16]));
            key.less_safe_encrypt(black_box(&mut packet[HEADER..]), context).expect("a packet");
            hmac::sign(&mac, black_box(&packet))
        });
    });
    group.finish();
}

criterion_group!(benches, ours, floor);
criterion_main!(benches);
