//! Certificates by ACME (RFC 8555), proved by TLS-ALPN-01 on the server's own
//! TLS port, so that no other port has to be open.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use wire::Timestamp;

use super::{
    Material, Resolver,
    material::{About, make_private, write_private},
};

/// Public authorities give 90 days or fewer; a third of it is left for repairs.
const LIFE: Duration = Duration::from_hours(90 * 24);
const RENEW_BEFORE: Duration = Duration::from_hours(30 * 24);

/// What to ask of whom.
#[derive(Debug, Clone)]
pub struct Acme {
    /// The authority's directory.
    pub directory: String,
    /// Who is told about trouble.
    pub contact: Option<String>,
    /// A PEM file with the root of the authority's own HTTPS; the system's roots otherwise.
    pub root: Option<PathBuf>,
    /// The names to be proved.
    pub names: Vec<String>,
    /// Where account and certificate are kept.
    pub dir: PathBuf,
}

impl Acme {
    /// The kept certificate, when it fits and is not near its end.
    pub fn kept(&self, now: Timestamp) -> anyhow::Result<Option<Material>> {
        Ok(self
            .kept_any()?
            .and_then(|(m, about)| (about.not_after > now.plus(RENEW_BEFORE)).then_some(m)))
    }

    /// The kept certificate while it is valid at all: better than none until
    /// the next one is there.
    pub fn kept_valid(&self, now: Timestamp) -> anyhow::Result<Option<Material>> {
        Ok(self
            .kept_any()?
            .and_then(|(m, about)| (about.not_after > now).then_some(m)))
    }

    fn kept_any(&self) -> anyhow::Result<Option<(Material, About)>> {
        Ok(Material::kept(&self.dir, "acme")?.filter(|(_, about)| about.names == self.sorted()))
    }

    /// Asks for a certificate; `resolver` must be served on port 443 of every
    /// name while this runs. Keeps it and returns it.
    pub async fn order(&self, resolver: &Resolver, now: Timestamp) -> anyhow::Result<Material> {
        let account = self.account().await?;
        let identifiers: Vec<_> = self.names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account
            .new_order(&NewOrder::new(&identifiers))
            .await
            .context("the authority refused the order")?;
        let proved = prove(&mut order, resolver).await;
        resolver.clear_challenges();
        proved?;
        let (chain, key) = self.finish(&mut order).await?;
        let material = Material::from_pem(&chain, &key)?;
        let about = About {
            names: self.sorted(),
            not_after: now.plus(LIFE),
        };
        material.keep(&self.dir, "acme", &about)?;
        Ok(material)
    }

    async fn finish(&self, order: &mut Order) -> anyhow::Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.names.clone())?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key)?;
        order
            .finalize_csr(request.der())
            .await
            .context("the authority refused the certificate request")?;
        let chain = order
            .poll_certificate(&RetryPolicy::default())
            .await
            .context("the certificate did not come")?;
        Ok((chain, key.serialize_pem()))
    }

    async fn account(&self) -> anyhow::Result<Account> {
        let file = self.dir.join("acme-account.json");
        if let Ok(bytes) = std::fs::read(&file) {
            let credentials: AccountCredentials =
                serde_json::from_slice(&bytes).context("acme-account.json cannot be read")?;
            return self
                .builder()?
                .from_credentials(credentials)
                .await
                .context("the authority does not know our account");
        }
        let contact = self.contact.as_ref().map(|c| format!("mailto:{c}"));
        let contacts: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contacts,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = self
            .builder()?
            .create(&new, self.directory.clone(), None)
            .await
            .context("the authority gave no account")?;
        make_private(&self.dir)?;
        write_private(&file, &serde_json::to_vec(&credentials)?)?;
        Ok(account)
    }

    fn builder(&self) -> anyhow::Result<AccountBuilder> {
        Ok(match &self.root {
            Some(root) => Account::builder_with_root(root)?,
            None => Account::builder()?,
        })
    }

    fn sorted(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.sort();
        names
    }
}

async fn prove(order: &mut Order, resolver: &Resolver) -> anyhow::Result<()> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization
            .challenge(ChallengeType::TlsAlpn01)
            .context("the authority offers no TLS-ALPN-01")?;
        let name = challenge.identifier().to_string();
        let answer = answer(&name, challenge.key_authorization().digest().as_ref())?;
        resolver.set_challenge(&name, answer);
        challenge.set_ready().await?;
    }
    let patient = RetryPolicy::new().timeout(Duration::from_secs(90));
    let status = order.poll_ready(&patient).await?;
    anyhow::ensure!(
        status == OrderStatus::Ready || status == OrderStatus::Valid,
        "the authority could not prove our names (order is {status:?}): \
         port 443 of each name must reach this server"
    );
    Ok(())
}

/// The certificate of RFC 8737: self-signed, for `name`, with the digest inside.
fn answer(name: &str, digest: &[u8]) -> anyhow::Result<Arc<CertifiedKey>> {
    anyhow::ensure!(digest.len() == 32, "not a SHA-256 digest");
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The critical extension that makes this certificate useless elsewhere also
    // keeps rustls from parsing it, so key and certificate are joined unread.
    let signer = rustls::crypto::ring::sign::any_supported_type(&key)?;
    Ok(Arc::new(CertifiedKey::new(
        vec![certificate.der().clone()],
        signer,
    )))
}

#[cfg(test)]
mod tests;
