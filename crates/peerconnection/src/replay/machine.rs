//! A connection that is told again what it was told.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use idl::{Error, RTCRtpSendParameters};
use negotiation::{ChannelId, TransceiverId, TransportId};
use time::{Duration, Instant};
use transport::MessageKind;

use super::ReplayError;
use super::packets::Packets;
use crate::api::{
    AnyEvent, ChannelObject, MediaStream, MediaStreamTrack, RTCCertificate, RTCConfiguration,
    RTCPeerConnection, RTCRtpTransceiver, RTCRtpTransceiverInit, RTCStatsReport, TrackOrKind,
    TransceiverObject, undefined,
};
use crate::engine::{ConnectionId, Delivery, Engine, GenerationId, SocketId};
use crate::host::{Driver, Host};
use crate::recording::format::{Certificate, Configuration, Header, Input, Line, Octets, Track};
use crate::recording::{Difference, Recorder, replay_time};

/// The longest that a recording may take. Sums of times stay far from what the clock can hold.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A clock that shows the time of the present step.
struct Clock {
    now: Mutex<Instant>,
    date: SystemTime,
}

impl Host for Clock {
    fn now(&self) -> Instant {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn system_time(&self) -> SystemTime {
        self.date
    }

    fn wake(&self) {}
}

/// What has come of a step.
pub(super) struct Outcome {
    pub(super) lines: Vec<Line>,
    pub(super) difference: Option<Difference>,
}

pub(super) struct Machine {
    pc: RTCPeerConnection,
    driver: Driver,
    clock: Arc<Clock>,
    start: Instant,
    recorder: Arc<Recorder>,
    /// All channels that there ever were: the application may still have any of them.
    channels: BTreeMap<ChannelId, Arc<ChannelObject>>,
    /// The same of transceivers, and the tracks of the application.
    transceivers: BTreeMap<TransceiverId, Arc<TransceiverObject>>,
    tracks: BTreeMap<String, MediaStreamTrack>,
    /// What `getParameters()` gave last.
    parameters: Option<RTCRtpSendParameters>,
    packets: Packets,
}

/// Why a step cannot be done.
pub(super) enum Refusal {
    /// It makes no sense.
    Malformed(&'static str),
    /// It succeeded when it was recorded.
    Refused(Error),
}

impl Machine {
    /// Makes the connection. If `is_lenient`, what comes out is not compared.
    pub(super) fn new(header: &Header, is_lenient: bool) -> Result<Self, ReplayError> {
        let date = SystemTime::UNIX_EPOCH
            .checked_add(header.date)
            .ok_or_else(|| ReplayError::Malformed { line: 1, reason: "no such date".to_owned() })?;
        // Only what passes from here on counts.
        let start = Instant::now();
        let clock = Arc::new(Clock { now: Mutex::new(start), date });
        let recorder = Arc::new(Recorder::playing(start, is_lenient));
        let (pc, driver) = RTCPeerConnection::replayed(
            configuration(&header.configuration),
            certificates(&header.generated),
            clock.clone(),
            [header.session_seed.0, header.engine_seed.0],
            recorder.clone(),
        )
        .map_err(ReplayError::Refused)?;
        Ok(Self {
            pc,
            driver,
            clock,
            start,
            recorder,
            channels: BTreeMap::new(),
            transceivers: BTreeMap::new(),
            tracks: BTreeMap::new(),
            parameters: None,
            packets: Packets::default(),
        })
    }

    pub(super) fn pc(&self) -> &RTCPeerConnection {
        &self.pc
    }

    pub(super) fn parameters(&self) -> Option<&RTCRtpSendParameters> {
        self.parameters.as_ref()
    }

    pub(super) fn statistics(&self) -> RTCStatsReport {
        let now = self.clock.now();
        let (report, tracks) = self.driver.engine().report(now, None);
        drop(tracks);
        report
    }

    /// The SSRCs of what the connection sends, in an order that does not depend on them.
    pub(super) fn own_ssrcs(&self) -> Vec<u32> {
        self.driver.engine().own_ssrcs()
    }

    /// Does one step, of which the recording has these lines.
    pub(super) fn run(
        &mut self,
        at: u64,
        input: Input,
        lines: VecDeque<Line>,
    ) -> Result<Outcome, Refusal> {
        let now = replay_time(self.start, at)
            .filter(|_| Duration::from_nanos(at) <= LONGEST)
            .ok_or(Refusal::Malformed("no such time"))?;
        *self.clock.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.recorder.begin_step(lines);
        let done = self.perform(now, input);
        let (lines, difference) = self.recorder.end_step();
        done.map(|()| Outcome { lines, difference })
    }

