//! Which certificates this server presents: chosen once, at start, from the
//! configuration; renewed while it runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use tokio::time::sleep;
use wire::Timestamp;

use super::{
    Facts, Material, Resolver,
    acme::Acme,
    local_ca::{LocalCa, relay_certificate},
};
use crate::{app::App, config::Config, http::install::Trust};

/// The folder in the data directory that holds what the server made itself.
pub const DIR: &str = "tls";

/// The certificates of this server.
#[derive(Debug)]
pub struct Certificates {
    /// Of the main listener; `None`: it speaks plain HTTP.
    pub main: Option<Arc<Resolver>>,
    /// Of the relay's own listener, when it has one.
    pub relay: Option<Arc<Resolver>>,
    /// What others are told.
    pub facts: Facts,
    pin: Option<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    None,
    Files { chain: PathBuf, key: PathBuf },
    Acme(Acme),
    LocalCa,
}

impl Certificates {
    /// Reads or makes them.
    pub fn prepare(config: &Config, now: Timestamp) -> Result<Self> {
        let dir = config.data_dir().join(DIR);
        let mut made = Self {
            main: None,
            relay: None,
            facts: Facts::default(),
            pin: None,
            source: Source::of(config, &dir),
        };
        match &made.source {
            Source::None => {}
            Source::Files { chain, key } => {
                made.main = Some(Resolver::of(&Material::from_files(chain, key)?)?);
            }
            Source::Acme(acme) => {
                let resolver = Arc::new(Resolver::default());
                if let Some(kept) = acme.kept_valid(now)? {
                    resolver.set(&kept)?;
                }
                made.main = Some(resolver);
            }
            Source::LocalCa => {
                let ca = LocalCa::open(&dir, now)?;
                let leaf = ca.leaf(&dir, &config.own_names(), now)?;
                made.main = Some(Resolver::of(&leaf)?);
                made.pin = Some(leaf.pin()?);
                made.facts = Facts {
                    ca_sha256: Some(ca.sha256()?),
                    ca_pem: Some(ca.pem().to_owned()),
                    relay_sha256: Some(leaf.sha256()),
                };
            }
        }
        if config.relay_listen().is_some() {
            made.prepare_relay(config, &dir, now)?;
        }
        Ok(made)
    }

    /// The relay's own listener: the main certificate where there is one, else a
    /// self-signed one that nodes know by its digest.
    fn prepare_relay(&mut self, config: &Config, dir: &Path, now: Timestamp) -> Result<()> {
        if let Some(main) = &self.main {
            self.relay = Some(Arc::clone(main));
            return Ok(());
        }
        let own = relay_certificate(dir, &[config.relay_host()], now)?;
        self.relay = Some(Resolver::of(&own)?);
        self.facts.relay_sha256 = Some(own.sha256());
        Ok(())
    }

    /// The digest that nodes know the relay's certificate by; `None` with a public one.
    pub fn relay_digest(&self) -> Option<[u8; 32]> {
        let mut digest = [0; 32];
        hex::decode_to_slice(self.facts.relay_sha256.as_ref()?, &mut digest).ok()?;
        Some(digest)
    }

    /// How a machine without our agent comes to trust the main listener.
    pub fn trust(&self) -> Trust {
        Trust {
            pin: self.pin.clone(),
        }
    }

    /// Keeps them fresh while the server runs.
    pub fn follow(&self, app: &Arc<App>) {
        let Some(resolver) = self.main.clone() else {
            return;
        };
        let (app, tasks) = (Arc::clone(app), app.tasks.clone());
        match &self.source {
            Source::None | Source::LocalCa => {}
            Source::Files { chain, key } => {
                let (chain, key) = (chain.clone(), key.clone());
                tasks.spawn(until_stop(app.stop.clone(), async move {
                    follow_files(&chain, &key, &resolver).await;
                }));
            }
            Source::Acme(acme) => {
                let acme = acme.clone();
                tasks.spawn(until_stop(app.stop.clone(), async move {
                    follow_acme(&acme, &resolver, &app).await;
                }));
            }
        }
    }
}

