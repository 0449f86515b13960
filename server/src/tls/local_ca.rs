//! The local CA: a certificate authority of this server alone.
//!
//! Made at the first start and kept for ten years; the server's own certificate
//! is made anew when its names change or its end comes near, so machines that
//! know the CA's digest never have to learn another one.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use wire::Timestamp;

use super::material::{
    About, Material, digest, make_private, server_params, set_validity, write_private,
};

const DAY: Duration = Duration::from_hours(24);
const CA_LIFE: Duration = Duration::from_hours(10 * 365 * 24);
/// Apple's clients refuse more than 825 days.
const LEAF_LIFE: Duration = Duration::from_hours(820 * 24);
/// The key while its certificate is not written: a start that is killed in
/// between leaves no half of an authority.
const STAGED: &str = "ca.key.staged";
/// A certificate with less than this left is made anew.
const RENEW_BEFORE: Duration = Duration::from_hours(60 * 24);

/// The authority.
pub struct LocalCa {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalCa").finish_non_exhaustive()
    }
}

impl LocalCa {
    /// Opens the authority kept in `dir`, or makes it. One half without the
    /// other is an error: machines trust the old digest, so a new authority
    /// must be a person's decision.
    pub fn open(dir: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let (certificate_file, key_file) = (dir.join("ca.pem"), dir.join("ca.key"));
        let staged = dir.join(STAGED);
        if certificate_file.exists() && !key_file.exists() && staged.exists() {
            std::fs::rename(&staged, &key_file).context("cannot finish ca.key")?;
        }
        match (certificate_file.exists(), key_file.exists()) {
            (true, true) => Self::load(
                &std::fs::read_to_string(&certificate_file).context("cannot read ca.pem")?,
                &std::fs::read_to_string(&key_file).context("cannot read ca.key")?,
            ),
            (false, false) => {
                let (certificate, key) = generate(now)?;
                make_private(dir)?;
                write_private(&staged, key.as_bytes())?;
                write_private(&certificate_file, certificate.as_bytes())?;
                std::fs::rename(&staged, &key_file).context("cannot finish ca.key")?;
                Self::load(&certificate, &key)
            }
            (has_certificate, _) => {
                let missing = if has_certificate { "ca.key" } else { "ca.pem" };
                anyhow::bail!(
                    "{} is missing in {}: restore it from a backup, or remove the other half \
                     to make a new local CA, which every machine must then be told",
                    missing,
                    dir.display()
                )
            }
        }
    }

    fn load(certificate_pem: &str, key_pem: &str) -> anyhow::Result<Self> {
        let key = KeyPair::from_pem(key_pem).context("ca.key is not a private key")?;
        Ok(Self {
            certificate_pem: certificate_pem.to_owned(),
            issuer: Issuer::from_ca_cert_pem(certificate_pem, key)
                .context("ca.pem is not a certificate")?,
        })
    }

    /// The certificate in PEM form.
    pub fn pem(&self) -> &str {
        &self.certificate_pem
    }

    /// SHA-256 of the certificate's DER form, hex.
    pub fn sha256(&self) -> anyhow::Result<String> {
        let der = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())
            .context("ca.pem is not a certificate")?;
        Ok(digest(&der))
    }

    /// The server's certificate for `names`: the one kept in `dir` while it
    /// fits, else a new one.
    pub fn leaf(&self, dir: &Path, names: &[String], now: Timestamp) -> anyhow::Result<Material> {
        let names = sorted(names);
        if let Some((kept, about)) = Material::kept(dir, "server")?
            && about.names == names
            && about.not_after > now.plus(RENEW_BEFORE)
        {
            return Ok(kept);
        }
        let about = About {
            names,
            not_after: now.plus(LEAF_LIFE),
        };
        let key = KeyPair::generate()?;
        let certificate = server_params(&about, now)?.signed_by(&key, &self.issuer)?;
        let leaf = Material::from_pem(&certificate.pem(), &key.serialize_pem())?;
        leaf.keep(dir, "server", &about)?;
        Ok(leaf)
    }
}

/// The relay's self-signed certificate: the kept one while it fits, else a new one.
pub fn relay_certificate(dir: &Path, names: &[String], now: Timestamp) -> anyhow::Result<Material> {
    let names = sorted(names);
    if let Some((kept, about)) = Material::kept(dir, "relay")?
        && about.names == names
        && about.not_after > now.plus(RENEW_BEFORE)
    {
        return Ok(kept);
    }
    let about = About {
        names,
        not_after: now.plus(CA_LIFE),
    };
    let made = super::material::self_signed(&about, now)?;
    made.keep(dir, "relay", &about)?;
    Ok(made)
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    names
}

fn generate(now: Timestamp) -> anyhow::Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    let mark: String = digest(key.public_key_raw()).chars().take(8).collect();
    name.push(DnType::CommonName, format!("Warren local CA {mark}"));
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, now.plus(CA_LIFE + DAY))?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn the_authority_outlives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = LocalCa::open(dir.path(), NOW).unwrap().sha256().unwrap();
        let second = LocalCa::open(dir.path(), NOW).unwrap().sha256().unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn a_first_start_that_was_killed_leaves_no_half_of_an_authority() {
        let dir = tempfile::tempdir().unwrap();
        let (key, staged) = (dir.path().join("ca.key"), dir.path().join(STAGED));
        std::fs::write(&staged, "of a certificate that was never written").unwrap();
        let first = LocalCa::open(dir.path(), NOW).unwrap().sha256().unwrap();
        std::fs::rename(&key, &staged).unwrap();
        assert_eq!(
            LocalCa::open(dir.path(), NOW).unwrap().sha256().unwrap(),
            first
        );
    }

    #[test]
    fn half_an_authority_is_refused_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        LocalCa::open(dir.path(), NOW).unwrap();
        std::fs::remove_file(dir.path().join("ca.key")).unwrap();
        let error = LocalCa::open(dir.path(), NOW).unwrap_err();
        assert!(error.to_string().contains("ca.key is missing"));
    }

    #[test]
    fn the_leaf_is_kept_until_names_or_time_ask_for_another() {
        let dir = tempfile::tempdir().unwrap();
        let ca = LocalCa::open(dir.path(), NOW).unwrap();
        let here = names(&["warren.example", "192.0.2.1"]);
        let first = ca.leaf(dir.path(), &here, NOW).unwrap();
        assert_eq!(
            ca.leaf(dir.path(), &here, NOW).unwrap().sha256(),
            first.sha256()
        );
        let more = names(&["warren.example", "192.0.2.1", "2001:db8::1"]);
        let second = ca.leaf(dir.path(), &more, NOW).unwrap();
        assert_ne!(second.sha256(), first.sha256());
        let late = NOW.plus(LEAF_LIFE).minus(DAY * 30);
        let third = ca.leaf(dir.path(), &more, late).unwrap();
        assert_ne!(third.sha256(), second.sha256());
    }

    #[test]
    fn the_relays_certificate_is_stable() {
        let dir = tempfile::tempdir().unwrap();
        let here = names(&["127.0.0.1"]);
        let first = relay_certificate(dir.path(), &here, NOW).unwrap();
        let second = relay_certificate(dir.path(), &here, NOW.plus(DAY * 1000)).unwrap();
        assert_eq!(first.sha256(), second.sha256());
    }
}
