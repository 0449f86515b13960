//! A certificate from a real ACME server: Pebble, when it is installed
//! (`go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest`).

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    http::{
        accept::{Door, Patience},
        gate::{Caps, Gate},
    },
    tls::{material::self_signed, server_config},
};

const NAME: &str = "warren.test.example";

struct Pebble(Child);

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[expect(
    clippy::disallowed_methods,
    reason = "where `go install` puts programs"
)]
fn pebble() -> Option<PathBuf> {
    let go = std::env::var("HOME").map(|home| format!("{home}/go/bin/pebble"));
    let given = std::env::var("PEBBLE").ok();
    let places = [given, Some("pebble".to_owned()), go.ok()];
    let found = places.into_iter().flatten().find(|place| {
        let tried = Command::new(place).arg("-version").output();
        tried.is_ok_and(|out| out.status.success())
    });
    if found.is_none() {
        eprintln!(
            "SKIPPED: Pebble is not installed; \
             go install github.com/letsencrypt/pebble/v2/cmd/pebble@latest"
        );
    }
    found.map(PathBuf::from)
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// A name server (over TCP, as Pebble asks): every A question is answered with
/// loopback, every other with nothing.
async fn dns() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut query = vec![0; usize::from(length)];
                    stream.read_exact(&mut query).await.unwrap();
                    let answer = dns_answer(&query);
                    let length = u16::try_from(answer.len()).unwrap();
                    stream.write_u16(length).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    addr
}

fn dns_answer(query: &[u8]) -> Vec<u8> {
    let question = &query[12..];
    let end = question.iter().position(|&b| b == 0).unwrap() + 5;
    let is_a = question[end - 4..end - 2] == [0, 1];
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    answer.extend(&question[..end]);
    if is_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    answer
}

fn write_config(dir: &Path, listen: u16, management: u16, tls_port: u16) -> PathBuf {
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let about = About {
        names: vec!["127.0.0.1".to_owned()],
        not_after: Timestamp::from_unix_seconds(4_000_000_000),
    };
    self_signed(&about, now)
        .unwrap()
        .keep(dir, "https", &about)
        .unwrap();
    let file = dir.join("https.pem");
    let config = serde_json::json!({"pebble": {
        "listenAddress": format!("127.0.0.1:{listen}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": file, "privateKey": file,
        "httpPort": 1, "tlsPort": tls_port,
        "ocspResponderURL": "", "externalAccountBindingRequired": false,
    }});
    let path = dir.join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

async fn start(program: &Path, dir: &Path, tls_port: u16) -> (Pebble, Acme) {
    let listen = free_port().await;
    let config = write_config(dir, listen, free_port().await, tls_port);
    let child = Command::new(program)
        .arg("-config")
        .arg(config)
        .args(["-dnsserver", &dns().await.to_string()])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .env("PEBBLE_AUTHZREUSE", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pebble = Pebble(child);
    while TcpStream::connect(("127.0.0.1", listen)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let acme = Acme {
        directory: format!("https://127.0.0.1:{listen}/dir"),
        contact: Some("operator@warren.example".to_owned()),
        root: Some(dir.join("https.pem")),
        names: vec![NAME.to_owned()],
        dir: dir.join("tls"),
    };
    (pebble, acme)
}

#[tokio::test]
async fn a_certificate_is_proved_on_the_tls_port_and_kept() {
    let Some(program) = pebble() else { return };
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
    let (_pebble, acme) = start(&program, dir.path(), addr.port()).await;
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
