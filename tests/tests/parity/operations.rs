//! Performing a step's operations and comparing their effects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use peerconnection::{
    Error, Promise, RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCIceCandidateInit,
    RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCPeerConnection, RTCRtpSender,
    RTCRtpTransceiver, RTCSdpType, RTCSessionDescriptionInit,
};
use serde_json::{Map, Value, json};
use testkit::{Conditions, World};

use crate::media::{self, Local};
use crate::state::{self, Names};
use crate::trace::{Step, Trace};

pub(crate) enum Verdict {
    Same,
    Different(String),
    /// The step needs an unsupported feature.
    Unsupported,
}

/// What an operation returned at once.
enum Returned {
    Ok,
    Skip,
    Thrown(Error),
    Unsupported,
}

pub(crate) type Entries = Arc<Mutex<Vec<Value>>>;
type Kept = Arc<Mutex<Option<RTCSessionDescriptionInit>>>;

struct Side {
    pc: RTCPeerConnection,
    channels: Vec<RTCDataChannel>,
    last_offer: Kept,
    last_answer: Kept,
    log: Entries,
    state: Value,
}

pub(crate) struct Replay {
    world: World,
    sides: BTreeMap<String, Side>,
    local: Local,
    names: Names,
}

impl Replay {
    pub(crate) fn new(trace: &Trace) -> Self {
        let mut world = World::new(trace.seed, Conditions::default());
        let configuration: RTCConfiguration =
            serde_json::from_value(trace.config.clone()).expect("a configuration");
        let local = Local::default();
        let mut sides = BTreeMap::new();
        for name in ["a", "b"] {
            let pc = world.add_peer(configuration.clone());
            let log = Entries::default();
            let entries = log.clone();
            pc.on_negotiationneeded(move |_| push(&entries, json!({"event": "negotiationneeded"})));
            let entries = log.clone();
            pc.on_signalingstatechange(move |event| {
                let state = event.target().signaling_state();
                let event = "signalingstatechange";
                push(&entries, json!({"event": event, "signalingState": state.as_str()}));
            });
            media::log_tracks(&pc, &log, &local);
            let state = state::of(&pc, &[], &local);
            let side = Side {
                pc,
                channels: Vec::new(),
                last_offer: Kept::default(),
                last_answer: Kept::default(),
                log,
                state,
            };
            sides.insert(name.to_owned(), side);
        }
        Self { world, sides, local, names: Names::default() }
    }

    pub(crate) fn step(&mut self, step: &Step) -> Verdict {
        for (index, (op, expected)) in step.ops.iter().zip(&step.returned).enumerate() {
            let returned = match self.perform(index, op) {
                Returned::Ok => "ok".to_owned(),
                Returned::Skip => "skip".to_owned(),
                Returned::Thrown(error) => error.name().to_owned(),
                Returned::Unsupported => return Verdict::Unsupported,
            };
            if returned != *expected {
                return Verdict::Different(format!(
                    "op {index} returned {returned}, not {expected}"
                ));
            }
        }
        self.world.settle();
        match self.compare(step) {
            Ok(()) => Verdict::Same,
            Err(difference) => Verdict::Different(difference),
        }
    }

    fn compare(&mut self, step: &Step) -> Result<(), String> {
        for (name, side) in &mut self.sides {
            // The state comes first: most names appear there for the first time, one by one.
            let now = state::of(&side.pc, &side.channels, &self.local);
            let states = match step.state.get(name) {
                Some(theirs) => state::same(&now, theirs, &mut self.names, name),
                None if now == side.state => Ok(()),
                None => Err(format!("{name} changed: {now}, was {}", side.state)),
            };
            let ours = std::mem::take(&mut *lock(&side.log));
            let (theirs, ordered) = match step.log.get(name) {
                Some(log) => (&*log.entries, log.ordered),
                None => (&[][..], true),
            };
            if !state::same_log(&ours, theirs, ordered, &mut self.names) {
                return Err(format!(
                    "log of {name}: {}, not {}",
                    Value::from(ours),
                    Value::from(theirs)
                ));
            }
            states?;
            side.state = now;
        }
        Ok(())
    }

