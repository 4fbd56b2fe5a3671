//! Server-reflexive addresses.

use stun_types::attribute::{AttributeType, MappedSocketAddr, XorMappedAddress};
use stun_types::message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec};
use time::Instant;

use super::world::{SERVER, address, five_tuple, ms, secs};
use crate::{Binding, BindingEvent, Config, FiveTuple, Protocol, ServerError};

fn asking(now: Instant) -> Binding {
    let mut binding = Binding::new(Config::default(), five_tuple(Protocol::Udp), [3; 32]);
    binding.start(now);
    binding
}

fn answer(request: &[u8], mapped: &str) -> Vec<u8> {
    let request = Message::from_bytes(request).unwrap();
    let mut answer = Message::builder_success(&request, MessageWriteVec::new());
    let id = request.transaction_id();
    answer.add_attribute(&XorMappedAddress::new(address(mapped), id)).unwrap();
    answer.finish()
}

#[test]
fn a_server_says_who_we_are_in_either_family() {
    let now = Instant::now();
    for (server, mapped) in
        [(SERVER, "203.0.113.5:61000"), ("[2001:db8::1]:3478", "[2001:db8:5::1]:61000")]
    {
        let server = address(server);
        let five_tuple = FiveTuple { server, ..five_tuple(Protocol::Udp) };
        let mut binding = Binding::new(Config::default(), five_tuple, [3; 32]);
        binding.start(now);
        binding.start(now);
        let request = binding.poll_transmit().unwrap();
        assert_eq!(binding.poll_transmit(), None);
        assert!(binding.handle_message(now, server, &answer(&request, mapped)));
        assert_eq!(binding.poll_event(), Some(BindingEvent::Mapped(address(mapped))));
        assert_eq!(binding.mapped_address(), Some(address(mapped)));
        // Repeated, it is not ours any more.
        assert!(!binding.handle_message(now, server, &answer(&request, mapped)));
        assert_eq!(binding.poll_event(), None);
    }
}

#[test]
fn an_answer_is_taken_from_the_server_that_was_asked_alone() {
    let now = Instant::now();
    let mut binding = asking(now);
    let request = binding.poll_transmit().unwrap();
    let right = answer(&request, "203.0.113.5:61000");
    for source in ["192.0.2.1:3479", "192.0.2.9:3478", "[2001:db8::1]:3478"] {
        assert!(!binding.handle_message(now, address(source), &right));
    }
    let mut other = right.clone();
    other[10] ^= 1;
    assert!(!binding.handle_message(now, address(SERVER), &other));
    assert!(!binding.handle_message(now, address(SERVER), &request));
    assert_eq!(binding.poll_event(), None);
    assert!(binding.handle_message(now, address(SERVER), &right));
}

#[test]
fn requests_go_out_at_the_times_of_rfc_8489_until_the_deadline() {
    let start = Instant::now();
    let mut binding = asking(start);
    let mut times = Vec::new();
    while let Some(at) = binding.poll_timeout() {
        binding.handle_timeout(at);
        while binding.poll_transmit().is_some() {
            times.push((at - start).as_millis());
        }
    }
    // The first is sent at 0 and drained with the second.
    assert_eq!(times, [500, 500, 1_500, 3_500, 7_500]);
    let Some(BindingEvent::Failed(error)) = binding.poll_event() else { panic!("not failed") };
    assert_eq!((error.code, error.server), (ServerError::UNREACHABLE, address(SERVER)));
}

#[test]
fn the_whole_schedule_takes_39_5_seconds() {
    let start = Instant::now();
    let config = Config { deadline: secs(60), ..Config::default() };
    let mut binding = Binding::new(config, five_tuple(Protocol::Udp), [3; 32]);
    binding.start(start);
    let mut last = start;
    while let Some(at) = binding.poll_timeout() {
        last = at;
        binding.handle_timeout(at);
    }
    assert_eq!(last - start, ms(39_500));
    assert!(matches!(binding.poll_event(), Some(BindingEvent::Failed(_))));
}