    fn channel(&self, id: u32) -> Result<Arc<ChannelObject>, Refusal> {
        let channel = self.channels.get(&ChannelId(id)).cloned();
        channel.ok_or(Refusal::Malformed("there is no such channel"))
    }

    fn transceiver(&self, id: u32) -> Result<Arc<TransceiverObject>, Refusal> {
        let transceiver = self.transceivers.get(&TransceiverId(id)).cloned();
        transceiver.ok_or(Refusal::Malformed("there is no such transceiver"))
    }

    fn add(&mut self, transceivers: impl IntoIterator<Item = RTCRtpTransceiver>) {
        for transceiver in transceivers {
            self.transceivers.insert(transceiver.object.id, transceiver.object);
        }
    }

    /// The track of this id: one that a receiver has, or one of the application.
    fn track(&mut self, track: Track) -> MediaStreamTrack {
        let received = self.transceivers.values().map(|object| &object.receiver_track);
        if let Some(track) = received.into_iter().find(|received| received.id() == track.id) {
            return track.clone();
        }
        let Track { id, kind } = track;
        self.tracks.entry(id.clone()).or_insert_with(|| MediaStreamTrack::with_id(kind, id)).clone()
    }

    /// A track that there is.
    fn known_track(&self, id: &str) -> Result<MediaStreamTrack, Refusal> {
        let mut received = self.transceivers.values().map(|object| &object.receiver_track);
        let received = received.find(|received| received.id() == id);
        let track = received.or_else(|| self.tracks.get(id)).cloned();
        track.ok_or(Refusal::Malformed("there is no such track"))
    }

    fn perform(&mut self, now: Instant, input: Input) -> Result<(), Refusal> {
        let connection = self.driver.connection().clone();
        // Whatever has handlers, of which there are none here, or is dropped, is dropped unlocked.
        let mut engine = connection.engine();
        match input {
            Input::Send { channel, is_text, octets } => {
                drop(engine);
                let kind = if is_text { MessageKind::String } else { MessageKind::Binary };
                let channel = self.channel(channel)?;
                connection.send(&channel, kind, octets.0).map_err(Refusal::Refused)?;
            }
            Input::Datagram { socket, from, octets, zeros } => {
                let octets = whole(&octets, zeros).ok_or(Refusal::Malformed("no datagram"))?;
                engine.handle_datagram(now, SocketId(socket), from, &octets);
            }
            Input::CloseChannel { channel } => engine.close_channel(now, &*self.channel(channel)?),
            Input::PauseChannel { channel, paused } => {
                engine.set_receive_paused(now, &*self.channel(channel)?, paused);
            }
            Input::BufferedAmountLowThreshold { channel, threshold } => {
                let channel = self.channel(channel)?;
                channel.slots.buffered_amount_low_threshold.store(threshold, Ordering::Release);
            }
            Input::DeliverWaiting { channel } => {
                engine.queue_waiting_messages(now, &self.channel(channel)?);
            }
            Input::CreateDataChannel { label, init } => {
                if let Ok(channel) = engine.create_data_channel(now, &label, init) {
                    self.channels.insert(channel.object.channel, channel.object);
                }
            }
            Input::SetConfiguration(new) => {
                // An error comes again as it came.
                let _ = engine.set_configuration(now, configuration(&new));
            }
            Input::Close => {
                let abandoned = engine.close(now);
                drop(engine);
                drop(abandoned);
            }
            Input::Delivery => {
                let delivery = engine.next_delivery(now);
                drop(engine);
                self.deliver(delivery);
            }
            Input::Effect => {
                let delivery = engine.next_effect(now);
                drop(engine);
                self.deliver(delivery);
            }
            Input::Transceivers { live } => {
                let transceivers = engine.look_at_transceivers(now, live);
                drop(engine);
                self.add(transceivers);
            }
            input @ (Input::RtpStream { .. } | Input::SendPacket { .. }) => {
                drop(engine);
                self.packets.perform(&connection, input).map_err(Refusal::Malformed)?;
            }
            input @ (Input::AddTransceiver { .. }
            | Input::AddTrack { .. }
            | Input::RemoveTrack { .. }
            | Input::ReplaceTrack { .. }
            | Input::GetParameters { .. }
            | Input::CloneTrack { .. }
            | Input::StopTrack { .. }) => {
                drop(engine);
                self.perform_with_tracks(now, input)?;
            }
            input => call(&mut engine, now, input),
        }
        Ok(())
    }