    fn perform(&mut self, index: usize, op: &Map<String, Value>) -> Returned {
        let word = |key: &str| op.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, what) = (word("pc"), word("what"));
        let other = if name == "a" { "b" } else { "a" };
        let their_description = self.sides.get(other).and_then(|side| side.pc.local_description());
        let Some(side) = self.sides.get_mut(name) else { return Returned::Unsupported };
        match word("op") {
            "createDataChannel" => {
                let mut init = RTCDataChannelInit::default();
                if let Some(id) = op.get("id").and_then(Value::as_u64) {
                    init.negotiated = true;
                    init.id = u16::try_from(id).ok();
                }
                match side.pc.create_data_channel(word("label"), init) {
                    Ok(channel) => side.channels.push(channel),
                    Err(error) => return Returned::Thrown(error),
                }
            }
            "restartIce" => side.pc.restart_ice(),
            "close" => side.pc.close(),
            "createOffer" => {
                let ice_restart = op.get("iceRestart").and_then(Value::as_bool).unwrap_or(false);
                let options = RTCOfferOptions { ice_restart, ..RTCOfferOptions::default() };
                keep(index, side.pc.create_offer(options), &side.log, &side.last_offer);
            }
            "createAnswer" => {
                keep(index, side.pc.create_answer(None), &side.log, &side.last_answer);
            }
            "setLocal" => {
                let description = match what {
                    "implicit" => None,
                    "lastOffer" => kept(&side.last_offer, None),
                    "lastAnswer" => kept(&side.last_answer, None),
                    "lastAnswerAsPranswer" => kept(&side.last_answer, Some(RTCSdpType::Pranswer)),
                    "rollback" => Some(description(RTCSdpType::Rollback, String::new())),
                    _ => return Returned::Unsupported,
                };
                if description.is_none() && what != "implicit" {
                    return Returned::Skip;
                }
                let description = description
                    .map(|d| RTCLocalSessionDescriptionInit { type_: Some(d.type_), sdp: d.sdp });
                log_settled(index, side.pc.set_local_description(description), &side.log);
            }
            "setRemote" => {
                let description = match (what, their_description) {
                    ("rollback", _) => description(RTCSdpType::Rollback, String::new()),
                    (_, None) => return Returned::Skip,
                    ("peerLocal", Some(theirs)) => {
                        description(theirs.type_(), without_candidates(theirs.sdp()))
                    }
                    ("peerLocalAsPranswer", Some(theirs)) => {
                        description(RTCSdpType::Pranswer, without_candidates(theirs.sdp()))
                    }
                    _ => return Returned::Unsupported,
                };
                log_settled(index, side.pc.set_remote_description(description), &side.log);
            }
            "addIceCandidate" => {
                let Some(candidate) = candidate(word("candidate"), &side.pc) else {
                    return Returned::Unsupported;
                };
                log_settled(index, side.pc.add_ice_candidate(candidate), &side.log);
            }
            "addTransceiver" => {
                let init = media::init(op, &self.local);
                let added = match op.get("track") {
                    Some(_) => side.pc.add_transceiver(self.local.track(op), init),
                    None => side.pc.add_transceiver(media::kind(op), init),
                };
                if let Err(error) = added {
                    return Returned::Thrown(error);
                }
            }
            "addTrack" => {
                let added = side.pc.add_track(self.local.track(op), self.local.streams(op));
                if let Err(error) = added {
                    return Returned::Thrown(error);
                }
            }
            "removeTrack" => {
                return on_sender(&side.pc, op, |sender| side.pc.remove_track(sender));
            }
            "setStreams" => {
                return on_sender(&side.pc, op, |s| s.set_streams(self.local.streams(op)));
            }
            "replaceTrack" => {
                return on_sender(&side.pc, op, |sender| {
                    let track = op.get("track").filter(|track| !track.is_null());
                    let track = track.map(|_| self.local.track(op));
                    log_settled(index, sender.replace_track(track), &side.log);
                    Ok(())
                });
            }
            "setDirection" => {
                let Ok(direction) = word("direction").parse() else { return Returned::Unsupported };
                return on_transceiver(&side.pc, op, |t| t.set_direction(direction));
            }
            "stop" => return on_transceiver(&side.pc, op, RTCRtpTransceiver::stop),
            _ => return Returned::Unsupported,
        }
        Returned::Ok
    }
}

