//! The whole `serve`, seen by a client that trusts the authority's root alone.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::pebble::{Pebble, free_port};

const NAME: &str = "warren.test.example";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(dir: &Path, pebble: &Pebble, port: u16) -> Server {
    let child = Command::new(env!("CARGO_BIN_EXE_warren-server"))
        .arg("serve")
        .env("WARREN_DATA_DIR", dir)
        .env("WARREN_HTTP__LISTEN", format!("127.0.0.1:{port}"))
        .env("WARREN_HTTP__PUBLIC_URL", format!("https://{NAME}:{port}"))
        .env("WARREN_TLS__ACME_DIRECTORY", &pebble.directory)
        .env("WARREN_TLS__ACME_DOMAINS", format!("[{NAME:?}]"))
        .env("WARREN_TLS__ACME_CONTACT", "mailto:operator@warren.example")
        .env("WARREN_TLS__ACME_CA_FILE", &pebble.root)
        .env("WARREN_RELAY__ENABLED", "false")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(dir.join("log")).unwrap())
        .spawn()
        .unwrap();
    Server(child)
}

/// The body of `GET path`, from whoever proves to be `name` to one who trusts `root`.
async fn get(at: SocketAddr, name: &str, root: &str, path: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut tls = TlsConnector::from(Arc::new(config))
        .connect(name.clone(), stream)
        .await?;
    let host = name.to_str();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    tls.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    Ok(body.to_owned())
}

/// Asks again until the certificate is there, a minute at most.
async fn patiently(dir: &TempDir, at: SocketAddr, root: &str, path: &str) -> String {
    let mut refusal = String::new();
    for _ in 0..600 {
        match get(at, NAME, root, path).await {
            Ok(body) => return body,
            Err(e) => refusal = e.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    panic!("no certificate in time ({refusal}); the server said: {log}");
}

#[tokio::test]
async fn a_server_with_a_public_name_gets_its_certificate_and_serves_under_it() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let port = free_port().await;
    let Some(mut pebble) = Pebble::start(authority.path(), port).await else {
        return;
    };
    let own = std::fs::read_to_string(&pebble.root).unwrap();
    let root = get(pebble.management, "127.0.0.1", &own, "/roots/0").await;
    let root = root.expect("Pebble's management tells its root");
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));

    let server = start(dir.path(), &pebble, port);
    let key = patiently(&dir, at, &root, "/key?v=130").await;
    assert!(key.contains("mkey:"), "{key}");
    assert_eq!(get(at, NAME, &root, "/health").await.unwrap(), "ok\n");
    let other = get(at, "other.test.example", &root, "/health").await;
    assert!(other.is_err(), "one name's certificate served for another");
    drop(server);

    // The next start has the certificate from its first handshake on, also while
    // the authority is away.
    pebble.end();
    let _again = start(dir.path(), &pebble, port);
    let again = patiently(&dir, at, &root, "/key?v=130").await;
    assert_eq!(again, key, "the server is another one after its restart");
}
