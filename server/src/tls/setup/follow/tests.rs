//! A server that runs for years.

use std::net::SocketAddr;

use rustls::{ClientConfig, RootCertStore, time_provider::TimeProvider};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{advance, pause, resume, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{
    testing::TestApp,
    tls::{material::digest, server_config},
};

const LATE: Duration = Duration::from_secs(10);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Shakes hands with whoever comes.
async fn door(resolver: Arc<Resolver>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(server_config(resolver).unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    address
}

/// A client's clock.
#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.unix_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// The digest of the certificate that `at` shows now to one who trusts the local CA.
async fn shown(app: &App, at: SocketAddr) -> String {
    let ca = app.certificates.facts().ca_pem.clone().unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(At(app.clock.now())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(at).await.unwrap();
    let name = ServerName::try_from("192.0.2.7").unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let tls = timeout(LATE, connecting).await.unwrap().unwrap();
    digest(
        tls.get_ref()
            .1
            .peer_certificates()
            .unwrap()
            .first()
            .unwrap(),
    )
}

fn place(app: &App) -> Place {
    Place {
        host: "192.0.2.7".to_owned(),
        port: 443,
        stun: [None; 2],
        certificate: app.certificates.relay_digest(),
    }
}

/// Lets the timer come round once.
async fn six_hours() {
    pause();
    advance(RENEW_LOOK + Duration::from_secs(1)).await;
    resume();
}

#[tokio::test]
async fn the_local_cas_leaf_is_renewed_while_the_server_runs() {
    let test = TestApp::with(|c| c.http.listen = "192.0.2.7:443".parse().unwrap()).await;
    let app = &test.app;
    let at = door(app.certificates.main.clone().unwrap()).await;
    let first = shown(app, at).await;
    let (pin, ca) = (
        app.certificates.trust().pin,
        app.certificates.facts().ca_sha256.clone(),
    );
    app.relay_map.send_replace(Arc::new(place(app).map()));
    let mut maps = app.relay_map.subscribe();
    follow(app, Some(place(app)));
    tokio::task::yield_now().await;

    test.clock.advance(YEAR);
    six_hours().await;
    tokio::task::yield_now().await;
    assert_eq!(shown(app, at).await, first, "renewed long before its end");
    assert!(!maps.has_changed().unwrap());

    test.clock.advance(YEAR + Duration::from_hours(40 * 24));
    six_hours().await;
    let told = timeout(LATE, maps.changed()).await;
    told.expect("nodes are told").unwrap();
    let second = shown(app, at).await;
    assert_ne!(second, first);
    let relays = serde_json::to_string(&**maps.borrow()).unwrap();
    assert!(relays.contains(&format!("sha256-raw:{second}")), "{relays}");
    assert_ne!(app.certificates.trust().pin, pin);
    assert_eq!(
        app.certificates.facts().ca_sha256,
        ca,
        "machines know the CA"
    );
}
