//! A session as the server's application has it: a signaling channel.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use peerconnection::{
    RTCIceCandidateInit, RTCSdpType, RTCSessionDescriptionInit, SignalingChannel, SignalingMessage,
};
use sdp::Description;
use tokio::sync::{Notify, mpsc};

use super::fragment;

/// Messages of the client that wait to be received; more are refused.
const QUEUE: usize = 256;
/// Candidates of an answer; what there is more of is left out.
const MOST_CANDIDATES: usize = 256;

/// What the HTTP side and the application's side share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something has changed that a request waits for.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// To the application; `None` once the client has ended the session.
    messages: Option<mpsc::Sender<SignalingMessage>>,
    /// The application holds the session.
    held: bool,
    offer: Description,
    /// Names the generation of ICE (RFC 9725 §4.3.1).
    tag: String,
    /// A request waits for an answer.
    asked: bool,
    answer: Option<Answer>,
    /// The first answer has been given.
    answered: bool,
}

/// An answer whose candidates come.
#[derive(Debug)]
struct Answer {
    description: Description,
    candidates: Vec<RTCIceCandidateInit>,
    complete: bool,
}

/// The application cannot take a message now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Ended,
    Full,
}

/// An answer, or what there is of it when its time is over.
pub(super) struct Given {
    pub(super) description: Description,
    pub(super) candidates: Vec<RTCIceCandidateInit>,
    pub(super) tag: String,
}

pub(super) fn new(path: &str, offer: Description) -> (Arc<Shared>, WhipSession) {
    let (messages, arriving) = mpsc::channel(QUEUE);
    let state = State {
        messages: Some(messages),
        held: true,
        offer,
        tag: new_tag(),
        asked: false,
        answer: None,
        answered: false,
    };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() });
    let session = WhipSession { path: path.to_owned(), shared: shared.clone(), messages: arriving };
    (shared, session)
}

/// A strong entity tag (RFC 9110 §8.8.3).
fn new_tag() -> String {
    format!("\"{:016x}\"", rand::random::<u64>())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tag(&self) -> String {
        self.lock().tag.clone()
    }

    pub(super) fn offer(&self) -> Description {
        self.lock().offer.clone()
    }

    /// Whether the application has let the session go.
    pub(super) fn is_over(&self) -> bool {
        !self.lock().held
    }

    /// Gives the application a candidate, or the end of them.
    pub(super) fn tell(&self, candidate: Option<RTCIceCandidateInit>) -> Result<(), NotTaken> {
        self.lock().tell(SignalingMessage::Candidate(candidate))
    }

    /// Gives the application an offer. `false`: another one has not been answered.
    pub(super) fn ask(&self, offer: &Description) -> Result<bool, NotTaken> {
        let mut state = self.lock();
        if state.asked {
            return Ok(false);
        }
        let sdp = offer.to_string();
        let init = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp };
        state.tell(SignalingMessage::Description(init))?;
        state.asked = true;
        state.answer = None;
        Ok(true)
    }

    /// Waits until the answer has all its candidates. `false`: there will be none.
    pub(super) async fn answered(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.lock();
                if state.answer.as_ref().is_some_and(|answer| answer.complete) {
                    return true;
                }
                if !state.held {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// Ends the wait for the answer to `offer`, and takes what there is of it.
    pub(super) fn take_answer(&self, offer: Description) -> Option<Given> {
        let mut state = self.lock();
        state.asked = false;
        let answer = state.answer.take()?;
        if state.answered {
            state.tag = new_tag();
        }
        state.answered = true;
        state.offer = offer;
        if !answer.complete {
            tracing::debug!("the answer goes without the candidates that are still to come");
        }
        let tag = state.tag.clone();
        Some(Given { description: answer.description, candidates: answer.candidates, tag })
    }

    /// The client has ended the session, or the server has.
    pub(super) fn end(&self) {
        self.lock().messages = None;
    }
}

impl State {
    fn tell(&self, message: SignalingMessage) -> Result<(), NotTaken> {
        let messages = self.messages.as_ref().ok_or(NotTaken::Ended)?;
        messages.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotTaken::Full,
            mpsc::error::TrySendError::Closed(_) => NotTaken::Ended,
        })
    }

    fn answer(&mut self, sdp: &str) -> io::Result<()> {
        let description = Description::parse(sdp)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        if self.asked {
            self.answer = Some(Answer { description, candidates: Vec::new(), complete: false });
        } else {
            tracing::debug!("an answer comes when its request has been given up");
        }
        Ok(())
    }

    fn candidate(&mut self, candidate: Option<RTCIceCandidateInit>) {
        let Some(answer) = &mut self.answer else {
            return tracing::debug!("a candidate is not told: the client gets them with an answer");
        };
        let Some(candidate) = candidate.filter(|candidate| !candidate.candidate.is_empty()) else {
            answer.complete = true;
            return;
        };
        let ufrag = fragment::credentials(&answer.description).map(|ice| ice.username_fragment);
        let is_of_answer =
            candidate.username_fragment.is_none() || candidate.username_fragment == ufrag;
        if is_of_answer && answer.candidates.len() < MOST_CANDIDATES {
            answer.candidates.push(candidate);
        }
    }
}

/// The sessions that clients begin, for the server's application.
#[derive(Debug)]
pub struct WhipSessions(pub(super) mpsc::Receiver<WhipSession>);

impl WhipSessions {
    /// Waits for the next session; `None` when the server is gone. While nobody asks, clients are
    /// told to try later. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<WhipSession> {
        self.0.recv().await
    }
}

/// A client of a [`WhipServer`](crate::WhipServer), as a signaling channel: for
/// [`PerfectNegotiation`](peerconnection::PerfectNegotiation) in the polite role, or code of one's
/// own that answers the offers.
///
/// It receives the offer, the client's candidates, and an offer for each ICE restart; `None` once
/// the client has ended the session. The client gets an answer with its candidates when `None` has
/// been sent for a candidate, or with those there are after the server's
/// [patience](crate::WhipServerOptions::patience).
///
/// The server cannot offer. Offers before the first answer are dropped: what they offer is in the
/// answer, as far as the client has asked for it. Later ones are an error, which ends a
/// `PerfectNegotiation`.
///
/// Dropping it ends the session. The client is not told; it sees what happens to the connection.
pub struct WhipSession {
    path: String,
    shared: Arc<Shared>,
    messages: mpsc::Receiver<SignalingMessage>,
}

impl WhipSession {
    /// The path of the URL to which the client has sent its offer: `/whip/studio`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

#[async_trait]
impl SignalingChannel for WhipSession {
    /// Completes at once.
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        let unsupported = |what| Err(io::Error::new(io::ErrorKind::Unsupported, what));
        let mut state = self.shared.lock();
        match message {
            SignalingMessage::Description(description) => match description.type_ {
                RTCSdpType::Answer => state.answer(&description.sdp)?,
                RTCSdpType::Offer if !state.answered => {
                    tracing::debug!("an offer is not told: the client's comes first");
                }
                RTCSdpType::Offer => return unsupported("a client of WHIP takes no offers"),
                _ => return unsupported("WHIP has offers and answers only"),
            },
            SignalingMessage::Candidate(candidate) => state.candidate(candidate),
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        Ok(self.messages.recv().await)
    }
}

impl Drop for WhipSession {
    fn drop(&mut self) {
        self.shared.lock().held = false;
        self.shared.changed.notify_one();
    }
}

impl fmt::Debug for WhipSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhipSession").field("path", &self.path).finish_non_exhaustive()
    }
}
