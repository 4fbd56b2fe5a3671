//! One connection, from the request to its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{HOST, ORIGIN};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::{JoinRequest, ServerOptions, SharedHub, lock};
use crate::hub::Seat;
use crate::protocol::{Refusal, Text, ToServer, object};

/// How a connection has ended.
enum End {
    /// The session waits for another one.
    Cut,
    /// The client has left.
    Left,
    /// The session ends, and the client is told why.
    Refused(Refusal),
}

pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    hub: &SharedHub,
    options: &ServerOptions,
    stream: S,
) {
    let mut origin = None;
    // The error is of the library's choice.
    #[allow(clippy::result_large_err)]
    let check = |request: &Request, response: Response| {
        let (said, host) = (header(request.headers(), ORIGIN), header(request.headers(), HOST));
        if said.is_some_and(|origin| !options.allows_origin(origin, host)) {
            tracing::debug!(origin = said, "a page of another origin");
            let mut refused = ErrorResponse::new(None);
            *refused.status_mut() = StatusCode::FORBIDDEN;
            return Err(refused);
        }
        origin = said.map(str::to_owned);
        Ok(response)
    };
    let config = WebSocketConfig::default()
        // Most connections are idle most of the time.
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(options.limits.waiting.1.saturating_add(options.largest_message))
        .max_message_size(Some(options.largest_message))
        .max_frame_size(Some(options.largest_message));
    let handshake = tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(config));
    let socket = match timeout(options.patience, Box::pin(handshake)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return tracing::debug!(%error, "no WebSocket"),
        Err(_) => return tracing::debug!("a client that says nothing"),
    };
    let wake = Arc::new(Notify::new());
    let mut connection = Connection { socket, hub, options, wake };
    let refusal = match connection.begin(origin.as_deref()).await {
        Err(End::Refused(refusal)) => Some(refusal),
        Err(_) => None,
        Ok(seat) => {
            let Err(end) = connection.exchange(seat).await;
            let refusal = if let End::Refused(refusal) = end { Some(refusal) } else { None };
            lock(hub).cut(Instant::now().into_std(), seat, refusal);
            refusal
        }
    };
    if let Some(refusal) = refusal {
        tracing::debug!(%refusal, "a session is refused or ended");
        let _ = connection.write(Message::Text(object("error", &refusal))).await;
    }
    let _ = timeout(options.patience, connection.socket.close(None)).await;
}

fn header(
    headers: &HeaderMap,
    name: impl tokio_tungstenite::tungstenite::http::header::AsHeaderName,
) -> Option<&str> {
    // What is no text is no origin that anybody allows.
    headers.get(name).map(|value| value.to_str().unwrap_or("null"))
}

struct Connection<'a, S> {
    socket: WebSocketStream<S>,
    hub: &'a SharedHub,
    options: &'a ServerOptions,
    wake: Arc<Notify>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Reads the first message, and answers it.
    async fn begin(&mut self, origin: Option<&str>) -> Result<Seat, End> {
        let socket = &mut self.socket;
        let first = async {
            loop {
                if let Some(text) = next(socket).await? {
                    break Ok(text);
                }
            }
        };
        let first = timeout(self.options.patience, first).await.map_err(|_| End::Cut)??;
        let (seat, answer) = self.open(&first, origin).map_err(End::Refused)?;
        if let Err(end) = self.write(Message::Text(answer)).await {
            lock(self.hub).cut(Instant::now().into_std(), seat, None);
            return Err(end);
        }
        Ok(seat)
    }

    fn open(&self, first: &str, origin: Option<&str>) -> Result<(Seat, Text), Refusal> {
        let message = ToServer::parse(first)?;
        let now = Instant::now().into_std();
        match (message.join, message.resume) {
            (Some(join), None) => {
                let request = JoinRequest { room: &join.room, pass: join.pass.as_deref(), origin };
                if !(self.options.authorize)(&request) {
                    return Err(Refusal::Forbidden);
                }
                lock(self.hub).join(now, &join, self.wake.clone())
            }
            (None, Some(resume)) => lock(self.hub).resume(now, resume, self.wake.clone()),
            _ => Err(Refusal::Malformed),
        }
    }

    /// Uses the connection until its end.
    async fn exchange(&mut self, seat: Seat) -> Result<Infallible, End> {
        let heartbeat = self.options.heartbeat;
        let mut budget = Budget::new(self.options.rate);
        let mut heard = Instant::now();
        let mut asked = false;
        loop {
            loop {
                let next = lock(self.hub).next_message(seat).map_err(End::Refused)?;
                let Some(text) = next else { break };
                self.write(Message::Text(text)).await?;
            }
            let patience = if asked { heartbeat * 2 } else { heartbeat };
            // A client that is too fast is not read for a while.
            let pause = budget.pause(Instant::now());
            tokio::select! {
                message = next(&mut self.socket), if pause.is_none() => {
                    let message = message?;
                    (heard, asked) = (Instant::now(), false);
                    budget.take();
                    if let Some(text) = message
                        && !lock(self.hub).receive(seat, &text).map_err(End::Refused)?
                    {
                        return Err(End::Left);
                    }
                }
                () = self.wake.notified() => {}
                () = sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => {}
                () = sleep_until(heard + patience), if pause.is_none() => {
                    if asked {
                        tracing::debug!("a client has fallen silent");
                        return Err(End::Cut);
                    }
                    asked = true;
                    self.write(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    /// Writes a message. A client that does not take it in time is cut.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.options.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Cut),
        }
    }
}

/// The next message, if it is text; other messages of a WebSocket mean nothing here.
async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
) -> Result<Option<Text>, End> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Close(_))) | None => Err(End::Cut),
        Some(Ok(Message::Binary(_))) => Err(End::Refused(Refusal::Malformed)),
        Some(Ok(_)) => Ok(None),
        Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }) | Error::Utf8(_))) => {
            Err(End::Refused(Refusal::Malformed))
        }
        Some(Err(error)) => {
            tracing::debug!(%error, "a connection is cut");
            Err(End::Cut)
        }
    }
}

/// Messages that a client may send now: a bucket of tokens.
struct Budget {
    per_second: f64,
    most: f64,
    left: f64,
    since: Instant,
}

impl Budget {
    fn new((per_second, most): (f64, f64)) -> Self {
        Self { per_second, most, left: most, since: Instant::now() }
    }

    /// Until when the next message has to wait.
    fn pause(&mut self, now: Instant) -> Option<Instant> {
        let earned = now.duration_since(self.since).as_secs_f64() * self.per_second;
        (self.left, self.since) = ((self.left + earned).min(self.most), now);
        if self.left >= 1.0 {
            return None;
        }
        let wait = Duration::try_from_secs_f64((1.0 - self.left) / self.per_second);
        Some(now + wait.unwrap_or(Duration::MAX / 4).max(Duration::from_millis(1)))
    }

    fn take(&mut self) {
        self.left -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_too_fast_waits_for_its_time() {
        let mut budget = Budget::new((10.0, 3.0));
        let start = budget.since;
        for _ in 0..3 {
            assert_eq!(budget.pause(start), None);
            budget.take();
        }
        assert_eq!(budget.pause(start), Some(start + Duration::from_millis(100)));
        assert_eq!(budget.pause(start + Duration::from_millis(100)), None);
        let later = start + Duration::from_secs(3600);
        budget.pause(later);
        assert!(budget.left <= 3.0, "a long silence allows no more than at first");
    }
}
