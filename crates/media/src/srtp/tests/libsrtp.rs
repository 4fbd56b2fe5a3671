//! Packets that libsrtp 2.7.0 has protected.

use super::super::transform::Transforms;
use super::vectors::octets;
use super::*;

/// What libsrtp makes, for each profile, of three packets across a wrap and of one of RTCP. The
/// master key is the octets 1, 2 and so on, the salt those from 101 on.
const PROTECTED: [(Profile, [&str; 4]); 3] = [
    (
        Profile::AeadAes128Gcm,
        [
            "91e0fffe00000001cafebabe01020304bede0001103000000bf7e701dfc2c0c9ca50981e95e1906511c8\
             661d3829a0",
            "91e0ffff00000001cafebabe01020304bede0001103000007d1fcf391b7a1bbeaceb19ecdc20b4ebcc98\
             4d8b04aa1d",
            "91e0000000000001cafebabe01020304bede00011030000058db4719dd1179a2b393b519bb8da7b73ab5\
             983f64bc3f",
            "80c90001cafebabe73aa2e6eebdb5d0478edfdb20168380ea50958225ae2a8fe5659d13980000001",
        ],
    ),
    (
        Profile::AeadAes256Gcm,
        [
            "91e0fffe00000001cafebabe01020304bede000110300000f1a2afb2579fed643b02dc475bff99c977ed\
             56f0cc82ca",
            "91e0ffff00000001cafebabe01020304bede00011030000043ef6a12ca91e194aa553ada948b22841134\
             3559def403",
            "91e0000000000001cafebabe01020304bede0001103000000c22595d70e3d734f253d54c6559343bf80b\
             4ead50c205",
            "80c90001cafebabe1b7cf4417d323d06ac94c37f3205dcb10e7991b5b0fd594d1d68107480000001",
        ],
    ),
    (
        Profile::Aes128CmHmacSha1_80,
        [
            "91e0fffe00000001cafebabe01020304bede000110300000dad25e9e89f0235a6bde26a0c3b69164cb",
            "91e0ffff00000001cafebabe01020304bede000110300000f624f1217e1377c943d4bc60ea4832e4c2",
            "91e0000000000001cafebabe01020304bede0001103000009ff83ec942cfa65dd7478b3f3091763ccb",
            "80c90001cafebabe30f86ac4f3eeb16fd9608f1d8000000129b9c0c0f1249107de17",
        ],
    ),
];

/// A packet with a CSRC and an extension.
fn packet(sequence_number: u16) -> Vec<u8> {
    let mut packet = vec![0x91, 0xe0];
    packet.extend(sequence_number.to_be_bytes());
    packet.extend(octets("00000001 cafebabe 01020304 bede0001 10300000"));
    packet.extend(b"payload");
    packet
}

#[test]
fn what_libsrtp_sends_and_would_receive() {
    for (profile, [before, last, after, control]) in PROTECTED {
        let key: Vec<u8> = (1..).take(profile.key_len()).collect();
        let salt: Vec<u8> = (101..).take(profile.salt_len()).collect();
        let master = MasterKey::new(profile, &key, &salt).unwrap();
        // libsrtp counts SRTCP from 1.
        let mut sender = Sender::with(profile, Transforms::new(&master).unwrap(), 0, 1);
        let mut receiver = Receiver::new(&master).unwrap();
        for (number, protected) in [(65_534, before), (65_535, last), (0, after)] {
            let protected = octets(protected);
            assert_eq!(protect(&mut sender, &packet(number)), protected, "{profile:?} {number}");
            assert_eq!(unprotect(&mut receiver, &protected), Ok(packet(number)));
        }
        // A receiver report and PLI.
        let packet = octets("80c90001 cafebabe 81ce0002 cafebabe 05060708");
        assert_eq!(protect_rtcp(&mut sender, &packet), octets(control), "{profile:?}");
        assert_eq!(unprotect_rtcp(&mut receiver, &octets(control)), Ok(packet));
    }
}
