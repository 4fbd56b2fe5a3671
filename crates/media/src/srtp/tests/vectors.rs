//! What the RFCs compute.

use super::super::derivation::{Derivation, Label};
use super::super::transform::{Transform, Transforms, WithMac};
use super::*;
use crate::crypto::{CounterMode, Gcm, HmacSha1};

pub(super) fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs.map(|pair| u8::from_str_radix(&pair, 16).unwrap()).collect()
}

/// RFC 3711 appendix B.3.
#[test]
fn keys_of_aes_128() {
    let (key, salt) =
        (octets("E1F97A0D3E018BE0D64FA32C06DE4139"), octets("0EC675AD498AFEEBB6960B3AABE6"));
    let derivation = Derivation::new(&key, &salt).unwrap();
    let encryption: [u8; 16] = derivation.derive(Label::RtpEncryption).unwrap();
    assert_eq!(encryption.as_slice(), octets("C61E7A93744F39EE10734AFE3FF7A087"));
    let salt: [u8; 14] = derivation.derive(Label::RtpSalt).unwrap();
    assert_eq!(salt.as_slice(), octets("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication: [u8; 94] = derivation.derive(Label::RtpAuthentication).unwrap();
    let expected = "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
                    E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
                    6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2";
    assert_eq!(authentication.as_slice(), octets(expected));
}

/// RFC 6188 §7.2.
#[test]
fn keys_of_aes_256() {
    let key = octets("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
    let salt = octets("3b04803de51ee7c96423ab5b78d2");
    let derivation = Derivation::new(&key, &salt).unwrap();
    let encryption: [u8; 32] = derivation.derive(Label::RtpEncryption).unwrap();
    let expected = "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4";
    assert_eq!(encryption.as_slice(), octets(expected));
    let salt: [u8; 14] = derivation.derive(Label::RtpSalt).unwrap();
    assert_eq!(salt.as_slice(), octets("fa31791685ca444a9e07c6c64e93"));
    let authentication: [u8; 20] = derivation.derive(Label::RtpAuthentication).unwrap();
    assert_eq!(authentication.as_slice(), octets("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

fn counter_mode(key: &str, salt: &str) -> Transform {
    Transform::CounterMode(Box::new(WithMac {
        key: CounterMode::new(&octets(key)).unwrap(),
        mac: HmacSha1::new(&[0; 20]),
        salt: octets(salt).try_into().unwrap(),
    }))
}

/// RFC 3711 appendix B.2: the first blocks of the keystream of index 0 of SSRC 0, which zeros show.
#[test]
fn the_keystream_of_counter_mode() {
    let profile = Profile::Aes128CmHmacSha1_80;
    let transform =
        || counter_mode("2B7E151628AED2A6ABF7158809CF4F3C", "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    let transforms = Transforms { rtp: transform(), rtcp: transform() };
    let mut sender = Sender::with(profile, transforms, 0, 0);
    let mut zeros = vec![0; 12 + 48];
    zeros[0] = 0x80;
    let packet = protect(&mut sender, &zeros);
    let expected = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
                    41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(packet[12..60], octets(expected));
}

/// The packet of RFC 7714 §16.
const RTP: &str = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
                   69736120 696e2070 61727465 73207472 6573";
/// The packet that RFC 7714 §17.1 to §17.3 have.
const RTCP: &str = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
                    deadbeef deadbeef deadbeef deadbeef deadbeef";
const KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
const KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The SRTCP index of RFC 7714 §17.
const INDEX: u64 = 0x5d4;

fn gcm(profile: Profile, key: &str) -> (Sender, Receiver) {
    let transform = || Transform::Gcm {
        key: Gcm::new(&octets(key)).unwrap(),
        salt: octets("517569642070726f2071756f").try_into().unwrap(),
    };
    let transforms = || Transforms { rtp: transform(), rtcp: transform() };
    (Sender::with(profile, transforms(), 0, INDEX), Receiver::with(profile, transforms()))
}

/// RFC 7714 §16.1.1, §16.1.2, §16.2.1, §16.2.2.
#[test]
fn rtp_with_gcm() {
    let protected_128 = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
                         0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439
                         0cce";
    let protected_256 = "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238
                         9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7
                         6c13";
    for (profile, key, protected) in [
        (Profile::AeadAes128Gcm, KEY_128, protected_128),
        (Profile::AeadAes256Gcm, KEY_256, protected_256),
    ] {
        let (mut sender, mut receiver) = gcm(profile, key);
        assert_eq!(protect(&mut sender, &octets(RTP)), octets(protected));
        assert_eq!(unprotect(&mut receiver, &octets(protected)), Ok(octets(RTP)));
    }
}

/// RFC 7714 §17.1 and §17.2.
#[test]
fn rtcp_with_gcm() {
    let protected_128 = "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
                         c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872
                         45d9eade 800005d4";
    let protected_256 = "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50
                         a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c
                         b26ac3be 800005d4";
    for (profile, key, protected) in [
        (Profile::AeadAes128Gcm, KEY_128, protected_128),
        (Profile::AeadAes256Gcm, KEY_256, protected_256),
    ] {
        let (mut sender, mut receiver) = gcm(profile, key);
        assert_eq!(protect_rtcp(&mut sender, &octets(RTCP)), octets(protected));
        assert_eq!(unprotect_rtcp(&mut receiver, &octets(protected)), Ok(octets(RTCP)));
    }
}

/// RFC 7714 §17.3: authenticated and not encrypted.
#[test]
fn rtcp_with_gcm_that_is_not_encrypted() {
    let mut tagged = octets(RTCP);
    tagged.extend(octets("841dd968 3dd78ec9 2ae58790 125f62b3 000005d4"));
    let (_, mut receiver) = gcm(Profile::AeadAes128Gcm, KEY_128);
    assert_eq!(unprotect_rtcp(&mut receiver, &tagged), Ok(octets(RTCP)));
    let (_, mut receiver) = gcm(Profile::AeadAes128Gcm, KEY_128);
    let end = tagged.len() - 4;
    tagged[end] |= 0x80;
    assert_eq!(unprotect_rtcp(&mut receiver, &tagged), Err(Refused::NotAuthentic));
}

/// A packet that libsrtp's test driver has for `AES_CM_128_HMAC_SHA1_80`: from the master key of
/// RFC 3711 appendix B.3 to the octets of the tag.
#[test]
fn rtp_with_counter_mode() {
    let (key, salt) =
        (octets("E1F97A0D3E018BE0D64FA32C06DE4139"), octets("0EC675AD498AFEEBB6960B3AABE6"));
    let master = MasterKey::new(Profile::Aes128CmHmacSha1_80, &key, &salt).unwrap();
    let packet = octets("800f1234 decafbad cafebabe abababab abababab abababab abababab");
    let protected = octets(
        "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb",
    );
    assert_eq!(protect(&mut Sender::new(&master).unwrap(), &packet), protected);
    assert_eq!(unprotect(&mut Receiver::new(&master).unwrap(), &protected), Ok(packet));
}

/// RFC 3711 §3.4: the same with HMAC, whose tag covers the packet and the index.
#[test]
fn rtcp_with_counter_mode_that_is_not_encrypted() {
    let (key, salt) =
        (octets("E1F97A0D3E018BE0D64FA32C06DE4139"), octets("0EC675AD498AFEEBB6960B3AABE6"));
    let derivation = Derivation::new(&key, &salt).unwrap();
    let authentication: [u8; 20] = derivation.derive(Label::RtcpAuthentication).unwrap();
    let mut tagged = octets(RTCP);
    tagged.extend([0, 0, 5, 0xd4]);
    let tag: [u8; 10] = HmacSha1::new(&authentication).tag([&tagged, &[]]);
    tagged.extend(tag);
    let master = MasterKey::new(Profile::Aes128CmHmacSha1_80, &key, &salt).unwrap();
    let mut receiver = Receiver::new(&master).unwrap();
    let mut encrypted = tagged.clone();
    encrypted[octets(RTCP).len()] |= 0x80;
    assert_eq!(unprotect_rtcp(&mut receiver, &encrypted), Err(Refused::NotAuthentic));
    assert_eq!(unprotect_rtcp(&mut receiver, &tagged), Ok(octets(RTCP)));
    assert_eq!(unprotect_rtcp(&mut receiver, &tagged), Err(Refused::Replayed));
}
