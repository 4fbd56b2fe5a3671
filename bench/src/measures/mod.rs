//! The measures, one module each.

pub mod crowd;
mod idle;
mod link;
mod offer;
#[cfg(unix)]
mod relay;
mod restart;
mod round_trip;
mod rtp;
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
        name: "mux64",
        what: "throughput as of `dc64`, each end on a port that others may share",
        by_default: false,
        take: || {
            throughput::between_shared_ports("mux_throughput_64k", 64 << 10, 256 << 20).boxed()
        },
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
    Measure {
        name: "rtp",
        what: "packets of 1,200 bytes from a track to the track at the peer",
        by_default: true,
        take: || rtp::forward().boxed(),
    },
    Measure {
        name: "fanout",
        what: "one track to 100 peers, 1,000 packets a second to each",
        by_default: false,
        take: || rtp::fan_out().boxed(),
    },
    Measure {
        name: "idlemedia",
        what: "memory and processor time of idle pairs that have sound, pictures and a channel",
        by_default: false,
        take: || rtp::idle().boxed(),
    },
    Measure {
        name: "link",
        what: "throughput over links with delay, loss and a queue",
        by_default: false,
        take: || link::take().boxed(),
    },
    #[cfg(unix)]
    Measure {
        name: "relay",
        what: "throughput through a coturn, and that of datagrams without WebRTC",
        by_default: false,
        take: || relay::take().boxed(),
    },
    Measure {
        name: "idle10k",
        what: "memory and processor time of a server with 10,000 idle connections on one port",
        by_default: false,
        take: || crowd::take().boxed(),
    },
    Measure {
        name: "scaling",
        what: "setup and idleness with 100, 300 and 1,000 pairs",
        by_default: false,
        take: || scaling::take().boxed(),
    },
];
