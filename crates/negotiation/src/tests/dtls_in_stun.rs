//! `sped` and `googspedv1` in `a=ice-options` (draft-hancke-webrtc-sped-00).

use super::*;

fn peer(seed: u8, dtls_in_stun: DtlsInStun) -> Peer {
    let mut peer = Peer::new(seed);
    peer.session.set_dtls_in_stun(dtls_in_stun);
    peer.channel("dc");
    peer
}

fn options(peer: &Peer) -> String {
    attribute(peer.local().sdp(), "ice-options").expect("there are some")
}

/// Whether the transports that have got credentials were told so.
fn told(peer: &mut Peer) -> Vec<bool> {
    let told = |command: TransportCommand| match command {
        TransportCommand::SetLocalParameters { dtls_in_stun, .. } => Some(dtls_in_stun),
        _ => None,
    };
    peer.commands().into_iter().filter_map(told).collect()
}

#[test]
fn an_offer_says_it_and_an_answer_repeats_it() {
    use DtlsInStun::{Always, IfOffered, Never};
    let (plain, sped) = ("trickle ice2", "trickle ice2 sped googspedv1");
    for (offerer, answerer, offered, answered) in [
        (Always, Always, sped, sped),
        (Always, IfOffered, sped, sped),
        (Always, Never, sped, plain),
        (IfOffered, Always, plain, plain),
        (Never, Always, plain, plain),
        (Never, Never, plain, plain),
    ] {
        let (mut a, mut b) = (peer(1, offerer), peer(2, answerer));
        exchange(&mut a, &mut b);
        assert_eq!((&*options(&a), &*options(&b)), (offered, answered));
        assert_eq!((told(&mut a), told(&mut b)), (vec![offered == sped], vec![answered == sped]));
    }
}

#[test]
fn each_of_the_two_options_is_answered_by_itself() {
    for (removed, left) in [
        (" sped", "trickle ice2 googspedv1"),
        (" googspedv1", "trickle ice2 sped"),
        (" sped googspedv1", "trickle ice2"),
    ] {
        let mut a = peer(1, DtlsInStun::Always);
        let mut b = peer(2, DtlsInStun::IfOffered);
        let offer = a.create_offer();
        let mut offered = offer.clone();
        offered.sdp = offered.sdp.replace(removed, "");
        a.set_local(offer).unwrap();
        b.set_remote(offered).unwrap();
        let answer = b.create_answer();
        b.set_local(answer).unwrap();
        assert_eq!(options(&b), left);
        assert_eq!(told(&mut b), [left != "trickle ice2"]);
        assert_eq!(told(&mut a), [true], "the answer has no say in it");
    }
}

#[test]
fn restarts_of_either_side_repeat_it() {
    let (mut a, mut b) = (peer(1, DtlsInStun::Always), peer(2, DtlsInStun::IfOffered));
    exchange(&mut a, &mut b);
    let before = [options(&a), options(&b)];
    for offerer_is_a in [false, true] {
        let (offerer, answerer) = if offerer_is_a { (&mut a, &mut b) } else { (&mut b, &mut a) };
        offerer.session.restart_ice();
        exchange(offerer, answerer);
        assert_eq!([options(&a), options(&b)], before);
    }
}

/// An application may take the options out, as any other.
#[test]
fn an_edited_offer_counts() {
    let mut a = peer(1, DtlsInStun::Always);
    a.session.set_accepts_edited_descriptions(true);
    let mut offer = a.create_offer();
    offer.sdp = offer.sdp.replace(" sped googspedv1", "");
    a.set_local(offer).unwrap();
    assert_eq!(told(&mut a), [false]);
}
