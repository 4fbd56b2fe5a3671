//! The sample "perfect-negotiation": two peers that run the same code, change what they send at
//! any time, also at the same time, and end up with the same idea of it.
//!
//! Each has two transceivers for pictures and sends with one of them; a swap sends with the other
//! one. The first swap makes them. When both swap at once their offers cross: glare. The impolite
//! peer ignores what came. The polite one rolls its offer back and answers; what it wanted itself
//! is in the answer, as with later swaps, or `negotiationneeded` fires again and it offers it
//! again, as with the first. All of that is in `peerconnection::PerfectNegotiation`; here is only
//! what an application adds.

mod link;
mod party;

use std::fmt;

use futures::join;
use peerconnection::{
    Error, PerfectNegotiation, RTCPeerConnection, RTCPeerConnectionState, RTCSignalingState,
};
use serde::Serialize;

use super::{Pair, Peer, Transcript};
use link::{Gate, Link};
use party::Party;

pub use party::Counts;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who was polite.
    pub polite: Peer,
    /// How many times both swapped at once.
    pub rounds: usize,
    /// What `pc1` has seen.
    pub pc1: Counts,
    /// What `pc2` has seen.
    pub pc2: Counts,
}

impl Report {
    fn polite_and_impolite(&self) -> (&Counts, &Counts) {
        match self.polite {
            Peer::Pc1 => (&self.pc1, &self.pc2),
            Peer::Pc2 => (&self.pc2, &self.pc1),
        }
    }
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        let (polite, impolite) = self.polite_and_impolite();
        // A swap in two tasks can lead to more glare than was asked for.
        polite.collisions >= self.rounds
            && polite.rollbacks >= self.rounds
            && polite.ignored == 0
            && impolite.collisions >= self.rounds
            && impolite.rollbacks == 0
            && impolite.ignored >= self.rounds
            && polite.errors.is_empty()
            && impolite.errors.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (polite, impolite) = self.polite_and_impolite();
        writeln!(f, "rounds of glare: {}; after each of them both agreed", self.rounds)?;
        writeln!(f, "{:24}{:>10}{:>10}", "", "polite", "impolite")?;
        let mut row = |name: &str, count: fn(&Counts) -> usize| {
            writeln!(f, "{name:24}{:>10}{:>10}", count(polite), count(impolite))
        };
        row("negotiationneeded fired", |counts| counts.negotiationneeded)?;
        row("offers that collided", |counts| counts.collisions)?;
        row("own offers rolled back", |counts| counts.rollbacks)?;
        row("offers ignored", |counts| counts.ignored)?;
        row("track fired", |counts| counts.tracks)?;
        row("errors", |counts| counts.errors.len())?;
        write!(f, "(no pictures: media is negotiated, but not sent yet)")
    }
}

/// Lets both peers swap at once, `rounds` times, the polite and the impolite one first in turn,
/// then each alone. After each swap waits until both agree.
///
/// # Errors
/// What a call on a connection was refused with.
pub async fn run(
    pair: Pair,
    polite: Peer,
    rounds: usize,
    transcript: Transcript,
) -> Result<Report, Error> {
    let [pc1, pc2] = pair.clone();
    let party1 = Party::new(Peer::Pc1, polite == Peer::Pc1, pc1, &transcript);
    let party2 = Party::new(Peer::Pc2, polite == Peer::Pc2, pc2, &transcript);
    let ([link1, link2], gate) = Link::pair([party1.clone(), party2.clone()]);
    let negotiation = |party: &Party| {
        let party = party.clone();
        let pc = party.pc.clone();
        PerfectNegotiation::new(&pc, party.polite).on_error(move |error| party.failed(error))
    };
    let (negotiation1, negotiation2) = (negotiation(&party1), negotiation(&party2));
    let (events1, events2) = (pair[0].events(), pair[1].events());
    let (polite_party, impolite_party) =
        if party1.polite { (&party1, &party2) } else { (&party2, &party1) };
    let story = async {
        let told = tell([polite_party, impolite_party], rounds, &gate, &transcript).await;
        // Ends all the others.
        pair.iter().for_each(RTCPeerConnection::close);
        told
    };
    // What follows the events comes first, so that a message is not shown before its cause.
    let (.., signaled1, signaled2, told) = join!(
        party1.clone().follow(events1),
        party2.clone().follow(events2),
        negotiation1.run(link1),
        negotiation2.run(link2),
        story,
    );
    told?;
    signaled1.and(signaled2).map_err(|error| Error::OperationError(error.to_string()))?;
    Ok(Report { polite, rounds, pc1: party1.counts(), pc2: party2.counts() })
}

async fn tell(
    [polite, impolite]: [&Party; 2],
    rounds: usize,
    gate: &Gate,
    transcript: &Transcript,
) -> Result<(), Error> {
    for round in 1..=rounds {
        let both = if round % 2 == 1 { [polite, impolite] } else { [impolite, polite] };
        transcript.title(format!("both swap, {} first ({round} of {rounds})", both[0].name()));
        // Nothing arrives until both have made their offers: they are sure to cross.
        gate.hold();
        for party in both {
            party.swap_transceivers()?;
        }
        transcript
            .until(|| both.iter().all(|party| party.is(RTCSignalingState::HaveLocalOffer)))
            .await;
        gate.release();
        transcript.until(|| polite.agrees_with(impolite)).await;
    }
    for alone in [polite, impolite] {
        transcript.title(format!("{} swaps alone", alone.name()));
        alone.swap_transceivers()?;
        transcript.until(|| polite.agrees_with(impolite)).await;
    }
    let connected = RTCPeerConnectionState::Connected;
    transcript
        .until(|| [polite, impolite].iter().all(|party| party.pc.connection_state() == connected))
        .await;
    transcript.title("both agree and are connected");
    Ok(())
}
