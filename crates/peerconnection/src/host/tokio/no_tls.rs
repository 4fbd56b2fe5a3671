//! What stands for `tls.rs` without the feature `tls`: TURN servers over TLS cannot be reached, and
//! `icecandidateerror` says why.

use tokio::net::TcpStream;

use super::TokioOptions;

pub(super) struct Client;

impl Client {
    pub(super) fn new(_server_name: String, _options: &TokioOptions) -> Self {
        Self
    }

    pub(super) async fn handshake(self, _tcp: TcpStream) -> Result<TcpStream, String> {
        Err("peerconnection was built without its feature `tls`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_server_over_tls_is_an_error_that_names_the_feature() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let client = Client::new("turn.example".to_owned(), &TokioOptions::loopback());
        let error = client.handshake(tcp).await.map(drop).unwrap_err();
        assert!(error.contains("`tls`"), "{error}");
    }
}
