//! Which certificate a handshake gets: the current one, or the answer to an
//! ACME challenge.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwapOption;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{ACME_ALPN, Material};

/// The certificate of a listener; it can be exchanged while it serves.
#[derive(Debug, Default)]
pub struct Resolver {
    current: ArcSwapOption<CertifiedKey>,
    challenges: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Resolver {
    /// A resolver that has this certificate from the start.
    pub fn of(material: &Material) -> anyhow::Result<Arc<Self>> {
        let resolver = Arc::new(Self::default());
        resolver.set(material)?;
        Ok(resolver)
    }

    /// Presents `material` from the next handshake on.
    pub fn set(&self, material: &Material) -> anyhow::Result<()> {
        self.current.store(Some(material.certified()?));
        Ok(())
    }

    /// Answers TLS-ALPN-01 for `name`.
    pub fn set_challenge(&self, name: &str, answer: Arc<CertifiedKey>) {
        self.challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), answer);
    }

    /// Stops answering TLS-ALPN-01.
    pub fn clear_challenges(&self) {
        self.challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let challenge = hello
            .alpn()
            .is_some_and(|mut words| words.any(|word| word == ACME_ALPN));
        if !challenge {
            return self.current.load_full();
        }
        let name = hello.server_name()?;
        self.challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}
