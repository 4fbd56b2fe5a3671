//! What a transport reports.

use dtls::{DtlsError, DtlsState};

/// Something that happened, in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `RTCDtlsTransport.state` changed, but not to [`DtlsState::Failed`].
    DtlsStateChange(DtlsState),
    /// `RTCDtlsTransport.state` changed to [`DtlsState::Failed`], for this reason.
    DtlsFailed(DtlsError),
    /// The peer begins DTLS anew: see [`Transport::expect_dtls`](crate::Transport::expect_dtls). Its
    /// ICE agent may be another one, too. The states of the new association follow.
    DtlsBeginsAnew,
    /// The SCTP association or one of its channels reports something.
    Data(data::Event),
    /// Something came of media.
    Media(media::Event),
}