    /// What concerns tracks and transceivers. Errors come again as they came.
    fn perform_with_tracks(&mut self, now: Instant, input: Input) -> Result<(), Refusal> {
        let connection = self.driver.connection().clone();
        match input {
            Input::AddTransceiver { track, kind, direction, streams, encodings } => {
                let track = track.map(|track| self.track(track));
                let track_or_kind = track.map_or(TrackOrKind::Kind(kind), TrackOrKind::Track);
                let init = RTCRtpTransceiverInit {
                    direction,
                    streams: streams.into_iter().map(MediaStream::with_id).collect(),
                    send_encodings: encodings,
                };
                let added = connection.engine().add_transceiver(now, &track_or_kind, &init);
                self.add(added);
            }
            Input::AddTrack { track, streams } => {
                let track = self.track(track);
                let streams: Vec<_> = streams.into_iter().map(MediaStream::with_id).collect();
                let sender = connection.engine().add_track(now, &track, &streams);
                self.add(sender.map(|sender| RTCRtpTransceiver { object: sender.object }));
            }
            Input::RemoveTrack { transceiver } => {
                let sender = self.transceiver(transceiver)?;
                let _ = connection.engine().remove_track(now, &sender);
            }
            Input::ReplaceTrack { transceiver, track } => {
                let (sender, track) =
                    (self.transceiver(transceiver)?, track.map(|track| self.track(track)));
                drop(connection.engine().replace_track(now, &sender, track.as_ref()));
            }
            Input::GetParameters { transceiver } => {
                let id = TransceiverId(transceiver);
                self.parameters = Some(connection.engine().session.get_parameters(id));
            }
            Input::CloneTrack { of, id } => {
                let track = self.known_track(&of)?;
                self.tracks.insert(id.clone(), track.clone_as(id));
            }
            Input::StopTrack { id } => self.known_track(&id)?.stop(),
            _ => {}
        }
        Ok(())
    }

