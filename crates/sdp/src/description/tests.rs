use super::*;

const TEXT: &str = "v=0\r\no=- 4475225112019346915 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\na=ice-lite\r\na=ice-options:renomination ice2\r\na=ice-ufrag:sess\r\n\
    a=ice-pwd:session-password-000000\r\na=setup:actpass\r\na=fingerprint:sha-1 AA\r\na=sendonly\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=ice-options:trickle\r\n\
    a=ice-ufrag:media\r\na=ice-pwd:media-password-0000000000\r\na=setup:active\r\n\
    a=fingerprint:sha-256 BB\r\na=fingerprint:sha-512 CC\r\na=end-of-candidates\r\na=recvonly\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n";

fn example() -> Description {
    Description::parse(TEXT).unwrap()
}

#[test]
fn a_new_description_is_the_least_there_is() {
    let description = Description::new(7, 3);
    let text = "v=0\r\no=- 7 3 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    assert_eq!(description.to_string(), text);
    assert_eq!(Description::parse(text), Ok(description));
}

#[test]
fn the_origin_is_read_and_replaced() {
    let mut description = example();
    let mut origin = description.origin();
    assert_eq!((origin.session_id, origin.session_version), (4475225112019346915, 2));
    origin.session_version = 3;
    description.set_origin(origin.clone());
    assert_eq!(description.origin(), origin);
    assert_eq!(description.to_string(), TEXT.replace(" 2 IN ", " 3 IN "));
}

#[test]
fn an_origin_that_does_not_fit_is_the_greatest() {
    let text = TEXT.replace("4475225112019346915", "99999999999999999999999");
    let description = Description::parse(&text).unwrap();
    assert_eq!(description.origin().session_id, u64::MAX);
    assert_eq!(description.to_string(), text);
}

#[test]
fn sections_inherit_from_the_session() {
    let description = example();
    let ufrag = |index| description.ice_parameters(index).map(|p| p.username_fragment);
    assert_eq!(ufrag(0).as_deref(), Some("media"));
    assert_eq!(ufrag(1).as_deref(), Some("sess"));
    assert_eq!(description.setup(0), Some(Setup::Active));
    assert_eq!(description.setup(1), Some(Setup::ActPass));
    let algorithms = |index| -> Vec<String> {
        description.fingerprints(index).into_iter().map(|f| f.algorithm).collect()
    };
    assert_eq!(algorithms(0), ["sha-256", "sha-512"]);
    assert_eq!(algorithms(1), ["sha-1"]);
    assert_eq!(description.direction(0), Direction::RecvOnly);
    assert_eq!(description.direction(1), Direction::SendOnly);
    assert_eq!(description.media()[1].direction(), Direction::SendRecv);
    assert_eq!(description.media()[1].explicit_direction(), None);
    assert!(description.has_ice_option(0, "trickle") && description.has_ice_option(0, "ice2"));
    assert!(!description.has_ice_option(1, "trickle") && description.has_ice_option(1, "ice2"));
    assert!(!description.has_ice_option(1, "ice"));
    assert!(description.end_of_candidates(0) && !description.end_of_candidates(1));
    assert!(description.ice_lite());
}

#[test]
fn half_of_the_ice_credentials_is_none() {
    let mut description = example();
    description.session_mut().remove_attributes("ice-pwd");
    assert!(description.ice_parameters(0).is_some());
    assert_eq!(description.ice_parameters(1), None);
}

#[test]
fn a_section_that_is_not_there_is_the_session() {
    let description = example();
    assert_eq!(description.setup(9), Some(Setup::ActPass));
    assert_eq!(description.media_by_mid("9"), None);
}

#[test]
fn sections_are_found_by_mid_after_changes_too() {
    let mut description = example();
    let index = |description: &Description, mid| description.media_by_mid(mid).map(|(i, _)| i);
    assert_eq!(index(&description, "1"), Some(1));
    description.media_mut()[1].set_attribute("mid", Some("audio"));
    assert_eq!((index(&description, "1"), index(&description, "audio")), (None, Some(1)));
    description.media_mut()[1].set_connection("IN IP4 0.0.0.0");
    assert_eq!(index(&description, "audio"), Some(1));
    description.media_mut()[0].remove_attributes("mid");
    assert_eq!(index(&description, "0"), None);
    description.media_mut()[0].push_attribute("mid", Some("data"));
    assert_eq!(index(&description, "data"), Some(0));
}

#[test]
fn the_bundle_group_is_replaced_where_it_stands() {
    let mut description = example();
    assert_eq!(description.bundle_groups(), [["0", "1"]]);
    description.set_bundle_group(&["1"]);
    assert_eq!(description.to_string(), TEXT.replace("BUNDLE 0 1", "BUNDLE 1"));
    description.set_bundle_group(&[]);
    assert_eq!(description.to_string(), TEXT.replace("a=group:BUNDLE 0 1\r\n", ""));
    description.session_mut().push_attribute("group", Some("LS 0 1"));
    description.session_mut().push_attribute("group", Some("BUNDLE 0"));
    description.session_mut().push_attribute("group", Some("BUNDLE 1"));
    assert_eq!(description.bundle_groups(), [["0"], ["1"]]);
    description.set_bundle_group(&["1", "0"]);
    let groups: Vec<&str> = description.session().attributes("group").collect();
    assert_eq!(groups, ["LS 0 1", "BUNDLE 1 0"]);
    let mut new = Description::new(1, 1);
    new.set_bundle_group(&["0"]);
    assert_eq!(new.session().attribute("group"), Some("BUNDLE 0"));
}

#[test]
fn lines_added_behind_a_last_line_without_ending_begin_a_line() {
    let open = TEXT.trim_end();
    let mut description = Description::parse(open).unwrap();
    description.push_media(Media::new("video", 0, "UDP/TLS/RTP/SAVPF", &["96"]));
    let written = description.to_string();
    assert_eq!(written, format!("{TEXT}m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"));
    assert_eq!(Description::parse(&written), Ok(description));
}

#[test]
fn no_value_can_add_a_line() {
    let mut description = Description::new(1, 1);
    description.session_mut().push_attribute("x", Some("y\r\na=evil"));
    description.session_mut().set_attribute("z", Some("\0"));
    description.push_media(Media::new("audio\n", 9, "RTP/AVP\r", &["0\na=evil"]));
    let written = description.to_string();
    assert!(written.ends_with("a=x:ya=evil\r\na=z:\r\nm=audio 9 RTP/AVP 0a=evil\r\n"), "{written}");
}
