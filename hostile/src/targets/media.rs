//! What an authentic peer sends: any RTP and RTCP, to everything that media does with it.

use media::demux::Source;
use media::rtcp::is_rtcp;
use media::srtp::{MasterKey, Profile, Sender};
use media::{
    Codec, Config, Encoding, Event, Extension, Kind, Media, Outgoing, Receive, Section, SectionId,
    Send, Wall,
};
use time::{Duration, Instant};

const EXPORTED: [u8; 56] = [7; 56];

fn media(now: Instant) -> Option<(Media, Sender)> {
    let wall = Wall { at: now, ntp: 3_976_214_400 << 32 };
    let cname = "name".to_owned();
    let mut media = Media::new(Config { cname, seed: [1; 32], headroom: 4, tailroom: 4, wall });
    let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &EXPORTED).ok()?;
    media.set_keys(&client, &server).ok()?;
    let codecs = vec![
        Codec { payload_type: 96, clock_rate: 90_000, repairs: None },
        Codec { payload_type: 97, clock_rate: 90_000, repairs: Some(96) },
    ];
    let extensions = vec![
        (1, Extension::Rid),
        (2, Extension::RepairedRid),
        (3, Extension::Mid),
        (4, Extension::AbsSendTime),
    ];
    let sources = [0xcafe_babe, 8].map(|ssrc| Source { ssrc, repairs: None });
    let receive = Receive {
        codecs: codecs.clone(),
        extensions: extensions.clone(),
        rids: vec!["h".to_owned(), "l".to_owned()],
        sources: sources.to_vec(),
    };
    let encodings = vec![Encoding { ssrc: 5, rtx_ssrc: Some(6), rid: None, active: true }];
    let send = Send { codecs, extensions, encodings, allow_mixed: true };
    let section = Section {
        id: SectionId(1),
        mid: "mid".to_owned(),
        kind: Kind::Video,
        reduced_size: true,
        receive: Some(receive),
        send: Some(send),
    };
    media.set_sections(vec![section]);
    media.set_writable(now, true);
    Some((media, Sender::new(&server).ok()?))
}

/// Gives media a packet as an authentic peer sends it, and lets it report.
pub fn receive(octets: &[u8]) {
    let now = Instant::now();
    let (mut media, mut peer) = media(now).expect("cryptography");
    for number in 0..3 {
        let packet = Outgoing {
            origin: 0,
            payload_type: 96,
            marker: true,
            sequence_number: number,
            timestamp: 0,
            csrcs: &[],
            elements: &[],
            payload: b"picture",
        };
        media.send(now, SectionId(1), 0, &packet).expect("a packet");
    }
    let mut datagram = octets.to_vec();
    let overhead = peer.profile().rtcp_overhead().max(peer.profile().rtp_overhead());
    let protected = if is_rtcp(octets) {
        datagram.resize(octets.len() + peer.profile().rtcp_overhead(), 0);
        peer.protect_rtcp(&mut datagram)
    } else {
        datagram.resize(octets.len() + peer.profile().rtp_overhead(), 0);
        peer.protect_rtp(&mut datagram)
    };
    if protected.is_err() {
        return;
    }
    let _ = media.handle_datagram(now, &datagram);
    // What was sent before is refused.
    assert!(media.handle_datagram(now, &datagram).is_err(), "a repetition");
    while let Some(event) = media.poll_event() {
        if let Event::Packet(incoming) = event {
            assert!(incoming.octets.len() <= octets.len(), "no more than what came");
        }
    }
    let mut sent = 0;
    let mut at = now;
    for _ in 0..8 {
        while let Some((buffer, start)) = media.poll_transmit() {
            assert!(start <= buffer.len());
            sent += buffer.len();
        }
        at += Duration::from_secs(1);
        media.handle_timeout(at);
    }
    // One packet makes nobody send without end.
    assert!(sent < 64 * (1200 + overhead), "{sent} octets");
    assert!(media.inbound().count() <= 2);
}

/// RTP and RTCP of a peer.
pub fn packets() -> Vec<Vec<u8>> {
    super::rtp::packets().into_iter().chain(super::rtcp::compounds()).collect()
}
