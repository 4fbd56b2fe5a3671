//! Descriptions (RFC 8866) and candidates (RFC 8839 §5.1).

use sdp::{Candidate, Description};

/// Reads a description, and all that is in it. What we write of it says the same.
pub fn description(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let Ok(description) = Description::parse(text) else { return };
    let written = description.to_string();
    assert_eq!(Description::parse(&written).as_ref(), Ok(&description), "{written:?}");
    let _ = (description.bundle_groups(), description.origin(), description.ice_lite());
    for at in 0..=description.media().len() {
        let _ = (description.ice_parameters(at), description.setup(at));
        let _ = (description.fingerprints(at), description.direction(at));
    }
}

/// Reads a candidate. What we write of it says the same.
pub fn candidate(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let Ok(candidate) = Candidate::parse(text) else { return };
    let written = candidate.to_string();
    assert_eq!(Candidate::parse(&written).as_ref(), Ok(&candidate), "{written:?}");
    let _ = (candidate.ip(), candidate.extension("generation"));
}

/// Sound, video in several encodings, and data.
pub fn descriptions() -> Vec<Vec<u8>> {
    let session = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n\
        a=msid-semantic: WMS *\r\na=ice-options:trickle\r\n";
    let transport = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
        a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:\
        77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\n";
    let audio = "a=mid:0\r\na=sendrecv\r\na=msid:s t\r\na=rtcp-mux\r\n\
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111 opus/48000/2\r\n\
        a=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
        a=ssrc:1 cname:x\r\n";
    let video = "a=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 VP8/90000\r\n\
        a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rid:h send\r\n\
        a=rid:l send pt=96;max-width=320\r\na=simulcast:send h;~l\r\na=ssrc-group:FID 1 2\r\n";
    let data = "a=mid:2\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n\
        a=candidate:1 1 udp 2122260223 192.0.2.1 4000 typ host generation 0\r\n\
        a=end-of-candidates\r\n";
    let description = [
        session,
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        transport,
        audio,
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n",
        transport,
        video,
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        transport,
        data,
    ];
    vec![description.concat().into(), [session, transport].concat().into()]
}

/// One of each kind.
pub fn candidates() -> Vec<Vec<u8>> {
    [
        "candidate:1 1 udp 2122260223 192.0.2.1 4000 typ host generation 0 ufrag abcd",
        "candidate:2 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active",
        "candidate:3 1 UDP 1686052607 203.0.113.5 4001 typ srflx raddr 192.0.2.1 rport 4000",
        "candidate:4 1 udp 41819902 203.0.113.9 3478 typ relay raddr 0.0.0.0 rport 0",
        "candidate:5 1 udp 2122260223 f0f0f0f0-0000-4000-8000-000000000000.local 4000 typ host",
    ]
    .map(|line| line.as_bytes().to_vec())
    .into()
}
