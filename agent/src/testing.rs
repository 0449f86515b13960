//! What tests of several modules need: certificates, and servers that speak TLS with them.

use std::{sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

/// Nothing in a test takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// A certificate for 127.0.0.1, and the CA it is from.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    /// The server's certificate.
    pub(crate) leaf: CertificateDer<'static>,
    /// The CA's, PEM and DER.
    pub(crate) ca_pem: String,
    pub(crate) ca: CertificateDer<'static>,
}

impl Identity {
    /// Valid now.
    pub(crate) fn new() -> Self {
        Self::valid(2000, 4000)
    }

    /// Valid from one year's first day to another's.
    pub(crate) fn valid(from: i32, until: i32) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&ca.pem(), ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let leaf = params.signed_by(&key, &issuer).unwrap();
        let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            leaf: leaf.der().clone(),
            ca_pem: ca.pem(),
            ca: ca.der().clone(),
        }
    }
}