impl Source {
    fn of(config: &Config, dir: &Path) -> Self {
        let tls = &config.tls;
        if !config.uses_tls() {
            return Self::None;
        }
        if let (Some(chain), Some(key)) = (&tls.cert_file, &tls.key_file) {
            return Self::Files {
                chain: chain.clone(),
                key: key.clone(),
            };
        }
        let Some(directory) = &tls.acme_directory else {
            return Self::LocalCa;
        };
        let contact = tls.acme_contact.as_ref();
        Self::Acme(Acme {
            directory: directory.clone(),
            contact: contact.map(|c| c.trim_start_matches("mailto:").to_owned()),
            root: tls.acme_ca_file.clone(),
            names: tls.acme_domains.clone(),
            dir: dir.to_owned(),
        })
    }
}

async fn until_stop(stop: tokio_util::sync::CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// How often certificate files are looked at.
const LOOK: Duration = Duration::from_mins(1);

/// Presents new files when they change; keeps the old certificate when they do not fit.
async fn follow_files(chain: &Path, key: &Path, resolver: &Resolver) {
    let mut seen = stamps(chain, key);
    loop {
        sleep(LOOK).await;
        let now = stamps(chain, key);
        if now == seen {
            continue;
        }
        seen = now;
        match Material::from_files(chain, key).and_then(|new| resolver.set(&new)) {
            Ok(()) => tracing::info!("the changed certificate files are in use"),
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the changed certificate files cannot be used; the old certificate stays"
            ),
        }
    }
}

fn stamps(chain: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [chain, key].map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
}

/// How often the end of an ACME certificate is looked at.
const RENEW_LOOK: Duration = Duration::from_hours(6);
/// How long to wait after a failed order; authorities limit failures by the hour.
const RETRY: Duration = Duration::from_mins(20);

async fn follow_acme(acme: &Acme, resolver: &Resolver, app: &App) {
    loop {
        let wait = match renew(acme, resolver, app.clock.now()).await {
            Ok(()) => RENEW_LOOK,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "no certificate by ACME; the next try is in 20 minutes"
                );
                RETRY
            }
        };
        sleep(wait).await;
    }
}

async fn renew(acme: &Acme, resolver: &Resolver, now: Timestamp) -> Result<()> {
    if acme.kept(now)?.is_some() {
        return Ok(());
    }
    let made = acme
        .order(resolver, now)
        .await
        .with_context(|| format!("ordering a certificate for {}", acme.names.join(", ")))?;
    resolver.set(&made)?;
    tracing::info!(names = acme.names.join(", "), "a certificate came by ACME");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(listen: &str, dir: &Path) -> Config {
        crate::config::load_from(
            "",
            [("LISTEN", listen), ("DIR", dir.to_str().unwrap())].map(|(k, v)| {
                let key = match k {
                    "LISTEN" => "WARREN_HTTP__LISTEN",
                    _ => "WARREN_DATA_DIR",
                };
                (key.to_owned(), v.to_owned())
            }),
        )
        .unwrap()
    }

    #[test]
    fn on_loopback_only_the_relay_speaks_tls_and_nodes_know_it_by_digest() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("127.0.0.1:8080", dir.path());
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let made = Certificates::prepare(&config, now).unwrap();
        assert!(made.main.is_none() && made.relay.is_some());
        assert!(made.relay_digest().is_some());
        assert_eq!(made.facts.ca_sha256, None);
        let again = Certificates::prepare(&config, now).unwrap();
        assert_eq!(again.facts, made.facts);
    }

    #[test]
    fn off_loopback_the_local_ca_stands_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("192.0.2.7:443", dir.path());
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let made = Certificates::prepare(&config, now).unwrap();
        assert!(made.main.is_some() && made.relay.is_none());
        assert!(made.facts.ca_sha256.is_some() && made.facts.ca_pem.is_some());
        let pin = made.trust().pin.unwrap();
        assert!(pin.starts_with("sha256//"), "{pin}");
    }
}
