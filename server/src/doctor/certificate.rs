//! Whether the certificate covers the public name, and for how long.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use rustls::{
    CertificateError, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use wire::Timestamp;

use super::Finding;
use crate::{
    config::Config,
    tls::{Material, setup},
};

/// Less than this left is worth a warning.
const SOON: Duration = Duration::from_hours(14 * 24);

pub(super) fn examine(config: &Config, now: Timestamp) -> Option<Finding> {
    if !config.uses_tls() {
        return None;
    }
    let dir = config.data_dir().join(setup::DIR);
    let tls = &config.tls;
    Some(if let Some(file) = &tls.cert_file {
        match std::fs::read_to_string(file) {
            Ok(pem) => files(config, &pem, now),
            Err(e) => {
                let says = format!("{} cannot be read: {e}", file.display());
                Finding::bad("tls.cert_file", says)
            }
        }
    } else if tls.acme_directory.is_some() {
        acme(config, Material::kept(&dir, "acme"), now)
    } else {
        local(config, Material::kept(&dir, "server"), now)
    })
}

type Kept = Result<Option<(Material, crate::tls::material::About)>>;

fn acme(config: &Config, kept: Kept, now: Timestamp) -> Finding {
    let about = "tls.acme_domains";
    let host = config.public_host();
    if !config.tls.acme_domains.contains(&host) {
        let says = format!("{host}, the host of http.public_url, is not among them");
        return Finding::bad(about, says);
    }
    match kept {
        Err(error) => Finding::bad(about, format!("{error:#}")),
        Ok(Some((_, kept))) if kept.not_after > now => Finding::good(
            about,
            format!("there is a certificate until {}", kept.not_after),
        ),
        Ok(_) => Finding::warn(
            about,
            "there is no certificate yet: it is ordered when the server starts, and port 443 of \
             each name must reach it",
        ),
    }
}

fn local(config: &Config, kept: Kept, now: Timestamp) -> Finding {
    let about = "tls";
    match kept {
        Err(error) => Finding::bad(about, format!("{error:#}")),
        Ok(None) => Finding::good(about, "the local CA will be made at the first start"),
        Ok(Some((_, kept))) if kept.names != config.own_names() => Finding::good(
            about,
            format!(
                "the local CA makes a new certificate at the next start, for {}",
                config.own_names().join(", ")
            ),
        ),
        Ok(Some((_, kept))) if kept.not_after <= now.plus(SOON) => Finding::bad(
            about,
            format!(
                "the certificate ends {}: restart the server",
                kept.not_after
            ),
        ),
        Ok(Some((_, kept))) => Finding::good(
            about,
            format!(
                "the local CA's certificate covers {} until {}",
                kept.names.join(", "),
                kept.not_after
            ),
        ),
    }
}

fn files(config: &Config, pem: &str, now: Timestamp) -> Finding {
    let about = "tls.cert_file";
    if let (Some(chain), Some(key)) = (&config.tls.cert_file, &config.tls.key_file)
        && let Err(error) = Material::from_files(chain, key)
    {
        return Finding::bad(about, format!("{error:#}"));
    }
    let host = config.public_host();
    match verify(pem, &host, now) {
        Ok(Ok(())) => match verify(pem, &host, now.plus(SOON)) {
            Ok(Ok(())) => Finding::good(about, format!("it covers {host}")),
            _ => Finding::warn(about, "it ends within 14 days"),
        },
        Ok(Err(rustls::Error::InvalidCertificate(why))) => refused(about, &host, &why),
        Ok(Err(error)) => Finding::bad(about, error.to_string()),
        Err(error) => Finding::bad(about, format!("{error:#}")),
    }
}

fn refused(about: &'static str, host: &str, why: &CertificateError) -> Finding {
    if matches!(why, CertificateError::UnknownIssuer) {
        return Finding::warn(
            about,
            "its issuer is no public authority and not in the file: machines and browsers must \
             know it already",
        );
    }
    Finding::bad(about, format!("for {host}: {why}"))
}

/// Judges the chain as a client would that trusts the public authorities, and
/// the last certificate of the file.
fn verify(pem: &str, host: &str, at: Timestamp) -> Result<Result<(), rustls::Error>> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .context("it is not PEM")?;
    let (leaf, rest) = chain.split_first().context("it holds no certificate")?;
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    roots.add(rest.last().unwrap_or(leaf).clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
    let name = ServerName::try_from(host.to_owned())?;
    let seconds = u64::try_from(at.unix_seconds()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let judged = verifier.verify_server_cert(leaf, rest, &name, &[], at);
    Ok(judged.map(|_| ()))
}
