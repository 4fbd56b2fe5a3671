//! A recording without secrets that replays to the same states.
//!
//! The connection is replayed twice, side by side: as it was recorded, and with everything that is
//! put in changed: other passwords, other addresses, other content. What comes out of the second
//! one is the new recording. Step by step both must have done the same; so the copy is known to
//! replay before anybody gets it.

mod datagrams;
mod names;
mod rtcp;
mod sdp;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, Write};

use idl::RTCIceCandidateInit;
use transport::data;
use transport::media::rtp::blank_elements;

use super::machine::{Machine, whole};
use super::reader::{Ending, Reader, Recorded};
use super::{ReplayError, run};
use crate::recording::format::{
    Asked, Configuration, End, Header, Input, Line, Octets, Opened, Output, Seed, Word,
};
use crate::recording::stand_in;
use datagrams::Stream;
use names::Names;

/// What stands for the seed of ICE credentials.
const SEED: Seed = Seed([0x5e; 32]);

/// How many TCP connections have something that is not whole.
const STREAMS: usize = 1024;

/// Writes a copy of a recording without its secrets, which replays to the same events and states.
/// Returns how the recording ends.
///
/// Gone are: passwords and username fragments of ICE; names, passwords and realms of TURN servers,
/// and their hosts; what data channels carried, of which only the lengths stay; what header
/// extensions of RTP say of sound and pictures; names and texts in RTCP; the digits of telephone
/// tones; addresses, which become addresses for documentation (RFC 5737, RFC 3849), each the same
/// one everywhere; and what people write into descriptions. Keys of SRTP and payloads of media are
/// in no recording anyway.
///
/// **There still are**: certificates and their fingerprints, which are public (private keys are in no
/// recording); labels and protocols of channels; ports, times and lengths, also those of each
/// packet of media, with its SSRC, sequence number and timestamp; names of multicast DNS, which
/// are random, as are the ids of tracks and streams; addresses of loopback; in IPv6 addresses of
/// one link that they are such.
///
/// ```
/// use std::io::{BufReader, BufWriter};
/// use peerconnection::replay::redact;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let whole = BufReader::new(std::fs::File::open("call.jsonl")?);
/// redact(whole, BufWriter::new(std::fs::File::create("report.jsonl")?))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Any [`ReplayError`], where the recording itself does not replay.
/// [`NotRedactable`](ReplayError::NotRedactable) if the connection does something else with other
/// addresses. What was written before an error is no recording.
pub fn redact(recording: impl BufRead, mut sink: impl Write) -> Result<Ending, ReplayError> {
    let (mut reader, header) = Reader::new(recording)?;
    let mut names = Names::default();
    let other = Header {
        session_seed: SEED,
        configuration: configuration(&header.configuration, &mut names),
        ..header.clone()
    };
    let mut whole = Copy {
        original: Machine::new(&header, false)?,
        other: Machine::new(&other, true)?,
        names,
        streams: BTreeMap::new(),
        last_local: Default::default(),
        last_at: 0,
    };
    write(&mut sink, &other)?;
    loop {
        let Some(step) = reader.next_step()? else { break };
        let at = step.at;
        let (input, lines) = whole.step(step)?;
        write(&mut sink, &Line::In(at, input))?;
        for new in &lines {
            write(&mut sink, new)?;
        }
    }
    let ending = reader.ending().unwrap_or(Ending::CutOff);
    let end = match ending {
        Ending::Gone => Some(End::Gone),
        // What came of the last step is not known, and so the step is not there: nothing is cut.
        Ending::Full | Ending::CutOff => None,
    };
    if let Some(end) = end {
        write(&mut sink, &Line::End(end))?;
    } else {
        // A step that is not replayed either shows where the copy ends.
        write(&mut sink, &Line::In(whole.last_at, Input::Collect))?;
        if ending == Ending::Full {
            write(&mut sink, &Line::End(End::Full))?;
        }
    }
    sink.flush().map_err(ReplayError::Io)?;
    Ok(ending)
}

fn write(sink: &mut impl Write, value: &impl serde::Serialize) -> Result<(), ReplayError> {
    let mut line = serde_json::to_vec(value).map_err(|error| ReplayError::Io(error.into()))?;
    line.push(b'\n');
    sink.write_all(&line).map_err(ReplayError::Io)
}

/// Two connections that do the same.
struct Copy {
    original: Machine,
    other: Machine,
    names: Names,
    streams: BTreeMap<u64, Stream>,
    /// The local descriptions from which `names` has learned.
    last_local: [Option<String>; 2],
    last_at: u64,
}

