//! The measures, one module each.

mod idle;
mod offer;
#[cfg(unix)]
mod relay;
mod restart;
mod round_trip;
mod scaling;
mod setup;
mod throughput;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::Failure;
use crate::figure::Figure;

/// Something that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Whether it is taken when none is named.
    pub by_default: bool,
    /// Takes it.
    pub take: fn() -> BoxFuture<'static, Result<Vec<Figure>, Failure>>,
}

/// All of them.
pub const ALL: &[Measure] = &[
    Measure {
        name: "setup",
        what: "from the constructors to both channels open; setups per second, 16 at once",
        by_default: true,
        take: || setup::take().boxed(),
    },
    Measure {
        name: "dc64",
        what: "throughput of one reliable ordered channel, messages of 64 KiB",
        by_default: true,
        take: || throughput::take("dc_throughput_64k", 64 << 10, 256 << 20).boxed(),
    },
    Measure {
        name: "dc1k",
        what: "throughput of one reliable ordered channel, messages of 1 KiB",
        by_default: true,
        take: || throughput::take("dc_throughput_1k", 1 << 10, 64 << 20).boxed(),
    },
    Measure {
        name: "rtt",
        what: "round trip of 100 bytes",
        by_default: true,
        take: || round_trip::take().boxed(),
    },
    Measure {
        name: "idle",
        what: "memory and processor time of idle pairs",
        by_default: true,
        take: || idle::take().boxed(),
    },
    Measure {
        name: "offer",
        what: "createOffer and setLocalDescription",
        by_default: true,
        take: || offer::take().boxed(),
    },
    Measure {
        name: "restart",
        what: "an ICE restart under a stream of 1,000 messages a second",
        by_default: true,
        take: || restart::take().boxed(),
    },
    #[cfg(unix)]
    Measure {
        name: "relay",
        what: "throughput through a coturn, and that of datagrams without WebRTC",
        by_default: false,
        take: || relay::take().boxed(),
    },
    Measure {
        name: "scaling",
        what: "setup and idleness with 100, 300 and 1,000 pairs",
        by_default: false,
        take: || scaling::take().boxed(),
    },
];
