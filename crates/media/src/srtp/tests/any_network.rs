//! Networks that lose, reorder, repeat and forge: every packet comes at most once, and right.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::window::SIZE;
use super::*;

/// What becomes of one packet.
#[derive(Debug, Clone, Copy)]
struct Fate {
    /// How far the sequence number is from the last one.
    step: u64,
    lost: bool,
    /// After how many other packets it comes, and its second copy.
    delay: u16,
    repeated: Option<u16>,
    forged: bool,
}

fn fate() -> impl Strategy<Value = Fate> {
    let step = prop_oneof![60 => Just(1), 5 => 2..2_000_u64, 1 => 2_000..32_768_u64];
    let delay = prop_oneof![6 => Just(0), 3 => 1..6_u16, 1 => 6..80_u16];
    let repeated = prop::option::weighted(0.2, 0..60_u16);
    (step, prop::bool::weighted(0.2), delay, repeated, prop::bool::weighted(0.1)).prop_map(
        |(step, lost, delay, repeated, forged)| Fate { step, lost, delay, repeated, forged },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_packet_comes_at_most_once_and_right(
        profile in 0..3_usize,
        first in prop_oneof![Just(65_535_u64), 65_500..65_536_u64, 0..65_536_u64],
        fates in prop::collection::vec(fate(), 1..80),
    ) {
        let (mut sender, mut receiver) = ends(PROFILES[profile], 1);
        let mut arrivals = Vec::new();
        let mut number = first;
        for (sent, fate) in (0..).zip(&fates) {
            let packet = protect(&mut sender, &rtp(9, number));
            if fate.forged {
                let mut forged = packet.clone();
                let last = forged.len() - 1;
                forged[last] ^= 1;
                arrivals.push((sent + fate.delay, None, forged));
            }
            if !fate.lost {
                arrivals.push((sent + fate.delay, Some(number), packet.clone()));
            }
            if let Some(delay) = fate.repeated {
                arrivals.push((sent + delay, Some(number), packet));
            }
            number += fate.step;
        }
        arrivals.sort_by_key(|(at, ..)| *at);

        let mut taken = BTreeSet::new();
        for (_, number, packet) in arrivals {
            let received = unprotect(&mut receiver, &packet);
            let Some(number) = number else {
                prop_assert!(received.is_err());
                continue;
            };
            if let Ok(packet) = &received {
                prop_assert_eq!(packet, &rtp(9, number));
                prop_assert!(taken.insert(number), "{} came twice", number);
                continue;
            }
            // Whatever is refused came before, or is too far from what did.
            let is_near = taken.last().is_none_or(|highest: &u64| {
                number < highest + 0x8000 && number + SIZE > *highest
            });
            // A first packet must be of the first two turns.
            let is_early = !taken.is_empty() || number < 2 * 65_536;
            let is_due = is_near && is_early && !taken.contains(&number);
            prop_assert!(!is_due, "{} was refused: {:?}", number, received);
        }
    }
}
