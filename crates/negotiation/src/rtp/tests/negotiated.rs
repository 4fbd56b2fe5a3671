use std::sync::Arc;

use super::*;
use crate::RTCRtpCodecParameters;

fn numbers(codecs: &[RTCRtpCodecParameters]) -> Vec<u8> {
    codecs.iter().map(|codec| codec.payload_type).collect()
}

fn firefox_and_answer() -> (Formats, Formats) {
    let offered = formats(FIREFOX_VIDEO);
    let mut assignments = Assignments::default();
    let answered = answer(MediaKind::Video, SENDRECV, &[], &offered, &mut assignments).unwrap();
    (offered, (*answered.formats()).clone())
}

#[test]
fn what_is_sent_has_the_parameters_of_the_remote_side() {
    let (remote, local) = firefox_and_answer();
    let send = negotiate_send_codecs(&local, &remote);
    assert_eq!(numbers(&send), [120, 124, 121, 125, 99, 100]);
    assert_eq!(send[2].mime_type, "video/VP9");
    assert_eq!(send[2].sdp_fmtp_line.as_deref(), Some("max-fs=12288;max-fr=60"));
    let receive = negotiate_receive_codecs(&local, Some(&remote));
    assert_eq!(receive[2].sdp_fmtp_line.as_deref(), Some("profile-id=0"));
}

#[test]
fn a_local_offer_receives_all_of_it_until_it_is_answered() {
    let local = offer(MediaKind::Video, SENDRECV, &[], None, &mut Assignments::default());
    assert_eq!(negotiate_receive_codecs(&local, None).len(), local.codecs().len());
    let remote = formats(
        "m=video 9 UDP/TLS/RTP/SAVPF 98 96 97\na=rtpmap:96 VP8/90000\na=rtpmap:98 VP9/90000\n\
         a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n",
    );
    assert_eq!(numbers(&negotiate_receive_codecs(&local, Some(&remote))), [96, 97, 98]);
    assert_eq!(numbers(&negotiate_send_codecs(&local, &remote)), [98, 96, 97]);
}

/// RFC 3264 §5.1: each side says where it wants to receive.
#[test]
fn payload_types_may_differ_between_the_sides() {
    let local = formats(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n\
         a=fmtp:97 apt=96\na=rtpmap:98 VP9/90000\na=rtpmap:99 rtx/90000\na=fmtp:99 apt=98\n",
    );
    let remote = formats(
        "m=video 9 UDP/TLS/RTP/SAVPF 98 99\na=rtpmap:98 VP8/90000\na=rtpmap:99 rtx/90000\n\
         a=fmtp:99 apt=98\n",
    );
    assert_eq!(numbers(&negotiate_send_codecs(&local, &remote)), [98, 99]);
    assert_eq!(numbers(&negotiate_receive_codecs(&local, Some(&remote))), [96, 97]);
}

#[test]
fn codecs_of_one_side_only_are_not_negotiated() {
    let local = formats("m=audio 9 UDP/TLS/RTP/SAVPF 0 8\n");
    let remote = formats("m=audio 9 UDP/TLS/RTP/SAVPF 9 8\n");
    assert_eq!(numbers(&negotiate_send_codecs(&local, &remote)), [8]);
    assert_eq!(numbers(&negotiate_receive_codecs(&local, Some(&remote))), [8]);
    assert!(negotiate_send_codecs(&local, &Formats::default()).is_empty());
    assert!(negotiate_receive_codecs(&local, Some(&Formats::default())).is_empty());
}

/// webrtc-pc §5.2.7
#[test]
fn header_extensions_are_for_one_way_or_both() {
    let section =
        |extensions: &str| formats(&format!("m=audio 9 UDP/TLS/RTP/SAVPF 0\n{extensions}"));
    let local = section(
        "a=extmap:1 urn:both\na=extmap:2/sendonly urn:sent\na=extmap:3/recvonly urn:received\n\
         a=extmap:4/inactive urn:neither\na=extmap:5 urn:local\na=extmap:6 urn:both-receive\n",
    );
    let remote = section(
        "a=extmap:1 urn:both\na=extmap:2/recvonly urn:sent\na=extmap:3 urn:received\n\
         a=extmap:4 urn:neither\na=extmap:7 urn:remote\na=extmap:6/recvonly urn:both-receive\n",
    );
    let ids = |extensions: Arc<[crate::RTCRtpHeaderExtensionParameters]>| -> Vec<u16> {
        extensions.iter().map(|extension| extension.id).collect()
    };
    assert_eq!(ids(negotiate_send_extensions(&local, &remote)), [1, 2, 6]);
    assert_eq!(ids(negotiate_receive_extensions(&local, &remote)), [1, 3]);
}
