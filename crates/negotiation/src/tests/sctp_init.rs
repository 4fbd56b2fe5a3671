//! `a=sctp-init` (draft-hancke-tsvwg-snap-00).

use super::*;

fn make(tag: u32, initial_tsn: u32) -> Option<sdp::SctpInit> {
    let mut chunk = vec![1, 0, 0, 20];
    chunk.extend(tag.to_be_bytes());
    chunk.extend([0, 16, 0, 0, 255, 255, 255, 255]);
    chunk.extend(initial_tsn.to_be_bytes());
    sdp::SctpInit::new(chunk).ok()
}

fn peer(seed: u8, offers: bool) -> Peer {
    let mut peer = Peer::new(seed);
    peer.session.set_sctp_init_source(Some(SctpInitSource { offers, make }));
    peer
}

/// Two peers, of which the first offers a channel and the line, after their first exchange.
fn exchanged() -> (Peer, Peer) {
    let (mut a, mut b) = (peer(1, true), peer(2, false));
    a.channel("dc");
    exchange(&mut a, &mut b);
    (a, b)
}

fn line(description: &RTCSessionDescription) -> Option<String> {
    attribute(description.sdp(), "sctp-init")
}

/// The INIT chunks with which a peer starts associations.
fn started(peer: &mut Peer) -> Vec<Option<SctpInits>> {
    let inits = |command: TransportCommand| match command {
        TransportCommand::StartSctp { inits, .. } => Some(inits),
        _ => None,
    };
    peer.commands().into_iter().filter_map(inits).collect()
}

#[test]
fn both_sides_start_with_the_chunks_of_both_descriptions() {
    let (mut a, mut b) = exchanged();
    let [of_a, of_b] = [&a, &b].map(|peer| line(&peer.local()).unwrap());
    assert_ne!(of_a, of_b);
    for (peer, own, other) in [(&mut a, &of_a, &of_b), (&mut b, &of_b, &of_a)] {
        let [inits] = <[Option<SctpInits>; 1]>::try_from(started(peer)).expect("one association");
        let inits = inits.expect("it has the chunks");
        assert_eq!(make(inits.tag, inits.initial_tsn).unwrap().to_string(), *own);
        assert_eq!(inits.peer.to_string(), *other);
    }
    // It is the last line of its section.
    assert!(a.local().sdp().trim_end().ends_with(&of_a), "{}", a.local().sdp());
    // Later offers of either side and answers to them repeat it, and start nothing.
    for offerer_is_a in [true, false, true] {
        let (offerer, answerer) = if offerer_is_a { (&mut a, &mut b) } else { (&mut b, &mut a) };
        offerer.session.restart_ice();
        exchange(offerer, answerer);
        assert_eq!([&a, &b].map(|peer| line(&peer.local()).unwrap()), [of_a.clone(), of_b.clone()]);
        assert!(started(&mut a).is_empty() && started(&mut b).is_empty());
    }
}

#[test]
fn a_line_that_is_not_offered_is_not_answered_and_an_association_stays_without_it() {
    // The second offers lines in general, and knows them in answers.
    let (mut a, mut b) = (peer(1, false), peer(2, true));
    a.channel("dc");
    exchange(&mut a, &mut b);
    assert_eq!((line(&a.local()), line(&b.local())), (None, None));
    assert_eq!((started(&mut a), started(&mut b)), (vec![None], vec![None]));
    exchange(&mut b, &mut a);
    assert_eq!((line(&a.local()), line(&b.local())), (None, None));

    // Neither is one that the peer drops.
    let (mut a, mut b) = (peer(1, true), Peer::new(2));
    a.channel("dc");
    exchange(&mut a, &mut b);
    assert!(line(&a.local()).is_some());
    assert_eq!((started(&mut a), started(&mut b)), (vec![None], vec![None]));
    exchange(&mut a, &mut b);
    assert_eq!(line(&a.local()), None);
}

#[test]
fn a_line_may_be_created_again_and_rolled_back_but_not_edited() {
    let (mut a, mut b) = (peer(1, true), peer(2, false));
    a.channel("dc");
    let offers = [a.create_offer(), a.create_offer()];
    let [one, two] = offers.clone().map(|offer| attribute(&offer.sdp, "sctp-init").unwrap());
    assert_eq!(one, two);
    a.session.set_accepts_edited_descriptions(true);
    let [_, mut offer] = offers;
    offer.sdp = offer.sdp.replace(&format!("a=sctp-init:{two}\r\n"), "");
    let refused = a.set_local(offer).unwrap_err();
    assert_eq!(refused.name(), "InvalidModificationError");

    a.set_local_implicitly().unwrap();
    a.set_local(rollback()).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(line(&a.local()), Some(one));
    assert!(matches!(started(&mut a).as_slice(), [Some(_)]));
}
