//! The server behind the `browser` example: one page, and a Rust peer for every time it is loaded.
//!
//! Where to read first: `peer.rs` is the Rust side of the conversation, from
//! [`RTCPeerConnection::new`](peerconnection::RTCPeerConnection::new) to `close()`; its counterpart
//! on the page is `examples/browser/peer.js`. The rest serves them:
//!
//! | file | idea |
//! |---|---|
//! | `server.rs` | HTTP for the page, a WebSocket for each Rust peer |
//! | `protocol.rs` | the JSON messages on that WebSocket |
//! | `peer.rs` | one Rust peer: signaling, commands, data channels |
//! | `events.rs` | its events and states, for the page to show |
//! | `file.rs` | files over a data channel, with backpressure both ways |

mod events;
mod file;
mod peer;
mod protocol;
mod server;

pub use file::{File, FileError, MAX_FILE_SIZE, receive, send};
pub use peer::{PageLoad, PageMessage};
pub use server::Server;
pub(crate) use server::is_same_origin;