fn at<T: Clone>(list: &[T], op: &Map<String, Value>, key: &str) -> Option<T> {
    let index = usize::try_from(op.get(key)?.as_u64()?).ok()?;
    list.get(index).cloned()
}

fn on_sender(
    pc: &RTCPeerConnection,
    op: &Map<String, Value>,
    call: impl FnOnce(&RTCRtpSender) -> Result<(), Error>,
) -> Returned {
    match at(&pc.get_senders(), op, "sender").map(|sender| call(&sender)) {
        None => Returned::Skip,
        Some(Ok(())) => Returned::Ok,
        Some(Err(error)) => Returned::Thrown(error),
    }
}

fn on_transceiver(
    pc: &RTCPeerConnection,
    op: &Map<String, Value>,
    call: impl FnOnce(&RTCRtpTransceiver) -> Result<(), Error>,
) -> Returned {
    match at(&pc.get_transceivers(), op, "transceiver").map(|transceiver| call(&transceiver)) {
        None => Returned::Skip,
        Some(Ok(())) => Returned::Ok,
        Some(Err(error)) => Returned::Thrown(error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn push(entries: &Entries, entry: Value) {
    lock(entries).push(entry);
}

fn log_settled(op: usize, promise: Promise<()>, log: &Entries) {
    let log = log.clone();
    promise.then(move |result| {
        let settled = result.as_ref().map_or_else(Error::name, |()| "ok");
        // This crate rejects the pending promises of a closed connection; browsers log none.
        if !is_of_a_closed_connection(&result) {
            push(&log, json!({"op": op, "settled": settled}));
        }
    });
}

fn keep(op: usize, promise: Promise<RTCSessionDescriptionInit>, log: &Entries, kept: &Kept) {
    let (log, kept) = (log.clone(), kept.clone());
    promise.then(move |result| {
        let settled = result.as_ref().map_or_else(Error::name, |_| "ok");
        if !is_of_a_closed_connection(&result) {
            push(&log, json!({"op": op, "settled": settled}));
        }
        if let Ok(description) = result {
            *lock(&kept) = Some(description);
        }
    });
}

fn is_of_a_closed_connection<T>(result: &Result<T, Error>) -> bool {
    let Err(Error::InvalidStateError(message)) = result else { return false };
    message == "the connection is closed"
}

fn description(type_: RTCSdpType, sdp: String) -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_, sdp }
}

fn kept(kept: &Kept, type_: Option<RTCSdpType>) -> Option<RTCSessionDescriptionInit> {
    let mut description = lock(kept).clone()?;
    description.type_ = type_.unwrap_or(description.type_);
    Some(description)
}

fn without_candidates(sdp: &str) -> String {
    sdp.split_inclusive("\r\n")
        .filter(|l| !l.starts_with("a=candidate") && !l.starts_with("a=end-of-candidates"))
        .collect()
}

/// The argument of addIceCandidate, `None` within for `null`.
fn candidate(what: &str, pc: &RTCPeerConnection) -> Option<Option<RTCIceCandidateInit>> {
    let mid = pc
        .remote_description()
        .and_then(|d| d.sdp().lines().find_map(|l| l.strip_prefix("a=mid:")).map(str::to_owned))
        .unwrap_or_else(|| "0".to_owned());
    let line = "candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host".to_owned();
    let valid = RTCIceCandidateInit {
        candidate: line,
        sdp_mid: Some(mid),
        sdp_mline_index: None,
        username_fragment: None,
    };
    let candidate = match what {
        "valid" => valid,
        "byIndex" => RTCIceCandidateInit { sdp_mid: None, sdp_mline_index: Some(0), ..valid },
        "end" => RTCIceCandidateInit { candidate: String::new(), ..valid },
        "null" => return Some(None),
        "badMid" => RTCIceCandidateInit { sdp_mid: Some("no-such-mid".to_owned()), ..valid },
        "badIndex" => RTCIceCandidateInit { sdp_mid: None, sdp_mline_index: Some(99), ..valid },
        "noMid" => RTCIceCandidateInit { sdp_mid: None, ..valid },
        "badUfrag" => {
            RTCIceCandidateInit { username_fragment: Some("no-such-ufrag".to_owned()), ..valid }
        }
        "garbage" => RTCIceCandidateInit { candidate: "garbage".to_owned(), ..valid },
        _ => return None,
    };
    Some(Some(candidate))
}
