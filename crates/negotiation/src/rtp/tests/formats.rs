use super::*;

#[test]
fn what_is_written_reads_the_same() {
    for section in [FIREFOX_VIDEO, FIREFOX_AUDIO] {
        let first = formats(section);
        let mut written = Media::new(media(section).kind(), 9, "UDP/TLS/RTP/SAVPF", &[]);
        let lines = Written::new(first.clone());
        lines.write_header_extensions(&mut written);
        lines.write_codecs(&mut written);
        assert_eq!(Formats::read(&written, true), first);
        assert_eq!(written.formats(), media(section).formats());
    }
}

#[test]
fn codecs_have_their_parameters_and_feedback_in_the_order_of_the_section() {
    let audio = formats(FIREFOX_AUDIO);
    assert_eq!(names(&audio), ["109 opus", "9 G722", "0 PCMU", "8 PCMA", "101 telephone-event"]);
    let opus = &audio.codecs()[0];
    assert_eq!(opus.codec.channels, Some(2));
    assert_eq!(
        opus.codec.sdp_fmtp_line.as_deref(),
        Some("maxplaybackrate=48000;stereo=1;useinbandfec=1")
    );
    assert_eq!(*opus.feedback, ["transport-cc"]);
    assert_eq!(audio.codecs()[1].codec.channels, Some(1));
    assert!(!audio.reduced_size_rtcp());
    assert!(formats(FIREFOX_VIDEO).reduced_size_rtcp());
}

/// RFC 3551 §6
#[test]
fn static_payload_types_need_no_rtpmap() {
    let audio = formats("m=audio 9 UDP/TLS/RTP/SAVPF 0 8 9 13 3 96\n");
    assert_eq!(names(&audio), ["0 PCMU", "8 PCMA", "9 G722", "13 CN"]);
    assert!(audio.codecs().iter().all(|format| format.codec.clock_rate == 8_000));
    assert_eq!(names(&formats("m=video 9 UDP/TLS/RTP/SAVPF 0 8\n")), [""; 0]);
}

#[test]
fn of_two_lines_the_first_counts_and_unlisted_ones_do_not() {
    let video = formats(
        "m=video 9 UDP/TLS/RTP/SAVPF 97 97 96\n\
         a=rtpmap:96 VP8/90000\na=rtpmap:96 VP9/90000\na=rtpmap:97 future/90000\n\
         a=rtpmap:98 H264/90000\na=fmtp:97 a=1\na=fmtp:97 a=2\n\
         a=extmap:1 urn:a\na=extmap:1 urn:b\na=extmap:2 urn:a\na=extmap:15 urn:c\n\
         a=extmap:4096 urn:d\na=extmap:200 urn:e\n",
    );
    assert_eq!(names(&video), ["97 future", "96 VP8"]);
    assert_eq!(video.codecs()[0].codec.sdp_fmtp_line.as_deref(), Some("a=1"));
    let extensions = video.header_extensions().iter();
    let extensions: Vec<_> = extensions.map(|known| (known.id, known.uri.as_ref())).collect();
    assert_eq!(extensions, [(1, "urn:a"), (200, "urn:e")]);
}

/// RFC 8285 §6
#[test]
fn long_ids_need_streams_that_may_mix_both_forms() {
    let section = media(
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=extmap:14 urn:a\na=extmap:15 urn:b\na=extmap:16 urn:c\n",
    );
    let ids = |allows_mixed| -> Vec<u8> {
        let formats = Formats::read(&section, allows_mixed);
        formats.header_extensions().iter().map(|extension| extension.id).collect()
    };
    assert_eq!((ids(true), ids(false)), (vec![14, 16], vec![14]));
}

#[test]
fn feedback_for_all_is_feedback_of_each() {
    let video = formats(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=rtpmap:96 VP8/90000\na=rtpmap:97 VP9/90000\n\
         a=rtcp-fb:97 nack\na=rtcp-fb:* nack\na=rtcp-fb:* ccm fir\n",
    );
    assert_eq!(*video.codecs()[0].feedback, ["nack", "ccm fir"]);
    assert_eq!(*video.codecs()[1].feedback, ["nack", "ccm fir"]);
}

#[test]
fn much_feedback_takes_little_memory() {
    let mut section = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 VP8/90000\n".to_owned();
    for number in 0..10_000 {
        section.push_str(&format!("a=rtcp-fb:* kind{number}\n"));
    }
    assert_eq!(formats(&section).codecs()[0].feedback.len(), 32);
}

#[test]
fn lines_are_in_the_order_of_browsers() {
    let video = formats(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n\
         a=fmtp:97 apt=96\na=rtcp-fb:96 nack pli\na=rtcp-rsize\n\
         a=extmap:3/sendonly urn:a x=1\n",
    );
    assert_eq!(
        written(&video, "video"),
        [
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
            "a=extmap:3/sendonly urn:a x=1",
            "a=rtcp-rsize",
            "a=rtpmap:96 VP8/90000",
            "a=rtcp-fb:96 nack pli",
            "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96",
        ]
    );
}

#[test]
fn mono_is_not_written_and_stereo_is() {
    let lines = written(&formats(FIREFOX_AUDIO), "audio");
    assert!(lines.contains(&"a=rtpmap:109 opus/48000/2".to_owned()), "{lines:?}");
    assert!(lines.contains(&"a=rtpmap:9 G722/8000".to_owned()), "{lines:?}");
}
