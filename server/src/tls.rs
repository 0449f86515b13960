//! Certificates: files, ACME, the local CA.
//!
//! A public name gets its certificate from files or by ACME. Where neither is
//! given, the server is its own authority: a local CA made at the first start,
//! whose digest "Add device" and the join command carry. The relay's
//! certificate, when it is not a public one, is told to nodes by digest.

pub mod acme;
pub mod local_ca;
pub mod material;
pub mod resolver;
pub mod setup;

use std::sync::Arc;

use rustls::ServerConfig;

pub use self::{material::Material, resolver::Resolver, setup::Certificates};

/// The ALPN word of the TLS-ALPN-01 challenge (RFC 8737).
pub const ACME_ALPN: &[u8] = b"acme-tls/1";

/// What others are told about our certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 (hex, of the DER form) of the local CA's certificate.
    pub ca_sha256: Option<String>,
    /// The local CA's certificate, for `/ca.pem`.
    pub ca_pem: Option<String>,
    /// SHA-256 (hex, of the DER form) of the relay's certificate when it is not a
    /// public one: the `sha256-raw:` of the relay map.
    pub relay_sha256: Option<String>,
    /// The main certificate's key, as curl takes it, when no authority vouches for it.
    pub pin: Option<String>,
}

/// A TLS 1.2 and 1.3 server that presents what `resolver` holds at the moment.
pub fn server_config(resolver: Arc<Resolver>) -> anyhow::Result<Arc<ServerConfig>> {
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_ALPN.to_vec()];
    Ok(Arc::new(config))
}
