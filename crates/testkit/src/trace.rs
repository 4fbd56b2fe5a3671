//! What happened to a connection.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peerconnection::{AnyEvent, RTCPeerConnection};

use crate::WorldHandle;

/// Records the events of a connection as short words, `signaling:stable` for instance. Cheap to
/// clone; clones share what is recorded.
///
/// | word | event |
/// |---|---|
/// | `negotiationneeded`, `datachannel`, `bufferedamountlow` | the event of that name |
/// | `signaling:…`, `ice:…`, `gathering:…`, `connection:…` | the connection's state of that kind |
/// | `t-ice:…`, `t-gathering:…`, `dtls:…`, `sctp:…`, `channel:…` | the state of such an object |
/// | `candidate`, `end`, `null` | `icecandidate`: with a candidate, the last of a generation, `null` |
/// | `pair`, `no-pair` | `selectedcandidatepairchange` |
/// | `track:…`, `mute:…`, `unmute:…`, `ended:…`, `addtrack:…`, `removetrack:…` | with the kind of the track |
/// | `tone:…`, `dtls-error:…`, `channel-error:…` | with the tone or the `errorDetail` |
///
/// Any other event is its `Debug` form. Printed, a trace shows everything since the beginning, an event a line, with the milliseconds at
/// which it happened:
///
/// ```
/// use testkit::{Conditions, Trace, World};
///
/// let mut world = World::new(1, Conditions::default());
/// let pc = world.add_peer(Default::default());
/// let trace = Trace::of(&world.handle(), &pc);
/// pc.create_data_channel("chat", None).unwrap();
/// world.settle();
/// assert_eq!(trace.to_string(), "     0.0 negotiationneeded\n");
/// ```
#[derive(Clone)]
pub struct Trace {
    recorded: Arc<Mutex<Recorded>>,
}

#[derive(Default)]
struct Recorded {
    /// With the time since the beginning of the world.
    words: Vec<(Duration, String)>,
    /// How many of them have been taken.
    taken: usize,
}

impl Trace {
    /// Records from now on.
    ///
    /// ```
    /// use testkit::{Pair, Trace};
    ///
    /// let pair = Pair::new(1);
    /// let traces = [&pair.a, &pair.b].map(|pc| Trace::of(&pair.handle(), pc));
    /// ```
    pub fn of(world: &WorldHandle, pc: &RTCPeerConnection) -> Self {
        let trace = Self { recorded: Arc::default() };
        let (into, mut events, clock) = (trace.clone(), pc.events(), world.clone());
        world.spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                into.lock().words.push((clock.elapsed(), word(&event)));
            }
        });
        trace
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was recorded since the last time.
    ///
    /// ```
    /// use testkit::{Pair, Trace};
    ///
    /// let (mut pair, ..) = Pair::connected(1);
    /// let trace = Trace::of(&pair.handle(), &pair.b);
    /// pair.a.close();
    /// pair.world.run_for(std::time::Duration::from_millis(10));
    /// assert!(trace.take().contains(&"dtls:closed".to_owned()));
    /// assert!(trace.take().is_empty());
    /// ```
    pub fn take(&self) -> Vec<String> {
        let mut recorded = self.lock();
        let Recorded { words, taken } = &mut *recorded;
        let from = std::mem::replace(taken, words.len());
        words.iter().skip(from).map(|(_, word)| word.clone()).collect()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in &self.lock().words {
            writeln!(f, "{:8.1} {word}", at.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}

fn word(event: &AnyEvent) -> String {
    match event {
        AnyEvent::NegotiationNeeded => "negotiationneeded".to_owned(),
        AnyEvent::SignalingStateChange(state) => format!("signaling:{state}"),
        AnyEvent::IceCandidate(None) => "null".to_owned(),
        AnyEvent::IceCandidate(Some(c)) if c.candidate().is_empty() => "end".to_owned(),
        AnyEvent::IceCandidate(Some(_)) => "candidate".to_owned(),
        AnyEvent::IceConnectionStateChange(state) => format!("ice:{state}"),
        AnyEvent::IceGatheringStateChange(state) => format!("gathering:{state}"),
        AnyEvent::ConnectionStateChange(state) => format!("connection:{state}"),
        AnyEvent::DataChannel(_) => "datachannel".to_owned(),
        AnyEvent::IceTransportStateChange(_, state) => format!("t-ice:{state}"),
        AnyEvent::IceTransportGatheringStateChange(_, state) => format!("t-gathering:{state}"),
        AnyEvent::SelectedCandidatePairChange(_, Some(_)) => "pair".to_owned(),
        AnyEvent::SelectedCandidatePairChange(_, None) => "no-pair".to_owned(),
        AnyEvent::DtlsTransportStateChange(_, state) => format!("dtls:{state}"),
        AnyEvent::SctpTransportStateChange(_, state) => format!("sctp:{state}"),
        AnyEvent::DataChannelStateChange(_, state) => format!("channel:{state}"),
        AnyEvent::BufferedAmountLow(_) => "bufferedamountlow".to_owned(),
        AnyEvent::Track(transceiver, _) => {
            format!("track:{}", transceiver.receiver().track().kind())
        }
        AnyEvent::MediaStreamTrackMute(track) => format!("mute:{}", track.kind()),
        AnyEvent::MediaStreamTrackUnmute(track) => format!("unmute:{}", track.kind()),
        AnyEvent::MediaStreamTrackEnded(track) => format!("ended:{}", track.kind()),
        AnyEvent::MediaStreamAddTrack(_, track) => format!("addtrack:{}", track.kind()),
        AnyEvent::MediaStreamRemoveTrack(_, track) => format!("removetrack:{}", track.kind()),
        AnyEvent::DtmfToneChange(_, tone) => format!("tone:{tone}"),
        AnyEvent::DtlsTransportError(_, error) => format!("dtls-error:{}", error.error_detail),
        AnyEvent::DataChannelError(_, error) => format!("channel-error:{}", error.error_detail),
        other => format!("{other:?}"),
    }
}
