//! TLS on both ends: the streams of an application's own listener, and the connector `Tls`.

use std::sync::Arc;

use peerconnection_signalling::{Error, Room, RoomOptions, Server, Tls};
use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::support::*;

#[tokio::test]
async fn two_members_meet_over_tls_and_a_stranger_is_not_trusted() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("wss://localhost:{}", listener.local_addr().unwrap().port());
    let server = Server::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    server.accept(stream).await;
                }
            });
        }
    });

    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let options = RoomOptions::default().connector(Tls::with_config(Arc::new(config)));
    let mut a = soon("joining", Room::join(&url, "r", options.clone())).await.unwrap();
    let b = soon("joining", Room::join(&url, "r", options)).await.unwrap();
    assert_eq!(soon("the other", a.next_peer()).await.unwrap().id(), b.me());

    // No machine trusts this certificate by itself.
    let Ok(system) = Tls::new() else { return };
    let options = RoomOptions::default().connector(system);
    let error = soon("the error", Room::join(&url, "r", options)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}
