//! A real ACME server for tests: Pebble, where it is installed.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use wire::Timestamp;

use crate::tls::material::{About, self_signed};

/// A running Pebble; ended when dropped.
pub(crate) struct Pebble {
    child: Child,
    /// Its ACME directory.
    pub(crate) directory: String,
    /// A PEM file with the root of its own HTTPS.
    pub(crate) root: PathBuf,
    /// Where its management answers, over the same HTTPS.
    pub(crate) management: SocketAddr,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.end();
    }
}

impl Pebble {
    /// Starts one that proves every name on port `tls_port` of loopback, and keeps
    /// its files in `dir`; `None`, loudly, where Pebble is not installed.
    pub(crate) async fn start(dir: &Path, tls_port: u16) -> Option<Self> {
        let program = program()?;
        let (listen, management) = (free_port().await, free_port().await);
        let (config, root) = write_config(dir, listen, management, tls_port);
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
        let pebble = Self {
            child,
            directory: format!("https://127.0.0.1:{listen}/dir"),
            root,
            management: (Ipv4Addr::LOCALHOST, management).into(),
        };
        for port in [listen, pebble.management.port()] {
            answers(port).await;
        }
        Some(pebble)
    }

    /// Ends it: from now on the authority is away.
    pub(crate) fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn answers(port: u16) {
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("Pebble did not start");
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[expect(
    clippy::disallowed_methods,
    reason = "where `go install` puts programs"
)]
fn program() -> Option<PathBuf> {
    let go = std::env::var("HOME").map(|home| format!("{home}/go/bin/pebble"));
    let given = std::env::var("PEBBLE").ok();
    let places = [given, Some("pebble".to_owned()), go.ok()];
    let found = places.into_iter().flatten().find(|place| {
        let tried = Command::new(place).arg("-version").output();
        tried.is_ok_and(|out| out.status.success())
    });
    if found.is_none() {
        eprintln!(
            "PASSED OVER: Pebble is not installed (scripts/pebble.sh installs it; \
             PEBBLE names the program)"
        );
    }
    found.map(PathBuf::from)
}

/// A TCP port of loopback that nobody has.
pub(crate) async fn free_port() -> u16 {
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

fn write_config(dir: &Path, listen: u16, management: u16, tls_port: u16) -> (PathBuf, PathBuf) {
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
    (path, file)
}
