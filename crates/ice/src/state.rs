//! The enumerations of webrtc-pc §5.6.

use std::fmt;

/// `RTCIceTransportState`.
///
/// ```text
///            remote candidate          pair selected            all checked, both ends of
///   New ------------------> Checking ------------> Connected --------------------> Completed
///                            |  ^  ^                |  ^   ^                         |   |
///        all checked, and    |  |  | restart        |  |   +------- restart ---------+   |
///        more may come       v  |  |                v  | response                        |
///                        Disconnected <-------------+--+---------------------------------+
///                            |                  no response
///                            v
///                         Failed      both ends of candidates, every pair failed or without
///                                     consent, and no local candidate or the PAC timer expired;
///                                     left by a restart only
/// ```
///
/// A restart leaves `Completed` when its local parameters are set, `Disconnected` and `Failed` when
/// those of the peer are there as well. Until then the states are those of the old path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Gathering, or waiting for remote candidates.
    New,
    /// Pairs are being checked, none is selected.
    Checking,
    /// A pair is selected; more may come.
    Connected,
    /// A pair is selected, gathering is complete, the peer has no more candidates, every pair
    /// has been checked; and [`Config::conclusion_wait`](crate::Config::conclusion_wait) has gone
    /// by since the pair was selected.
    Completed,
    /// The selected pair has had no answer for
    /// [`Config::disconnected_timeout`](crate::Config::disconnected_timeout) or its socket died;
    /// or every pair failed, but more candidates may come.
    Disconnected,
    /// Nothing more can be tried. Left by an ICE restart only.
    Failed,
    /// After [`close()`](crate::Agent::close).
    Closed,
}

impl State {
    /// The value of the WebIDL enumeration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Checking => "checking",
            Self::Connected => "connected",
            Self::Completed => "completed",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `RTCIceGathererState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GatheringState {
    /// Gathering has not begun.
    New,
    /// Some generation gathers.
    Gathering,
    /// The end of candidates has been announced for all.
    Complete,
}

impl GatheringState {
    /// The value of the WebIDL enumeration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gathering => "gathering",
            Self::Complete => "complete",
        }
    }
}

impl fmt::Display for GatheringState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `RTCIceRole` once known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Nominates the pair to use.
    Controlling,
    /// Waits for the peer to nominate.
    Controlled,
}

impl Role {
    /// The other role.
    pub fn opposite(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }

    /// The value of the WebIDL enumeration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Controlling => "controlling",
            Self::Controlled => "controlled",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
