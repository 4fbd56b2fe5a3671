//! A TURN server to measure through: a coturn of our own, or one that runs already.

use std::net::SocketAddr;
use std::time::Duration;

use peerconnection::host::TokioOptions;
use peerconnection::{
    RTCConfiguration, RTCDataChannelInit, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection,
};
use tests::coturn::{Coturn, PASSWORD, USER};

use crate::Failure;
use crate::machine::cpu_time_of;
use crate::pair::{Pair, connection};

/// Who goes through the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// The sender alone: a packet passes the server once.
    One,
    /// Both: a packet passes the server twice.
    Both,
}

impl Relayed {
    /// `RELAY=a`, which is the default, or `RELAY=both`.
    ///
    /// # Errors
    /// One that names another value.
    pub fn from_environment() -> Result<Self, Failure> {
        match std::env::var("RELAY").as_deref() {
            Ok("both") => Ok(Self::Both),
            Ok("a") | Err(_) => Ok(Self::One),
            Ok(other) => Err(format!("RELAY is a or both, not {other}").into()),
        }
    }
}

/// A TURN server on UDP.
#[derive(Debug)]
pub struct Relay {
    /// Its address.
    pub address: SocketAddr,
    /// The name that it knows.
    pub username: String,
    /// The password that goes with it.
    pub password: String,
    process: Option<u32>,
    /// Ends with this.
    _own: Option<Coturn>,
}

impl Relay {
    /// The server that `TURN=user:password@address:port` names, whose process is `TURN_PID`.
    /// Without these, a coturn is started, which ends with this object.
    ///
    /// # Errors
    /// A malformed variable.
    ///
    /// # Panics
    /// If there is neither `TURN` nor `turnserver` and `openssl` on the path.
    pub fn from_environment() -> Result<Self, Failure> {
        let Ok(text) = std::env::var("TURN") else {
            let own = Coturn::new(&["--allow-loopback-peers"]);
            return Ok(Self {
                address: SocketAddr::from(([127, 0, 0, 1], own.port)),
                username: USER.to_owned(),
                password: PASSWORD.to_owned(),
                process: Some(own.process()),
                _own: Some(own),
            });
        };
        let parts = text.rsplit_once('@').and_then(|(user, address)| {
            let (username, password) = user.split_once(':')?;
            Some((username, password, address))
        });
        let (username, password, address) =
            parts.ok_or("TURN is not user:password@address:port")?;
        let process = std::env::var("TURN_PID").ok().map(|text| text.parse()).transpose()?;
        Ok(Self {
            address: address.parse()?,
            username: username.to_owned(),
            password: password.to_owned(),
            process,
            _own: None,
        })
    }

    /// The processor time of the server, if its process is known.
    pub fn cpu_time(&self) -> Option<Duration> {
        self.process.and_then(cpu_time_of)
    }

    /// Two connections, the first of which goes through the relay, or both.
    ///
    /// # Errors
    /// As [`Pair::connect`].
    pub async fn pair(&self, relayed: Relayed, init: RTCDataChannelInit) -> Result<Pair, Failure> {
        let b = match relayed {
            Relayed::One => connection()?,
            Relayed::Both => self.connection()?,
        };
        Pair::between(self.connection()?, b, init).await
    }

    /// A connection that goes through the relay alone.
    fn connection(&self) -> Result<RTCPeerConnection, Failure> {
        let server = RTCIceServer {
            urls: vec![format!("turn:{}", self.address)],
            username: Some(self.username.clone()),
            credential: Some(self.password.clone()),
        };
        let configuration = RTCConfiguration {
            ice_servers: vec![server],
            ice_transport_policy: RTCIceTransportPolicy::Relay,
            ..RTCConfiguration::default()
        };
        Ok(RTCPeerConnection::with_options(configuration, TokioOptions::loopback())?)
    }
}