impl Copy {
    /// Does a step on both sides. Returns what it is without secrets.
    fn step(&mut self, step: Recorded) -> Result<(Input, Vec<Line>), ReplayError> {
        let (line, at) = (step.line, step.at);
        self.last_at = at;
        let input = self.input(&step.input);
        if step.lines.iter().any(|line| matches!(line, Line::Srtp(Opened::Rtcp(_)))) {
            self.names.learn_ssrcs(&self.original.own_ssrcs(), &self.other.own_ssrcs());
        }
        let words: VecDeque<_> = step.lines.iter().map(|line| self.word(line)).collect();
        let before = run(&mut self.original, step)?;
        let other = Recorded { line, at, input: input.clone(), lines: words };
        let after = run(&mut self.other, other).map_err(|error| match error {
            ReplayError::Differs { recorded, replayed, .. } => {
                not_redactable(line, &format!("without secrets {replayed} comes, not {recorded}"))
            }
            error => error,
        })?;
        self.learn();
        if before.len() != after.len() {
            return Err(not_redactable(line, "another number of things comes out"));
        }
        for (before, after) in before.iter().zip(&after) {
            if !self.is_same(before, after) {
                let text = |line| serde_json::to_string(line).unwrap_or_default();
                let (before, after) = (text(before), text(after));
                return Err(not_redactable(line, &format!("{after} comes, not {before}")));
            }
        }
        Ok((input, after))
    }

    /// What is put in, without secrets.
    fn input(&mut self, input: &Input) -> Input {
        let names = &mut self.names;
        let mut new = input.clone();
        match &mut new {
            Input::Datagram { from, octets, zeros, .. } => {
                *from = names.socket(*from);
                // If there is no such datagram, the replay says so.
                if let Some(datagram) = whole(octets, *zeros) {
                    let mut new = datagrams::datagram(&datagram, names);
                    let end = new.iter().rposition(|octet| *octet != 0).map_or(0, |at| at + 1);
                    *zeros = new.len() - end;
                    new.truncate(end);
                    *octets = Octets(new.into());
                }
            }
            Input::Stream { socket, octets } => {
                if self.streams.len() >= STREAMS {
                    self.streams.pop_first();
                }
                let stream = self.streams.entry(*socket).or_default();
                *octets = Octets(stream.push(&octets.0, names).into());
            }
            Input::SocketBound { local, .. } | Input::Listening { local, .. } => {
                *local = names.socket(*local);
            }
            Input::Accepted { remote, .. } => *remote = names.socket(*remote),
            Input::Resolved { host, addresses, .. } => {
                *host = names.host(host);
                match addresses {
                    Ok(addresses) => {
                        addresses.iter_mut().for_each(|ip| *ip = names.address(*ip));
                    }
                    Err(why) => "not found".clone_into(why),
                }
            }
            Input::Connected { opened, .. } => match opened {
                Ok((_, local)) => *local = names.socket(*local),
                Err(why) => "not connected".clone_into(why),
            },
            Input::HideAddress { address, .. } => *address = names.address(*address),
            Input::SetLocalDescription(Some(description)) => {
                description.sdp = sdp::description(&description.sdp, names);
            }
            Input::SetRemoteDescription(description) => {
                description.sdp = sdp::description(&description.sdp, names);
            }
            Input::AddIceCandidate(Some(candidate)) => self::candidate(candidate, names),
            Input::SetConfiguration(new) => *new = configuration(new, names),
            Input::SetParameters { parameters, .. } => {
                parameters.transaction_id = names.known(&parameters.transaction_id).to_owned();
                if let Some(cname) = &mut parameters.rtcp.cname {
                    *cname = names.known(cname).to_owned();
                }
            }
            Input::Send { octets, .. } => *octets = blank(octets),
            Input::SendPacket { header, .. } => {
                // What a sender says of its sections it writes itself.
                let mut octets = header.0.to_vec();
                blank_elements(&mut octets, |_| false);
                *header = Octets(octets.into());
            }
            Input::InsertDtmf { tones, .. } => *tones = self::tones(tones),
            _ => {}
        }
        new
    }

    /// What DTLS and SRTP say, without secrets.
    fn word(&mut self, line: &Line) -> Line {
        match line {
            Line::Dtls(connection, Word::Data(packet)) => {
                let packet = match data::without_messages(&packet.0) {
                    Some(packet) => Octets(packet.into()),
                    None => Octets(vec![0; packet.0.len()].into()),
                };
                Line::Dtls(*connection, Word::Data(packet))
            }
            Line::Dtls(connection, Word::Keys { profile, material }) => {
                let material = stand_in(*connection, material.0.len());
                Line::Dtls(*connection, Word::Keys { profile: *profile, material })
            }
            Line::Srtp(Opened::Rtcp(packet)) => {
                Line::Srtp(Opened::Rtcp(Octets(rtcp::compound(&packet.0, &self.names).into())))
            }
            line => line.clone(),
        }
    }

