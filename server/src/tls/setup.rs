//! Which certificates this server presents: chosen once, at start, from the
//! configuration; renewed while it runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use arc_swap::ArcSwap;
use wire::Timestamp;

use super::{
    Facts, Material, Resolver,
    acme::Acme,
    local_ca::{LocalCa, relay_certificate},
};
use crate::{config::Config, http::install::Trust};

mod follow;

pub use follow::follow;

/// The folder in the data directory that holds what the server made itself.
pub const DIR: &str = "tls";

/// The certificates of this server.
#[derive(Debug)]
pub struct Certificates {
    /// Of the main listener; `None`: it speaks plain HTTP.
    pub main: Option<Arc<Resolver>>,
    /// Of the relay's own listener, when it has one.
    pub relay: Option<Arc<Resolver>>,
    facts: ArcSwap<Facts>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    None,
    Files { chain: PathBuf, key: PathBuf },
    Acme(Acme),
    LocalCa,
}

/// Certificates that the server made itself, and what others are told of them.
#[derive(Debug, Default)]
struct Own {
    main: Option<Material>,
    relay: Option<Material>,
    facts: Facts,
}

impl Own {
    /// The kept ones while they fit, else new ones.
    fn of(source: &Source, config: &Config, now: Timestamp) -> Result<Self> {
        let dir = config.data_dir().join(DIR);
        match source {
            Source::Files { .. } | Source::Acme(_) => Ok(Self::default()),
            Source::LocalCa => Self::by_local_ca(config, &dir, now),
            Source::None if config.relay_listen().is_none() => Ok(Self::default()),
            Source::None => {
                let relay = relay_certificate(&dir, &[config.relay_host()], now)?;
                Ok(Self {
                    facts: Facts {
                        relay_sha256: Some(relay.sha256()),
                        ..Facts::default()
                    },
                    relay: Some(relay),
                    main: None,
                })
            }
        }
    }

    fn by_local_ca(config: &Config, dir: &Path, now: Timestamp) -> Result<Self> {
        let ca = LocalCa::open(dir, now)?;
        let leaf = ca.leaf(dir, &config.own_names(), now)?;
        Ok(Self {
            facts: Facts {
                ca_sha256: Some(ca.sha256()?),
                ca_pem: Some(ca.pem().to_owned()),
                relay_sha256: Some(leaf.sha256()),
                pin: Some(leaf.pin()?),
            },
            relay: None,
            main: Some(leaf),
        })
    }
}

impl Certificates {
    /// Reads or makes them.
    pub fn prepare(config: &Config, now: Timestamp) -> Result<Self> {
        let source = Source::of(config, &config.data_dir().join(DIR));
        let own = Own::of(&source, config, now)?;
        let resolver = |material: &Option<Material>| match material {
            Some(material) => Resolver::of(material).map(Some),
            None => Ok(None),
        };
        let main = match &source {
            Source::None | Source::LocalCa => resolver(&own.main)?,
            Source::Files { chain, key } => Some(Resolver::of(&Material::from_files(chain, key)?)?),
            Source::Acme(acme) => {
                let resolver = Arc::new(Resolver::default());
                if let Some(kept) = acme.kept_valid(now)? {
                    resolver.set(&kept)?;
                }
                Some(resolver)
            }
        };
        // The main certificate where there is one, else one that nodes know by its digest.
        let relay = match (config.relay_listen(), &main) {
            (None, _) => None,
            (Some(_), Some(main)) => Some(Arc::clone(main)),
            (Some(_), None) => resolver(&own.relay)?,
        };
        Ok(Self {
            main,
            relay,
            facts: ArcSwap::from_pointee(own.facts),
            source,
        })
    }

    /// Makes those of its own anew that are near their end, and presents them
    /// from the next handshake on; whether any was made.
    pub fn renew(&self, config: &Config, now: Timestamp) -> Result<bool> {
        let own = Own::of(&self.source, config, now)?;
        if own.facts == **self.facts.load() {
            return Ok(false);
        }
        if let (Some(resolver), Some(leaf)) = (&self.main, &own.main) {
            resolver.set(leaf)?;
        }
        if let (Some(resolver), Some(leaf)) = (&self.relay, &own.relay) {
            resolver.set(leaf)?;
        }
        self.facts.store(Arc::new(own.facts));
        Ok(true)
    }

    /// What others are told of them now.
    pub fn facts(&self) -> Arc<Facts> {
        self.facts.load_full()
    }

    /// The digest that nodes know the relay's certificate by; `None` with a public one.
    pub fn relay_digest(&self) -> Option<[u8; 32]> {
        let mut digest = [0; 32];
        hex::decode_to_slice(self.facts.load().relay_sha256.as_ref()?, &mut digest).ok()?;
        Some(digest)
    }

    /// How a machine without our agent comes to trust the main listener.
    pub fn trust(&self) -> Trust {
        Trust {
            pin: self.facts.load().pin.clone(),
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
        assert_eq!(made.facts().ca_sha256, None);
        let again = Certificates::prepare(&config, now).unwrap();
        assert_eq!(again.facts(), made.facts());
    }

    #[test]
    fn off_loopback_the_local_ca_stands_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("192.0.2.7:443", dir.path());
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let made = Certificates::prepare(&config, now).unwrap();
        assert!(made.main.is_some() && made.relay.is_none());
        assert!(made.facts().ca_sha256.is_some() && made.facts().ca_pem.is_some());
        let pin = made.trust().pin.unwrap();
        assert!(pin.starts_with("sha256//"), "{pin}");
    }
}
