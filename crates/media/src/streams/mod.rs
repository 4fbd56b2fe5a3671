//! What is known of each source, of ours and of the peer's.
//!
//! | module | what |
//! |---|---|
//! | `numbers` | the sequence numbers and timestamps of a source of ours |
//! | `history` | what it has sent, for those who lost it |
//! | `outgoing` | one encoding of ours, with what repairs it |
//! | `reception` | what of a source of the peer has come, and how evenly (RFC 3550 appendix A) |
//! | `incoming` | one source of the peer |
//! | `sources` | all sources of the peer, bounded |

pub(crate) mod history;
pub(crate) mod incoming;
pub(crate) mod numbers;
pub(crate) mod outgoing;
pub(crate) mod reception;
pub(crate) mod sources;