    /// Does what a delivery changes in the connection. What it tells the application, the
    /// application has answered already.
    fn deliver(&mut self, delivery: Option<Delivery>) {
        match delivery {
            Some(Delivery::Fire(AnyEvent::DataChannel(channel))) => {
                self.channels.insert(channel.object.channel, channel.object);
            }
            Some(Delivery::Fire(AnyEvent::Track(transceiver, _))) => self.add([transceiver]),
            Some(Delivery::End(channel)) => channel.end(),
            _ => {}
        }
    }
}

/// The longest datagram of UDP.
const DATAGRAM: usize = 65_535;

/// A datagram with the zeros behind it; `None` if there is none that is so long.
pub(super) fn whole(octets: &Octets, zeros: usize) -> Option<Cow<'_, [u8]>> {
    if zeros == 0 {
        return Some(Cow::Borrowed(&octets.0));
    }
    let length = octets.0.len().checked_add(zeros).filter(|length| *length <= DATAGRAM)?;
    let mut whole = octets.0.to_vec();
    whole.resize(length, 0);
    Some(Cow::Owned(whole))
}

/// What needs nothing but the engine.
fn call(engine: &mut Engine, now: Instant, input: Input) {
    match input {
        Input::Stream { socket, octets } => engine.handle_stream(now, SocketId(socket), &octets.0),
        Input::Collect => engine.collect(now),
        Input::Timeout => engine.handle_timeout(now),
        Input::SocketBound { transport, generation, socket, local, good_for } => {
            let (transport, generation) = (TransportId(transport), GenerationId(generation));
            let (socket, good_for) = (SocketId(socket), good_for.into());
            engine.socket_bound(now, transport, generation, socket, local, good_for);
        }
        Input::Listening { transport, generation, socket, local } => {
            let (transport, generation) = (TransportId(transport), GenerationId(generation));
            engine.listening(now, transport, generation, SocketId(socket), local);
        }
        Input::Accepted { listener, socket, remote } => {
            engine.accepted(now, SocketId(listener), SocketId(socket), remote);
        }
        Input::GatheringDone { transport, generation } => {
            engine.gathering_done(now, TransportId(transport), GenerationId(generation));
        }
        Input::Resolved { transport, generation, of, host, addresses } => {
            let (transport, generation) = (TransportId(transport), GenerationId(generation));
            let addresses = addresses.as_deref().map_err(String::as_str);
            engine.resolved(now, transport, generation, of.into(), &host, addresses);
        }
        Input::Connected { transport, generation, connection, opened } => {
            let (transport, generation) = (TransportId(transport), GenerationId(generation));
            let opened = opened.as_ref().map(|(socket, local)| (SocketId(*socket), *local));
            let opened = opened.map_err(String::as_str);
            engine.connected(now, transport, generation, ConnectionId(connection), opened);
        }
        Input::SocketFailed { socket } => engine.socket_failed(now, SocketId(socket)),
        Input::InterfaceChanged { socket, is_up } => {
            engine.interface_changed(now, SocketId(socket), is_up);
        }
        Input::NetworkChanged => engine.network_changed(now),
        Input::Resumed => engine.resumed(now),
        Input::HideAddress { address, name } => engine.hide_address(now, address, &name),
        Input::PollTransmit => drop(engine.poll_transmit(now)),
        Input::PollAction => drop(engine.poll_action(now)),
        Input::EndOfCandidatesTimeout(timeout) => {
            engine.set_end_of_candidates_timeout(now, timeout);
        }
        Input::DisconnectedTimeout(timeout) => engine.set_disconnected_timeout(now, timeout),
        Input::MessageInterleaving(interleaving) => {
            engine.set_message_interleaving(now, interleaving);
        }
        Input::SctpInit(shortcut) => engine.set_sctp_init(now, shortcut.into()),
        Input::DtlsInStun(shortcut) => engine.set_dtls_in_stun(now, shortcut.into()),
        Input::KeepDump(options) => engine.set_dump(now, options.into()),
        Input::Dump => drop(engine.dump(now, 0)),
        Input::CongestionControl(control) => engine.set_congestion_control(now, control.into()),
        Input::Task => {
            engine.run_next_task(now);
        }
        Input::Microtask => {
            engine.run_microtask(now);
        }
        // A promise that nobody waits for is settled all the same.
        Input::CreateOffer(options) => {
            drop(engine.operation(undefined, |session| session.create_offer(options)));
        }
        Input::CreateAnswer(options) => {
            drop(engine.operation(undefined, |session| session.create_answer(options)));
        }
        Input::SetLocalDescription(description) => {
            drop(engine.operation(undefined, |session| session.set_local_description(description)));
        }
        Input::SetRemoteDescription(description) => {
            drop(
                engine.operation(undefined, |session| session.set_remote_description(description)),
            );
        }
        Input::AddIceCandidate(candidate) => {
            drop(engine.operation(undefined, |session| session.add_ice_candidate(candidate)));
        }
        Input::RestartIce => engine.restart_ice(now),
        Input::AcceptEditedDescriptions(accepts) => {
            engine.session.set_accepts_edited_descriptions(accepts);
        }
        Input::GetStats => drop(engine.get_stats(now, None)),
        Input::QueueTask => engine.queue_call(now, Box::new(|| {})),
        Input::RenewNegotiationNeeded => engine.session.renew_negotiation_needed(),
        Input::SetDirection { transceiver, direction } => {
            let _ = engine.session.set_direction(TransceiverId(transceiver), direction);
        }
        Input::SetStreams { transceiver, streams } => {
            let _ = engine.session.set_streams(TransceiverId(transceiver), &streams);
        }
        Input::SetCodecPreferences { transceiver, codecs } => {
            let _ = engine.session.set_codec_preferences(TransceiverId(transceiver), codecs);
        }
        Input::SetParameters { transceiver, parameters } => {
            let id = TransceiverId(transceiver);
            drop(engine.operation(undefined, |session| session.set_parameters(id, parameters)));
        }
        Input::StopTransceiver { transceiver } => {
            let _ = engine.session.stop(TransceiverId(transceiver));
        }
        Input::RequestKeyFrame { transceiver, rid } => {
            engine.request_key_frame(now, TransceiverId(transceiver), rid.as_deref());
        }
        Input::InsertDtmf { transceiver, tones, duration, gap } => {
            let _ = engine.insert_dtmf(TransceiverId(transceiver), &tones, duration, gap);
        }
        // `perform` has done these.
        Input::Datagram { .. }
        | Input::Send { .. }
        | Input::CloseChannel { .. }
        | Input::PauseChannel { .. }
        | Input::BufferedAmountLowThreshold { .. }
        | Input::DeliverWaiting { .. }
        | Input::CreateDataChannel { .. }
        | Input::SetConfiguration(_)
        | Input::Close
        | Input::Delivery
        | Input::Effect
        | Input::Transceivers { .. }
        | Input::AddTransceiver { .. }
        | Input::AddTrack { .. }
        | Input::RemoveTrack { .. }
        | Input::ReplaceTrack { .. }
        | Input::GetParameters { .. }
        | Input::RtpStream { .. }
        | Input::SendPacket { .. }
        | Input::CloneTrack { .. }
        | Input::StopTrack { .. } => {}
    }
}

fn certificates(recorded: &[Certificate]) -> Vec<RTCCertificate> {
    recorded.iter().map(|own| RTCCertificate { certificate: own.restore() }).collect()
}

fn configuration(recorded: &Configuration) -> RTCConfiguration {
    RTCConfiguration {
        ice_servers: recorded.ice_servers.clone(),
        ice_transport_policy: recorded.ice_transport_policy,
        bundle_policy: recorded.bundle_policy,
        rtcp_mux_policy: recorded.rtcp_mux_policy,
        certificates: certificates(&recorded.certificates),
        ice_candidate_pool_size: recorded.ice_candidate_pool_size,
    }
}
