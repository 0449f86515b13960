//! Secrets at rest: what the server must read back is sealed, what it must only recognise is hashed.
//!
//! The key of both lies in its own file (0600) beside nothing else that is
//! secret: a stolen database holds no usable credential.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{rng::Rng, tls::material::write_private};

pub mod token;

/// The key of everything secret in the database.
pub struct Vault {
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: Zeroizing::new(key),
        }
    }

    /// Reads the key file, or makes it when there is no database yet.
    pub fn open(path: &Path, database_exists: bool, rng: Rng) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                Self::from_text(&text).with_context(|| format!("reading {}", path.display()))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && database_exists => bail!(
                "the database exists but its key file {} is missing. Without it the server's own \
                 keys and all credentials are unreadable. Restore the file from your backup, or \
                 start with an empty data directory and database",
                path.display()
            ),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::create(path, rng),
            Err(e) => Err(e).with_context(|| format!("reading {}", path.display())),
        }
    }

    fn from_text(text: &str) -> Result<Self> {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .ok()
            .context("it is not 64 hex digits")?;
        Ok(Self::new(key))
    }

    fn create(path: &Path, rng: Rng) -> Result<Self> {
        let vault = Self::new(rng.bytes());
        let text = Zeroizing::new(hex::encode(*vault.key));
        write_private(path, text.as_bytes())?;
        Ok(vault)
    }

    /// Seals `plain`; `place` (table, column, row) is bound to it, so that a
    /// sealed text moved elsewhere does not open.
    pub fn seal(&self, place: &str, plain: &[u8], rng: Rng) -> Result<String> {
        let nonce: [u8; 24] = rng.bytes();
        let sealed = self
            .cipher()
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: plain,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| anyhow::anyhow!("sealing {place} failed"))?;
        Ok(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn unseal(&self, place: &str, text: &str) -> Result<Zeroizing<Vec<u8>>> {
        let bytes = STANDARD_NO_PAD
            .decode(text)
            .context("a sealed secret is not base64")?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<24>()
            .context("a sealed secret is short")?;
        self.cipher()
            .decrypt(
                nonce.into(),
                Payload {
                    msg: sealed,
                    aad: place.as_bytes(),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| anyhow::anyhow!("{place} cannot be opened with this key file"))
    }

    /// What is stored of a random secret that is only ever recognised: a keyed hash, in hex.
    pub fn hash(&self, secret: &str) -> String {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&*self.key)
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(b"warren recognises\0");
        mac.update(secret.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

/// Compares two hashes without telling by time where they differ.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_in_its_place_only() {
        let vault = Vault::new([1; 32]);
        let sealed = vault.seal("secrets|sealed|noise", b"key", Rng).unwrap();
        assert_eq!(
            *vault.unseal("secrets|sealed|noise", &sealed).unwrap(),
            b"key"
        );
        assert!(vault.unseal("secrets|sealed|relay", &sealed).is_err());
        assert!(
            Vault::new([2; 32])
                .unseal("secrets|sealed|noise", &sealed)
                .is_err()
        );
        assert_ne!(
            sealed,
            vault.seal("secrets|sealed|noise", b"key", Rng).unwrap()
        );
    }

    #[test]
    fn a_database_without_its_key_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault.key");
        let refusal = Vault::open(&path, true, Rng).unwrap_err().to_string();
        assert!(
            refusal.contains("key file") && refusal.contains("vault.key"),
            "{refusal}"
        );
        let first = Vault::open(&path, false, Rng).unwrap();
        let again = Vault::open(&path, true, Rng).unwrap();
        assert_eq!(first.hash("x"), again.hash("x"));
        assert_ne!(first.hash("x"), first.hash("y"));
    }
}
