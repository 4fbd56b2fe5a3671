//! Accepting connections, whatever happens to some of them.

use std::io;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// The pause after the system had no descriptor for another connection.
const NO_DESCRIPTOR: Duration = Duration::from_millis(100);

/// Calls `accepted` with each connection. Returns with the first error that does not pass.
pub(crate) async fn each(
    listener: TcpListener,
    mut accepted: impl FnMut(TcpStream),
) -> io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small, and somebody waits for them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "messages may be delayed");
                }
                accepted(stream);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) if is_out_of_descriptors(&error) => {
                tracing::warn!(%error, "a client has to wait");
                sleep(NO_DESCRIPTOR).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// accept(2): a client that has gone already is no fault of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Descriptors come back when connections end: EMFILE, ENFILE, ENOBUFS.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    const CODES: [i32; 3] = [24, 23, 105];
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
        || error.kind() == io::ErrorKind::OutOfMemory
}
