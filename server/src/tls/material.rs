//! A certificate with its key, in memory and on disk.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wire::Timestamp;

/// A certificate chain and the key of its first certificate.
#[derive(Clone)]
pub struct Material {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    /// The PEM text of chain and key, as it is kept on disk.
    pem: String,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Material")
            .field("sha256", &self.sha256())
            .finish_non_exhaustive()
    }
}

/// What we remember of a certificate we made or had made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its names and addresses, sorted.
    pub names: Vec<String>,
    /// When it ends.
    pub not_after: Timestamp,
}

impl Material {
    /// From PEM text: certificates (the leaf first) and one key, in any order.
    pub fn from_pem(certificates: &str, key: &str) -> anyhow::Result<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates.as_bytes())
            .collect::<Result<_, _>>()
            .context("the certificate file is not PEM")?;
        anyhow::ensure!(
            !chain.is_empty(),
            "the certificate file holds no certificate"
        );
        let private = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| anyhow::anyhow!("the key file holds no private key in PEM form"))?;
        let pem = if certificates == key {
            key.to_owned()
        } else {
            format!("{certificates}\n{key}")
        };
        let material = Self {
            chain,
            key: Arc::new(private),
            pem,
        };
        material.certified()?;
        Ok(material)
    }

    /// From a certificate file and a key file.
    pub fn from_files(certificates: &Path, key: &Path) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        Self::from_pem(&read(certificates)?, &read(key)?)
    }

    /// As rustls takes it; refuses a key that does not fit its certificate.
    pub fn certified(&self) -> anyhow::Result<Arc<CertifiedKey>> {
        let key = CertifiedKey::from_der(
            self.chain.clone(),
            self.key.clone_key(),
            &rustls::crypto::ring::default_provider(),
        )
        .context("the certificate and its key do not fit")?;
        Ok(Arc::new(key))
    }

    /// SHA-256 of the first certificate's DER form, hex.
    pub fn sha256(&self) -> String {
        self.chain.first().map(|c| digest(c)).unwrap_or_default()
    }

    /// curl's `--pinnedpubkey` word for the key: a machine that has nothing else
    /// knows the server by it.
    pub fn pin(&self) -> anyhow::Result<String> {
        let key = KeyPair::try_from(&*self.key).context("the key's kind is not known")?;
        let digest = Sha256::digest(key.subject_public_key_info());
        Ok(format!("sha256//{}", STANDARD.encode(digest)))
    }

    /// Reads what [`Material::keep`] wrote; `None` when there is nothing.
    pub fn kept(dir: &Path, stem: &str) -> anyhow::Result<Option<(Self, About)>> {
        let pem = match fs::read_to_string(dir.join(format!("{stem}.pem"))) {
            Ok(pem) => pem,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).with_context(|| format!("cannot read {stem}.pem")),
        };
        let about = fs::read(dir.join(format!("{stem}.json")))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(about) = about else { return Ok(None) };
        Ok(Some((Self::from_pem(&pem, &pem)?, about)))
    }

    /// Writes it under `dir` (0700), readable by us alone.
    pub fn keep(&self, dir: &Path, stem: &str, about: &About) -> anyhow::Result<()> {
        make_private(dir)?;
        write_private(&dir.join(format!("{stem}.pem")), self.pem.as_bytes())?;
        let about = serde_json::to_vec(about)?;
        write_private(&dir.join(format!("{stem}.json")), &about)
    }
}

/// SHA-256, hex.
pub fn digest(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

/// Makes `dir` with mode 0700.
pub fn make_private(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot protect {}", dir.display()))
}

/// Writes a file of mode 0600, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let _ = fs::remove_file(&temporary);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The new name itself must survive a power cut.
        path.parent()
            .map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The issuer type of the local CA.
pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// A server certificate's parameters.
pub fn server_params(about: &About, now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(about.names.clone())?;
    params.distinguished_name = DistinguishedName::new();
    let first = about.names.first().map_or("warren", String::as_str);
    params.distinguished_name.push(DnType::CommonName, first);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now, about.not_after)?;
    Ok(params)
}

/// Valid from a day before `now`, because clocks differ, to `not_after`.
pub fn set_validity(
    params: &mut CertificateParams,
    now: Timestamp,
    not_after: Timestamp,
) -> anyhow::Result<()> {
    let day = std::time::Duration::from_hours(24);
    params.not_before = time::OffsetDateTime::from_unix_timestamp(now.minus(day).unix_seconds())?;
    params.not_after = time::OffsetDateTime::from_unix_timestamp(not_after.unix_seconds())?;
    Ok(())
}

/// A certificate signed by its own key: for the relay, told to nodes by digest.
pub fn self_signed(about: &About, now: Timestamp) -> anyhow::Result<Material> {
    let key = KeyPair::generate()?;
    let certificate = server_params(about, now)?.self_signed(&key)?;
    Material::from_pem(&certificate.pem(), &key.serialize_pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_certificate_is_private_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("tls");
        let about = About {
            names: vec!["relay.example".to_owned()],
            not_after: Timestamp::from_unix_seconds(4_000_000_000),
        };
        let made = self_signed(&about, Timestamp::from_unix_seconds(1_800_000_000)).unwrap();
        made.keep(&dir, "relay", &about).unwrap();
        let (kept, kept_about) = Material::kept(&dir, "relay").unwrap().unwrap();
        assert_eq!(kept.sha256(), made.sha256());
        assert_eq!(kept_about, about);
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join("relay.pem")), 0o600);
        assert!(Material::kept(&dir, "other").unwrap().is_none());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let about = About {
            names: vec!["a.example".to_owned()],
            not_after: Timestamp::from_unix_seconds(4_000_000_000),
        };
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let one = self_signed(&about, now).unwrap();
        let other = KeyPair::generate().unwrap().serialize_pem();
        assert!(Material::from_pem(&one.pem, &other).is_err());
        assert!(Material::from_pem("nonsense", "nonsense").is_err());
    }
}
