//! Two sides with one key: vectors of the RFCs, stories of loss and wraps, hostile peers.

mod any_network;
mod hostile;
mod indices;
mod libsrtp;
mod vectors;

use super::{MasterKey, Profile, Receiver, Refused, Sender};

const PROFILES: [Profile; 3] =
    [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmHmacSha1_80];

/// Both ends of one direction.
fn ends(profile: Profile, seed: u8) -> (Sender, Receiver) {
    let (key, salt) = ([seed; 32], [seed ^ 0x5a; 14]);
    let (key, salt) = (&key[..profile.key_len()], &salt[..profile.salt_len()]);
    let master = MasterKey::new(profile, key, salt).unwrap();
    (Sender::new(&master).unwrap(), Receiver::new(&master).unwrap())
}

/// A packet of RTP with a payload that names its SSRC and `number`.
fn rtp(ssrc: u32, number: u64) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(((number & 0xffff) as u16).to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(number.to_be_bytes());
    packet
}

/// A receiver report without blocks, and four octets that name `number`.
fn rtcp(ssrc: u32, number: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 2];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(number.to_be_bytes());
    packet
}

fn protect(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet.resize(packet.len() + sender.profile().rtp_overhead(), 0);
    sender.protect_rtp(&mut packet).unwrap();
    packet
}

fn protect_rtcp(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet.resize(packet.len() + sender.profile().rtcp_overhead(), 0);
    sender.protect_rtcp(&mut packet).unwrap();
    packet
}

fn unprotect(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut packet = packet.to_vec();
    let length = receiver.unprotect_rtp(&mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

fn unprotect_rtcp(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut packet = packet.to_vec();
    let length = receiver.unprotect_rtcp(&mut packet)?;
    packet.truncate(length);
    Ok(packet)
}
