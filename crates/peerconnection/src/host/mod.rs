//! What drives a connection: sockets, time and a place to run its tasks.
//!
//! [`RTCPeerConnection::new`](crate::RTCPeerConnection::new) uses this crate's host on tokio, which
//! comes with the default feature `tokio`. Another event loop, or a test with its own clock and
//! network, implements [`Host`], makes its connections with
//! [`RTCPeerConnection::with_host`](crate::RTCPeerConnection::with_host), and drives each with the
//! [`Driver`] it gets:
//!
//! 1. Give the driver every input: [`handle_datagram`](Driver::handle_datagram),
//!    [`handle_stream`](Driver::handle_stream), [`handle_timeout`](Driver::handle_timeout).
//! 2. Run its tasks, [`run_task`](Driver::run_task), until there is none. They call the
//!    application's handlers.
//! 3. Do what it asks: [`poll_transmit`](Driver::poll_transmit), then
//!    [`poll_action`](Driver::poll_action). If there was anything, go back to 2.
//! 4. Wait for a datagram, for [`poll_timeout`](Driver::poll_timeout), or for
//!    [`Host::wake`].
//!
//! An application with its own event loop and event dispatch can leave the network to tokio: it
//! makes connections with
//! [`RTCPeerConnection::with_event_loop`](crate::RTCPeerConnection::with_event_loop). Tokio moves
//! the datagrams and the timers, and the application runs the tasks with a [`TaskRunner`]. Another
//! host can leave its tasks to a [`TaskRunner`], too: [`Host::runs_tasks_elsewhere`] says so, and
//! the host calls [`Driver::leave_tasks`] in step 2.

mod driver;
mod event_loop;
#[cfg(feature = "tokio")]
mod tokio;

pub use self::driver::Driver;
pub use self::event_loop::{Dispatch, EventLoop, TaskRunner};
// The page of the documentation is that of the root.
#[cfg(feature = "tokio")]
#[doc(no_inline)]
pub use self::tokio::{SocketControl, TokioOptions, UdpMux, UdpMuxDropped};
pub use crate::connection::Host;
pub use crate::engine::{
    Action, ConnectionId, GenerationId, NameOf, Shortcut, SocketId, Transmit, Waiting,
};
#[doc(inline)]
pub use negotiation::TransportId;
pub use transport::data::CongestionControl;
