//! Whom TLS connections trust: public CAs, one CA known by its digest, or one certificate.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// SHA-256 of a certificate's DER form.
pub type Digest = [u8; 32];

/// Where distributions keep their CAs.
const SYSTEM_FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Makes configurations; the public CAs are read once.
#[derive(Debug, Clone)]
pub struct Tls {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
}

/// How a server proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// By a certificate of a public CA.
    Public,
    /// By a certificate of this CA or of a public one.
    Ca(CertificateDer<'static>),
    /// By this very certificate.
    Certificate(Digest),
    /// Not at all: only for fetching what is proved by its own digest.
    Nobody,
}

impl Tls {
    /// The CAs of `file`, or else the system's and Mozilla's.
    pub fn new(file: Option<&Path>) -> Self {
        let mut roots = RootCertStore::empty();
        let given = file.map(PathBuf::from);
        let mut files = given.into_iter().chain(SYSTEM_FILES.map(PathBuf::from));
        if let Some(certificates) = files.find_map(|file| CertificateDer::pem_file_iter(file).ok())
        {
            roots.add_parsable_certificates(certificates.flatten());
        }
        if file.is_none() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self {
            provider: Arc::new(ring::default_provider()),
            roots: Arc::new(roots),
        }
    }

    /// The configuration for connections to whom `trust` names; HTTP/1.1.
    pub fn config(&self, trust: &Trust) -> Result<Arc<ClientConfig>, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?;
        let mut config = match trust {
            Trust::Public => builder
                .with_root_certificates(Arc::clone(&self.roots))
                .with_no_client_auth(),
            Trust::Ca(ca) => {
                let mut roots = RootCertStore::clone(&self.roots);
                roots.add(ca.clone())?;
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            Trust::Certificate(digest) => builder
                .dangerous()
                .with_custom_certificate_verifier(self.pin(Some(*digest)))
                .with_no_client_auth(),
            Trust::Nobody => builder
                .dangerous()
                .with_custom_certificate_verifier(self.pin(None))
                .with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn pin(&self, digest: Option<Digest>) -> Arc<Pin> {
        Arc::new(Pin {
            digest,
            provider: Arc::clone(&self.provider),
        })
    }
}

/// SHA-256 of a certificate.
pub fn digest(certificate: &[u8]) -> Digest {
    Sha256::digest(certificate).into()
}

/// Whether the digest of `certificate` is `expected`.
pub fn has_digest(certificate: &[u8], expected: &Digest) -> bool {
    digest(certificate).ct_eq(expected).into()
}

/// Reads 64 hex digits; colons between bytes are allowed.
pub fn parse_digest(text: &str) -> Option<Digest> {
    let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
    let mut bytes = Digest::default();
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

/// Takes one certificate, known by its digest; `None`: any.
#[derive(Debug)]
struct Pin {
    digest: Option<Digest>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.digest {
            Some(digest) if !has_digest(end_entity, digest) => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether a failed handshake was judged, by either side; else the connection broke.
pub fn is_judgement(error: &std::io::Error) -> bool {
    judgement(error).is_some()
}

fn judgement(error: &std::io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What a failed handshake means for a person, and what he can do.
pub fn explain(error: &std::io::Error) -> String {
    let Some(Error::InvalidCertificate(why)) = judgement(error) else {
        return error.to_string();
    };
    match kind(why) {
        Kind::Early => format!(
            "its certificate is not valid yet. By this machine's clock it is {}: is that right?",
            crate::clock::Clock::system().wall()
        ),
        Kind::Late => format!(
            "its certificate has expired. By this machine's clock it is {}: if that is right, \
             the server's certificate must be renewed",
            crate::clock::Clock::system().wall()
        ),
        Kind::Name => "its certificate is for another name: check the server's URL".to_owned(),
        Kind::Issuer => "its certificate is not from a CA that this machine trusts. If the server \
             made its own CA, give its digest: --server-ca-sha256 (the console shows it under \
             \"Add device\")"
            .to_owned(),
        Kind::Pin => "its certificate is not the one that was announced".to_owned(),
        Kind::Other => error.to_string(),
    }
}

enum Kind {
    Early,
    Late,
    Name,
    Issuer,
    Pin,
    Other,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls's enum grows")]
fn kind(why: &CertificateError) -> Kind {
    match why {
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Kind::Early,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Kind::Late,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Kind::Name
        }
        CertificateError::UnknownIssuer => Kind::Issuer,
        CertificateError::ApplicationVerificationFailure => Kind::Pin,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_with_and_without_colons() {
        let plain = "ab".repeat(32);
        let colons = ["AB"; 32].join(":");
        assert_eq!(parse_digest(&plain), Some([0xab; 32]));
        assert_eq!(parse_digest(&colons), Some([0xab; 32]));
        assert_eq!(parse_digest("ab"), None);
        assert_eq!(parse_digest("not hex"), None);
    }

    #[test]
    fn a_wrong_clock_is_named() {
        let of =
            |why: CertificateError| explain(&std::io::Error::other(Error::InvalidCertificate(why)));
        assert!(of(CertificateError::NotValidYet).contains("clock"));
        assert!(of(CertificateError::Expired).contains("clock"));
        assert!(of(CertificateError::UnknownIssuer).contains("--server-ca-sha256"));
    }
}
