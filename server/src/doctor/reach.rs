//! Whether the public URL leads to this server.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::Finding;
use crate::{config::Config, tls::setup};

const PATIENCE: Duration = Duration::from_secs(5);
/// The most of an answer that is read.
const ANSWER: u64 = 16 * 1024;

pub(super) async fn examine(config: &Config) -> Finding {
    let about = "http.public_url";
    let url = config.public_url();
    match timeout(PATIENCE, ask(config)).await {
        Ok(Ok(())) => Finding::good(about, format!("{url} leads to this server")),
        Ok(Err(error)) => Finding::bad(about, format!("{url}: {error:#}")),
        Err(_) => Finding::bad(about, format!("{url} does not answer from here")),
    }
}

async fn ask(config: &Config) -> Result<()> {
    let url = config.public_url();
    let https = url.starts_with("https://");
    let host = config.public_host();
    let port = config
        .public_port()
        .unwrap_or_else(|| config.http.listen.port());
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .context("nothing answers there")?;
    if !https {
        return health(stream, &host).await;
    }
    let name = ServerName::try_from(host.clone()).context("the host is no name")?;
    let stream = TlsConnector::from(Arc::new(client(config)?))
        .connect(name, stream)
        .await
        .context("the certificate is refused")?;
    health(stream, &host).await
}

fn client(config: &Config) -> Result<ClientConfig> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let own = config.data_dir().join(setup::DIR).join("ca.pem");
    let files = [config.tls.cert_file.clone(), Some(own)];
    for pem in files.iter().flatten().filter_map(|f| std::fs::read(f).ok()) {
        let last = CertificateDer::pem_slice_iter(&pem).flatten().last();
        if let Some(certificate) = last {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

async fn health<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, host: &str) -> Result<()> {
    let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let _ = stream.take(ANSWER).read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    if !(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n")) {
        let first = answer.lines().next().unwrap_or("nothing").to_owned();
        bail!("something else answers there ({first})");
    }
    Ok(())
}
