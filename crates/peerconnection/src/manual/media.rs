//! Media: what tracks give and take, forwarding, key frames, simulcast, files.
//!
//! The objects are those of a page: tracks, streams, transceivers. What is in a track differs: a
//! page has pictures and samples there, this library has **packets of RTP**. It encodes and decodes
//! nothing, so a program receives, forwards, records and sends what browsers, hardware or other
//! libraries have encoded.
//!
//! # Receiving
//!
//! The handler of `track` is the place to begin: packets are never delivered before it.
//!
//! | | for | when it is slow |
//! |---|---|---|
//! | [`packets()`] | a task that reads | the oldest of more than 512 are lost, and [`take_dropped()`] says how many |
//! | [`on_packet()`] | a few lines of work | the connection waits for it: it must not block |
//! | [`add_track()`] of the track | another peer | the oldest of what its network cannot take are lost |
//!
//! All three at once are possible, and several readers. Nothing is kept for whoever comes later.
//!
//! Packets come as the network brings them: in another order now and then, with gaps where they
//! were lost, and none twice. There is no jitter buffer. What a file or a decoder needs, packets in
//! order without waiting for what is lost for ever, the example `record` has in
//! `examples/src/recording/order.rs`, a file to be copied.
//! [`packet.stream()`](crate::RtpPacket::stream) says what belongs together: each source and each
//! layer is a stream with numbers and timestamps of its own.
//!
//! # Sending
//!
//! A [`TrackSource`] is a camera: the program gives it packets, and every connection that sends its
//! track sends them. Here one connection sends sound to another.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
//! use peerconnection::{MediaKind, RTCRtpSender, RtpHeader, RtpStream, TrackSource};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let microphone = TrackSource::new(MediaKind::Audio);
//! # let (pc, peer) = connected(|pc| {
//! // pc.add_track(microphone.track(), &[])?;
//! #     pc.add_track(microphone.track(), &[]).unwrap();
//! # }).await?;
//! # let mut packets = peer.get_receivers()[0].track().packets();
//! let codecs = RTCRtpSender::get_capabilities(MediaKind::Audio).codecs;
//! let opus = codecs.into_iter().find(|codec| codec.mime_type == "audio/opus").expect("Opus");
//! let stream = RtpStream::new(opus);
//! for number in 0..3 {
//!     // 20 ms of silence each (RFC 6716 §3.1), in ticks of 48 kHz.
//!     let header = RtpHeader {
//!         sequence_number: number,
//!         timestamp: 960 * u32::from(number),
//!         marker: number == 0,
//!     };
//!     microphone.send(stream.packet(header, vec![0xf8, 0xff, 0xfe]));
//!     # tokio::time::sleep(std::time::Duration::from_millis(20)).await;
//! }
//! # let packet = packets.next().await.expect("sound");
//!
//! // What comes at the peer has numbers of its own, and the same distances.
//! assert_eq!(packet.codec().map(|codec| codec.mime_type.as_str()), Some("audio/opus"));
//! assert_eq!(packet.payload(), [0xf8, 0xff, 0xfe]);
//! # pc.close();
//! # Ok(()) }
//! ```
//!
//! `send()` never waits. What is sent while nothing is connected is lost, and nothing here paces or
//! limits: a program that encodes chooses the rate. A frame of pictures that is larger than a
//! packet goes through a [`Packetizer`], and a [`Depacketizer`] makes frames of packets.
//!
//! # Forwarding
//!
//! From one connection to many, without decoding:
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let publisher = RTCPeerConnection::new(RTCConfiguration::default())?;
//! # let viewer = RTCPeerConnection::new(RTCConfiguration::default())?;
//! publisher.on_track(viewer.weakly(|viewer, event: RTCTrackEvent| {
//!     // As in a page. Then the viewer is negotiated with.
//!     if let Err(error) = viewer.add_track(event.track(), event.streams()) {
//!         eprintln!("{error}");
//!     }
//! }));
//! # Ok(()) }
//! ```
//!
//! A track of a connection that ends is over. A broadcast that outlives who sends has a
//! `TrackSource` between, whose packets are those of the present sender; the example `broadcast`
//! does that.
//!
//! Two connections have numbered everything differently, and the sender translates:
//!
//! - **Payload types** by what they stand for: name, clock rate, parameters. A packet whose codec the
//!   viewer has not negotiated is not sent there; nothing transcodes. [`set_codec_preferences()`]
//!   on both sides makes them agree.
//! - **Header extensions** by their URIs. Those that belong to one connection (mid, rid, the time of
//!   sending) are written anew. What the viewer has not negotiated is left out.
//! - **Sequence numbers and timestamps** keep their distances, so that a packet which was lost before
//!   is a gap behind, too. Another track, or one after a pause, goes on behind the last number, with the
//!   timestamp that the time since makes. A source keeps its SSRC, its numbers and its counters through
//!   ICE restarts, another transport, and another peer that takes over the call.
//!
//! The peer's requests for lost packets (NACK) are served from what was sent in the last 3 s.
//!
//! # Key frames
//!
//! Pictures can be decoded from a key frame on. Who needs one asks, and who encodes answers:
//!
//! | who asks | what happens |
//! |---|---|
//! | a peer that watches (PLI, FIR, a NACK that cannot be served) | the source of the track is asked, at most once in 300 ms for a layer |
//! | a sender that begins in the middle of a stream: the first packet, after `replaceTrack()`, a pause, another peer | the same |
//! | the program: [`request_key_frame()`] of a track, for a recording or another layer | the same |
//!
//! If the source is a receiver, its peer gets a PLI, at most one in 350 ms for a layer. If it is a
//! `TrackSource`, [`on_key_frame_request()`] is called. So a request of a viewer goes through a
//! forwarder to the page that encodes, and the program has nothing to do.
//!
//! # Simulcast
//!
//! A page that offers layers is accepted, and all of them come through one track.
//! [`packet.rid()`](crate::RtpPacket::rid) tells them apart.
//!
//! To forward one of them, give a `TrackSource` the packets of that layer alone. Turn to another layer
//! with a key frame of it: ask for one, and change when it comes. The numbers need no care, for each
//! layer is a stream, and the sender goes on from one to the other. A received track that is
//! added as it is sends the layer that came first, until that one is silent for a second.
//!
//! To send layers, name them in `addTransceiver()`, and give each packet its layer:
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! let layer = |rid: &str, scale_resolution_down_by| RTCRtpEncodingParameters {
//!     coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
//!     scale_resolution_down_by: Some(scale_resolution_down_by),
//!     ..Default::default()
//! };
//! let camera = TrackSource::new(MediaKind::Video);
//! let init = RTCRtpTransceiverInit {
//!     direction: RTCRtpTransceiverDirection::Sendonly,
//!     send_encodings: vec![layer("lo", 4.0), layer("hi", 1.0)],
//!     ..Default::default()
//! };
//! pc.add_transceiver(camera.track(), init)?;
//!
//! let codecs = RTCRtpSender::get_capabilities(MediaKind::Video).codecs;
//! let vp8 = codecs.into_iter().find(|codec| codec.mime_type == "video/VP8").expect("VP8");
//! let whole = RtpStream::new(vp8);
//! let (lo, hi) = (whole.layer("lo"), whole.layer("hi"));
//! // camera.send(lo.packet(…)), camera.send(hi.packet(…)): each with numbers of its own.
//! assert_eq!((lo.rid(), hi.rid()), (Some("lo"), Some("hi")));
//! # Ok(()) }
//! ```
//!
//! Scaling, bit rates and frame rates are for whoever encodes: `setParameters()` keeps them. `active`
//! is obeyed here: a layer that is not active is not sent, and goes on without a gap.
//!
//! # Pausing
//!
//! | | what the peer gets | negotiated |
//! |---|---|---|
//! | [`set_enabled(false)`](crate::MediaStreamTrack::set_enabled) | silence for Opus and G.711, nothing for other codecs and pictures | no |
//! | [`replace_track(None)`](crate::RTCRtpSender::replace_track) | nothing; with another track, that one from its next key frame on | no |
//! | `active: false` in [`set_parameters()`](crate::RTCRtpSender::set_parameters) | nothing | no |
//! | [`set_direction()`](crate::RTCRtpTransceiver::set_direction) | nothing | yes |
//! | [`stop()`](crate::RTCRtpTransceiver::stop) of the transceiver | BYE, and an ended track | yes |
//!
//! After all but the last one it goes on with the same source and without a gap in the numbers.
//!
//! A received track is [`muted()`](crate::MediaStreamTrack::muted) until its first packet, after
//! a negotiation in which the peer does not send, and after BYE of all of its sources; packets unmute it.
//! Silence alone mutes no track: a peer that has paused in the first three ways looks like one
//! whose network is down, until `connectionState` says which. A track has *ended* when its transceiver
//! is stopped or its connection closed; readers then get their end, after what they have not read.
//! [`stop()`](crate::MediaStreamTrack::stop) of a track ends that one alone, without an event.
//!
//! # Telephone tones
//!
//! [`RTCRtpSender::dtmf`] sends them (RFC 4733) in the place of the sound. Tones of the
//! peer are packets of the codec `audio/telephone-event` in its track, and are forwarded like others.
//!
//! # What is declined
//!
//! An answer takes what this library does, of what the peer offers: VP8, VP9, H.264, H.265, AV1, Opus,
//! G.722, G.711, telephone tones; RTX; NACK, PLI, FIR and REMB of the peer. It leaves out feedback for
//! rate control (`transport-cc`), error correction (RED, ULPFEC, FlexFEC), and header extensions that
//! only these need. So a browser goes by the losses that reports tell it. Packets that are lost
//! on the way *here* stay lost: nobody asks for them.
//! [deviations.md](https://github.com/peerconnection/peerconnection/blob/main/spec-notes/deviations.md)
//! has the whole list.
//!
//! # Files
//!
//! The example `record` writes what pages send to files, pictures to IVF and sound to Ogg, and `play`
//! sends such files to pages, again and again. Neither decodes. A recording begins with a key frame, which
//! it asks for; after a loss it leaves out pictures until the next one, and asks again. A player that
//! is asked for a key frame goes back to one: this one to the beginning.
//!
//! # Statistics
//!
//! | question | where |
//! |---|---|
//! | does it come? | `inbound_rtp()`: `packets_received`, `last_packet_received_timestamp` |
//! | what was lost on the way here? | `inbound_rtp()`: `packets_lost`; `jitter` in seconds |
//! | what does the peer lose? | `remote_inbound_rtp()`: `packets_lost`, `fraction_lost`, `round_trip_time` |
//! | how much is repaired? | `outbound_rtp()`: `retransmitted_packets_sent`, `nack_count` |
//! | does somebody always ask for key frames? | `outbound_rtp()`: `pli_count`; `inbound_rtp()`: how often we asked |
//! | frames | `frames_sent`, `frames_received`; of a source `media_sources()`: `frames_per_second` |
//! | who speaks? | [`RtpPacket::audio_level`](crate::RtpPacket::audio_level), [`get_synchronization_sources()`] |
//!
//! [`packets()`]: crate::MediaStreamTrack::packets
//! [`on_packet()`]: crate::MediaStreamTrack::on_packet
//! [`take_dropped()`]: crate::RtpPackets::take_dropped
//! [`add_track()`]: crate::RTCPeerConnection::add_track
//! [`TrackSource`]: crate::TrackSource
//! [`Packetizer`]: crate::payload::Packetizer
//! [`Depacketizer`]: crate::payload::Depacketizer
//! [`set_codec_preferences()`]: crate::RTCRtpTransceiver::set_codec_preferences
//! [`request_key_frame()`]: crate::MediaStreamTrack::request_key_frame
//! [`on_key_frame_request()`]: crate::TrackSource::on_key_frame_request
//! [`RTCRtpSender::dtmf`]: crate::RTCRtpSender::dtmf
//! [`get_synchronization_sources()`]: crate::RTCRtpReceiver::get_synchronization_sources