    /// Learns what the second connection has chosen at random.
    fn learn(&mut self) {
        let local = [&self.original, &self.other].map(|machine| {
            let description = machine.pc().local_description();
            description.map(|description| description.sdp().to_owned())
        });
        if local != self.last_local {
            if let [Some(sdp), Some(other)] = &local {
                sdp::learn(sdp, other, &mut self.names);
            }
            self.last_local = local;
        }
        let parameters = (self.original.parameters(), self.other.parameters());
        if let (Some(parameters), Some(other)) = parameters {
            self.names.learn(&parameters.transaction_id, &other.transaction_id);
            if let (Some(cname), Some(other)) = (&parameters.rtcp.cname, &other.rtcp.cname) {
                self.names.learn(cname, other);
            }
        }
    }

    /// Whether the same has come out, but for what was replaced.
    fn is_same(&mut self, before: &Line, after: &Line) -> bool {
        match (before, after) {
            (Line::Out(before), Line::Out(after)) => self.is_same_output(before, after),
            (
                Line::Dtls(of, Word::Answered { asked: before, .. }),
                Line::Dtls(other, Word::Answered { asked: after, .. }),
            ) => {
                of == other
                    && match (before, after) {
                        (Asked::Send { length, .. }, Asked::Send { length: other, .. }) => {
                            length == other
                        }
                        (before, after) => before == after,
                    }
            }
            (Line::Dtls(of, _), Line::Dtls(other, _)) => of == other,
            (Line::Srtp(before), Line::Srtp(after)) => {
                std::mem::discriminant(before) == std::mem::discriminant(after)
            }
            _ => false,
        }
    }

    fn is_same_output(&mut self, before: &Output, after: &Output) -> bool {
        /// The beginning of a text, which has no secret.
        fn kind(text: &str, words: usize) -> Vec<&str> {
            text.lines().next().unwrap_or_default().split(' ').take(words).collect()
        }
        match (before, after) {
            (
                Output::Transmit { socket, to, length, checksum },
                Output::Transmit {
                    socket: other_socket,
                    to: other_to,
                    length: other_length,
                    checksum: other_checksum,
                },
            ) => {
                (socket, self.names.socket(*to), length, checksum.is_some())
                    == (other_socket, *other_to, other_length, other_checksum.is_some())
            }
            (Output::Event(before), Output::Event(after)) => {
                let has_names = ["icecandidate", "selectedcandidatepairchange", "tonechange"];
                if has_names.iter().any(|name| before.starts_with(name)) {
                    return kind(before, 1) == kind(after, 1);
                }
                before == after
            }
            (
                Output::Message { channel, is_text, length, .. },
                Output::Message {
                    channel: other_channel,
                    is_text: other_is_text,
                    length: other_length,
                    ..
                },
            ) => (channel, is_text, length) == (other_channel, other_is_text, other_length),
            (Output::Action(before), Output::Action(after)) => kind(before, 1) == kind(after, 1),
            (Output::Settled(before), Output::Settled(after)) => {
                // A description that the application may set as it is.
                sdp::learn(before, after, &mut self.names);
                kind(before, 3) == kind(after, 3)
            }
            (Output::Delivered(before), Output::Delivered(after)) => before == after,
            (Output::Streams(before), Output::Streams(after)) => before == after,
            _ => false,
        }
    }
}

fn not_redactable(line: u64, why: &str) -> ReplayError {
    ReplayError::NotRedactable { line, why: why.to_owned() }
}

fn blank(octets: &Octets) -> Octets {
    Octets(vec![b'x'; octets.0.len()].into())
}

/// Somebody's number or code. Pauses, and what is no tone, stay: they take other time.
fn tones(tones: &str) -> String {
    let is_tone = |tone: char| "0123456789ABCDabcd#*".contains(tone);
    tones.chars().map(|tone| if is_tone(tone) { '0' } else { tone }).collect()
}

fn candidate(candidate: &mut RTCIceCandidateInit, names: &mut Names) {
    candidate.candidate = sdp::candidate(&candidate.candidate, names);
    if let Some(fragment) = &mut candidate.username_fragment {
        *fragment = names.word(fragment);
    }
}

fn configuration(before: &Configuration, names: &mut Names) -> Configuration {
    let mut new = before.clone();
    for server in &mut new.ice_servers {
        server.urls.iter_mut().for_each(|url| *url = names.url(url));
        if let (Some(name), Some(password)) = (&mut server.username, &mut server.credential) {
            (*name, *password) = names.user(name, password);
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_loses_users_and_hosts() {
        let text = r#"{"iceServers":[{"urls":["turn:turn.company.com"],"username":"alice",
            "credential":"wonderland"}],"iceTransportPolicy":"relay","bundlePolicy":"balanced",
            "rtcpMuxPolicy":"require","iceCandidatePoolSize":0}"#;
        let before: Configuration = serde_json::from_str(text).unwrap();
        let mut names = Names::default();
        let after = configuration(&before, &mut names);
        let text = serde_json::to_string(&after).unwrap();
        for secret in ["company", "alice", "wonderland"] {
            assert!(!text.contains(secret), "{text}");
        }
        names.realm("company.com");
        assert_eq!(names.keys().count(), 2, "with either hash");
        assert_eq!(after.ice_transport_policy, before.ice_transport_policy);
    }
}
