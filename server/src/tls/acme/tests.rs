//! A certificate from a real ACME server.

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    http::{
        accept::{Door, Patience},
        gate::{Caps, Gate},
    },
    testing::pebble::Pebble,
    tls::server_config,
};

#[tokio::test]
async fn a_certificate_is_proved_on_the_tls_port_and_kept() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let resolver = Arc::new(Resolver::default());
    let door = Door {
        listener,
        tls: Some(server_config(Arc::clone(&resolver)).unwrap()),
        router: axum::Router::new(),
        gate: Gate::new(Caps {
            total: 100,
            per_network: 100,
            trusted: Vec::new(),
        }),
        patience: Patience::default(),
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(door.serve(stop.clone()));
    let Some(pebble) = Pebble::start(dir.path(), addr.port()).await else {
        return;
    };
    let acme = Acme {
        directory: pebble.directory.clone(),
        contact: Some("operator@warren.example".to_owned()),
        root: Some(pebble.root.clone()),
        names: vec!["warren.test.example".to_owned()],
        dir: dir.path().join("tls"),
    };
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    assert!(acme.kept(now).unwrap().is_none());

    let first = acme.order(&resolver, now).await.unwrap();
    let kept = acme.kept(now).unwrap().unwrap();
    assert_eq!(kept.sha256(), first.sha256());

    let late = now.plus(LIFE).minus(Duration::from_hours(24));
    assert!(acme.kept(late).unwrap().is_none());
    assert!(acme.kept_valid(late).unwrap().is_some());
    let second = acme.order(&resolver, late).await.unwrap();
    assert_ne!(second.sha256(), first.sha256());
    stop.cancel();
    served.await.unwrap();
}
