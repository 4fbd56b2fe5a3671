use super::*;

#[test]
fn rtpmaps_have_channels_or_not() {
    let opus: RtpMap = "111 opus/48000/2".parse().unwrap();
    assert_eq!((opus.payload_type, opus.encoding_name.as_str()), (111, "opus"));
    assert_eq!((opus.clock_rate, opus.channels), (48000, Some(2)));
    let mono: RtpMap = "9 G722/8000".parse().unwrap();
    assert_eq!(mono.channels, None);
    assert!("9 G722/x".parse::<RtpMap>().is_err());
}

#[test]
fn fmtp_names_are_compared_without_case() {
    let fmtp: Fmtp = "96 Profile-ID=1;  flag ;;x = y ".parse().unwrap();
    assert_eq!(fmtp.get("profile-id"), Some("1"));
    assert_eq!(fmtp.get("flag"), Some(""));
    assert_eq!(fmtp.get("x"), Some("y"));
    assert_eq!(fmtp.get("z"), None);
    assert_eq!("101".parse::<Fmtp>().map(|fmtp| fmtp.to_string()), Ok("101".to_owned()));
}

#[test]
fn an_extmap_has_a_direction_and_attributes() {
    let text = "2/recvonly urn:ietf:params:rtp-hdrext:toffset short long";
    let extmap: ExtMap = text.parse().unwrap();
    assert_eq!((extmap.id, extmap.direction), (2, Some(Direction::RecvOnly)));
    assert_eq!(extmap.uri, "urn:ietf:params:rtp-hdrext:toffset");
    assert_eq!(extmap.attributes.as_deref(), Some("short long"));
    assert_eq!(extmap.to_string(), text);
}

#[test]
fn an_msid_may_have_no_stream() {
    let none: Msid = "- {64fb0a6f}".parse().unwrap();
    assert_eq!((none.stream(), none.appdata.as_deref()), (None, Some("{64fb0a6f}")));
    let some: Msid = "stream".parse().unwrap();
    assert_eq!((some.stream(), some.appdata.as_deref()), (Some("stream"), None));
}

#[test]
fn a_rid_keeps_the_order_of_its_restrictions() {
    let text = "hi recv pt=96,97;max-br=64000;depend=lo;max-width=0;x";
    let rid: Rid = text.parse().unwrap();
    assert_eq!((rid.id.as_str(), rid.direction), ("hi", RidDirection::Recv));
    assert_eq!(rid.payload_types, [96, 97]);
    assert_eq!(rid.restriction("max-width"), Some("0"));
    assert_eq!(rid.restriction("x"), Some(""));
    assert_eq!(rid.restriction("max-height"), None);
    assert_eq!(rid.to_string(), text);
    for text in ["", "q", "q both", "q send pt=x", "q send max-br=1;pt=96", "q send ;", "a.b send"]
    {
        assert!(text.parse::<Rid>().is_err(), "{text}");
    }
}

#[test]
fn a_simulcast_has_both_ways_in_any_order() {
    let simulcast: Simulcast = "recv 1 send ~2;3,~4".parse().unwrap();
    let id = |rid: &str, paused| SimulcastId { rid: rid.to_owned(), paused };
    assert_eq!(simulcast.recv, [vec![id("1", false)]]);
    assert_eq!(simulcast.send, [vec![id("2", true)], vec![id("3", false), id("4", true)]]);
    assert_eq!(simulcast.to_string(), "send ~2;3,~4 recv 1");
}

#[test]
fn directions_are_seen_from_both_sides() {
    for (direction, sends, receives, reversed) in [
        (Direction::SendRecv, true, true, Direction::SendRecv),
        (Direction::SendOnly, true, false, Direction::RecvOnly),
        (Direction::RecvOnly, false, true, Direction::SendOnly),
        (Direction::Inactive, false, false, Direction::Inactive),
    ] {
        assert_eq!((direction.sends(), direction.receives()), (sends, receives));
        assert_eq!(direction.reversed(), reversed);
    }
    assert!("SENDRECV".parse::<Direction>().is_err());
}

#[test]
fn the_setup_is_read_in_any_case() {
    for (text, setup) in [
        ("active", Setup::Active),
        ("Passive", Setup::Passive),
        ("ACTPASS", Setup::ActPass),
        ("holdconn", Setup::HoldConn),
    ] {
        assert_eq!(text.parse(), Ok(setup));
        assert_eq!(setup.to_string(), text.to_lowercase());
    }
}

#[test]
fn errors_of_values_have_no_line() {
    let error = "x".parse::<Fingerprint>().unwrap_err();
    assert_eq!(error.line(), None);
    assert_eq!(error.to_string(), error.message());
    assert_eq!(error.clone().on_line(3).to_string(), format!("line 3: {}", error.message()));
}
