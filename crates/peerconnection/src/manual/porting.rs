//! From JavaScript to Rust, line by line.
//!
//! Most lines stay what they are: the names go to Rust's case, `await` behind the call, and `?` where
//! JavaScript throws or rejects.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # let [pc1, pc2] = [(); 2].map(|()| RTCPeerConnection::new(Default::default()).unwrap());
//! # pc1.create_data_channel("chat", None)?;
//! let offer = pc1.create_offer(None).await?; // const offer = await pc1.createOffer();
//! pc1.set_local_description(offer).await?; // await pc1.setLocalDescription(offer);
//! pc2.set_remote_description(pc1.local_description()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a method gives, others take as it is, by value or by reference: descriptions and candidates,
//! attributes of other connections, `event.candidate()`, messages that were received.
//!
//! # Lines that differ
//!
//! The workspace's test `porting` ports ten public samples. Every line that is not the same but for
//! what is said above names the rows of this table that it needs, and the test needs each row.
//!
//! | row | JavaScript | Rust | why |
//! |---|---|---|---|
//! | *read* | `pc.localDescription` | `pc.local_description()` | an attribute is a method |
//! | *assign* | `pc.ontrack = f`, `track.enabled = true` | `pc.on_track(f)`, `track.set_enabled(true)`; `pc.clear_on_track()` for `null` | the same |
//! | *listen* | `pc.addEventListener("track", f)` | `pc.add_track_listener(f)` | each event has its own type |
//! | *handler* | `event => …` | `move \|event\| …` | a handler owns what it uses |
//! | *other* | `pc1.onicecandidate = e => pc2.…` | `pc1.on_icecandidate(pc2.weakly(\|pc2, e\| …))` | [two connections that hold each other are never freed](crate::RTCPeerConnection) |
//! | *wait* | `channel.onopen = () => …`, a promise of it | [`channel.opened().await`](crate::RTCDataChannel::opened), [`closed()`](crate::RTCDataChannel::closed), [`gathering_complete()`](crate::RTCPeerConnection::gathering_complete), [`connected()`](crate::RTCPeerConnection::connected), [`failed()`](crate::RTCPeerConnection::failed) | most handlers only wake somebody who waits |
//! | *optional* | `pc.createDataChannel("x")` | `pc.create_data_channel("x", None)` | Rust has no default arguments; several streams may be none: `&[]` |
//! | *null* | `sender.replaceTrack(null)`, `pc.sctp` | `None`, an `Option` | what may be `null` says so |
//! | *dictionary* | `{ordered: false}` | `RTCDataChannelInit { ordered: false, ..Default::default() }` | dictionaries have names |
//! | *enum* | `"sendonly"`, `"video"` | `RTCRtpTransceiverDirection::Sendonly`, `MediaKind::Video` | enumerations have names, and no typing errors |
//! | *construct* | `new RTCPeerConnection(configuration)` | `RTCPeerConnection::new(configuration)?` | |
//! | *static* | `RTCRtpReceiver.getCapabilities(…)` | `RTCRtpReceiver::get_capabilities(…)` | |
//! | *borrow* | `channel.send(text)` | `channel.send(&text)` | whoever goes on using a value lends it |
//! | *loop* | `stats.forEach(…)` | `for (id, stats) in &report` | |
//! | *drop* | `pc = null` | `drop(pc)` | [there is no garbage collector](crate::RTCPeerConnection) |
//!
//! Another difference is not in a line but between two: after an `.await`, other tasks of the
//! connection may have run. [`queue_task`](crate::RTCPeerConnection::queue_task) says where this
//! matters, and [the front page](crate#who-calls-what-when) which code runs when.