#[test]
fn the_mapping_is_kept_and_another_one_is_told() {
    let mut now = Instant::now();
    let mut binding = asking(now);
    let request = binding.poll_transmit().unwrap();
    binding.handle_message(now, address(SERVER), &answer(&request, "203.0.113.5:61000"));
    binding.poll_event().unwrap();
    for round in 0..10 {
        let at = binding.poll_timeout().unwrap();
        assert_eq!(at - now, secs(15));
        now = at;
        binding.handle_timeout(now);
        let request = binding.poll_transmit().unwrap();
        let mapped = if round < 5 { "203.0.113.5:61000" } else { "203.0.113.5:61001" };
        binding.handle_message(now, address(SERVER), &answer(&request, mapped));
        let expected = (round == 5).then(|| BindingEvent::Mapped(address(mapped)));
        assert_eq!(binding.poll_event(), expected);
    }
}

#[test]
fn a_server_that_falls_silent_later_changes_nothing() {
    let mut now = Instant::now();
    let mut binding = asking(now);
    let request = binding.poll_transmit().unwrap();
    binding.handle_message(now, address(SERVER), &answer(&request, "203.0.113.5:61000"));
    binding.poll_event().unwrap();
    let end = now + secs(600);
    let mut sent = 0;
    while let Some(at) = binding.poll_timeout().filter(|at| *at < end) {
        now = at;
        binding.handle_timeout(now);
        sent += std::iter::from_fn(|| binding.poll_transmit()).count();
    }
    assert_eq!(binding.poll_event(), None);
    // Every 15 s, and four repetitions in between.
    assert!((39 * 4..=39 * 5).contains(&sent), "{sent}");
}

#[test]
fn an_old_server_without_xor_is_understood() {
    let now = Instant::now();
    let mut binding = asking(now);
    let request = binding.poll_transmit().unwrap();
    let request = Message::from_bytes(&request).unwrap();
    let mut old = Message::builder_success(&request, MessageWriteVec::new());
    let mapped = MappedSocketAddr::new(address("203.0.113.5:61000"));
    old.add_attribute(&mapped.to_raw(AttributeType::new(1))).unwrap();
    assert!(binding.handle_message(now, address(SERVER), &old.finish()));
    let expected = BindingEvent::Mapped(address("203.0.113.5:61000"));
    assert_eq!(binding.poll_event(), Some(expected));
}

#[test]
fn a_refusal_is_told_and_an_alternate_server_named() {
    let now = Instant::now();
    for (code, alternate) in
        [(400, None), (300, Some("198.51.100.7:3478")), (300, Some("127.0.0.1:3478"))]
    {
        let mut binding = asking(now);
        let request = binding.poll_transmit().unwrap();
        let request = Message::from_bytes(&request).unwrap();
        let mut error = Message::builder_error(&request, MessageWriteVec::new());
        let reason = stun_types::attribute::ErrorCode::new(code, "No\0").unwrap();
        error.add_attribute(&reason).unwrap();
        if let Some(alternate) = alternate {
            let server = stun_types::attribute::AlternateServer::new(address(alternate));
            error.add_attribute(&server).unwrap();
        }
        assert!(binding.handle_message(now, address(SERVER), &error.finish()));
        match binding.poll_event() {
            Some(BindingEvent::Failed(error)) => {
                assert_eq!((error.code, error.reason.as_str()), (code, "No"));
                assert_ne!(alternate, Some("198.51.100.7:3478"));
            }
            Some(BindingEvent::AlternateServer(named)) => {
                assert_eq!(Some(named.server), alternate.map(address));
                assert_eq!(alternate, Some("198.51.100.7:3478"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(binding.poll_timeout(), None);
    }
}

#[test]
fn after_close_nothing_is_sent_or_told() {
    let now = Instant::now();
    let mut binding = asking(now);
    binding.close();
    assert_eq!((binding.poll_transmit(), binding.poll_timeout()), (None, None));
    binding.start(now);
    assert_eq!((binding.poll_transmit(), binding.poll_event()), (None, None));
}
