//! Our agent and libnice's, over real sockets on loopback.
//!
//! `cargo test -p peerconnection-ice --test libnice -- --ignored`, with `libnice-dev`, `pkg-config`
//! and `cc`.

mod host;
mod peer;

use std::time::Duration;

use host::Call;
use peerconnection_ice::{Role, State};

const fn s(value: u64) -> Duration {
    Duration::from_secs(value)
}

fn connected(role: Role, is_tcp: bool, options: &[&str]) -> Call {
    let mut call = Call::new(role, is_tcp, options);
    call.negotiate(role == Role::Controlling);
    let is_connected =
        |call: &Call| call.agent.selected_path().is_some() && call.libnice_is("ready");
    assert!(call.run_until(s(10), is_connected), "{:?}", call.trace);
    call
}

/// Every packet of data was sent when it should be, and came back.
fn assert_unbroken(call: &mut Call) {
    call.end_stream();
    assert_eq!((call.stuck, call.refused), (0, 0), "{:?}", call.trace);
    assert_eq!(call.returned.len(), call.sent as usize, "{:?}", call.trace);
    assert_eq!(call.agent.state(), State::Connected, "{:?}", call.trace);
}

/// Connects, and restarts twice while data goes to libnice and back.
fn connect_and_restart(role: Role, is_tcp: bool, we_restart: bool) {
    let mut call = connected(role, is_tcp, &[]);
    call.begin_stream();
    call.run_for(s(1));
    for _ in 0..2 {
        let before = call.agent.selected_path();
        call.negotiate(we_restart);
        let moved = |call: &Call| call.agent.selected_path() != before;
        assert!(call.run_until(s(10), moved), "{:?}", call.trace);
        call.run_for(s(1));
    }
    assert_unbroken(&mut call);
}

macro_rules! cases {
    ($($name:ident: $role:ident, $is_tcp:literal, $we_restart:literal;)*) => {
        $(
            #[test]
            #[ignore = "needs libnice-dev, pkg-config and cc"]
            fn $name() {
                connect_and_restart(Role::$role, $is_tcp, $we_restart);
            }
        )*
    };
}

cases! {
    we_control_and_restart: Controlling, false, true;
    we_control_and_libnice_restarts: Controlling, false, false;
    libnice_controls_and_restarts: Controlled, false, false;
    libnice_controls_and_we_restart: Controlled, false, true;
    over_tcp_we_control_and_restart: Controlling, true, true;
    over_tcp_we_control_and_libnice_restarts: Controlling, true, false;
    over_tcp_libnice_controls_and_restarts: Controlled, true, false;
    over_tcp_libnice_controls_and_we_restart: Controlled, true, true;
}

/// Longer than the 30 s of RFC 7675 §5.1.
const LONGER_THAN_CONSENT: Duration = s(40);

/// What libnice can do about its peer: nothing, checks as keepalives, consent.
const LIVENESS: [&[&str]; 3] = [&[], &["conncheck"], &["consent"]];

#[test]
#[ignore = "needs libnice-dev, pkg-config and cc"]
fn consent_is_given_by_both() {
    std::thread::scope(|scope| {
        for (options, role) in
            LIVENESS.into_iter().zip([Role::Controlling, Role::Controlled, Role::Controlled])
        {
            scope.spawn(move || {
                let mut call = connected(role, false, options);
                call.begin_stream();
                call.run_for(LONGER_THAN_CONSENT);
                assert_unbroken(&mut call);
                assert!(call.libnice_is("ready"), "{:?}", call.trace);
            });
        }
    });
}

/// RFC 7675 §5.1 has consent expire after 30 s. When our checks come again libnice says that it is
/// ready, and yet sends nothing.
#[test]
#[ignore = "needs libnice-dev, pkg-config and cc"]
fn libnice_that_asks_for_consent_loses_it_after_10_s_until_a_restart() {
    let mut call = connected(Role::Controlling, false, &["consent"]);
    call.is_mute = true;
    call.run_for(s(9));
    assert!(call.libnice_is("ready"), "{:?}", call.trace);
    assert!(call.run_until(s(3), |call| call.libnice_is("failed")), "{:?}", call.trace);
    call.is_mute = false;
    let is_back = |call: &Call| call.agent.state() == State::Connected && call.libnice_is("ready");
    assert!(call.run_until(s(5), is_back), "{:?}", call.trace);
    call.begin_stream();
    call.run_for(s(1));
    call.end_stream();
    assert!(call.unsent > 0 && call.returned.is_empty(), "{:?}", call.trace);
    let before = call.agent.selected_path();
    call.negotiate(true);
    let moved = |call: &Call| call.agent.selected_path() != before && call.libnice_is("ready");
    assert!(call.run_until(s(10), moved), "{:?}", call.trace);
    call.sent = 0;
    call.begin_stream();
    call.run_for(s(1));
    assert_unbroken(&mut call);
}
