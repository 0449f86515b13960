//! Keys and boxes of the relay protocol's first three frames.
//!
//! A client proves its node key by a NaCl box (X25519, XSalsa20-Poly1305)
//! between that key and the relay's own.

use crypto_box::{PublicKey, SalsaBox, SecretKey, aead::Aead};
use serde::{Deserialize, Serialize};
use wire::{NodeKey, NodeSecret};

use super::frame::Frame;

/// The longest client information that is opened.
pub const MAX_CLIENT_INFO: usize = 256 * 1024;

/// A relay's public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayKey([u8; 32]);

impl RelayKey {
    /// From the 32 raw bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for RelayKey {
    /// 64 hex digits, as in the `Derp-Public-Key` header.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Debug for RelayKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A relay's private key.
#[derive(Clone)]
pub struct RelaySecret(SecretKey);

impl RelaySecret {
    /// From 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(SecretKey::from(bytes))
    }

    /// The public half.
    pub fn public(&self) -> RelayKey {
        RelayKey(*self.0.public_key().as_bytes())
    }
}

impl std::fmt::Debug for RelaySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelaySecret(…)")
    }
}

/// Why a greeting was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GreetingError {
    /// The box does not open: the other side does not hold the key it claims.
    #[error("the relay greeting did not verify")]
    Authentication,
    /// What was inside is not what the protocol says.
    #[error("the relay greeting is malformed")]
    Malformed,
}

/// What a client says of itself. Read leniently: other clients spell some fields differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientInfo {
    /// The protocol's version.
    pub version: u8,
    /// It answers pings.
    #[serde(rename = "CanAckPings", alias = "can_ack_pings")]
    pub can_ack_pings: bool,
    /// It measures only.
    #[serde(rename = "IsProber", alias = "is_prober")]
    pub is_prober: bool,
}

/// What a relay says of itself; we promise no limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// The protocol's version.
    pub version: u8,
}

/// A client that proved its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientHello {
    /// Its node key.
    pub key: NodeKey,
    /// What it says of itself.
    pub info: ClientInfo,
}

/// Server: opens a [`Frame::ClientInfo`].
pub fn open_client_info(
    relay: &RelaySecret,
    key: NodeKey,
    nonce: &[u8; 24],
    sealed: &[u8],
) -> Result<ClientHello, GreetingError> {
    if sealed.len() > MAX_CLIENT_INFO {
        return Err(GreetingError::Malformed);
    }
    let plain = SalsaBox::new(&PublicKey::from(*key.as_bytes()), &relay.0)
        .decrypt(nonce.into(), sealed)
        .map_err(|_| GreetingError::Authentication)?;
    let info = serde_json::from_slice(&plain).map_err(|_| GreetingError::Malformed)?;
    Ok(ClientHello { key, info })
}

/// Server: appends the [`Frame::ServerInfo`] for the client with `key`.
pub fn put_server_info(
    relay: &RelaySecret,
    key: &NodeKey,
    nonce: [u8; 24],
    out: &mut Vec<u8>,
) -> Result<(), GreetingError> {
    let info = ServerInfo {
        version: super::VERSION,
    };
    let plain = serde_json::to_vec(&info).map_err(|_| GreetingError::Malformed)?;
    let sealed = SalsaBox::new(&PublicKey::from(*key.as_bytes()), &relay.0)
        .encrypt((&nonce).into(), plain.as_slice())
        .map_err(|_| GreetingError::Authentication)?;
    Frame::ServerInfo {
        nonce,
        sealed: &sealed,
    }
    .encode(out);
    Ok(())
}

/// Client: appends its [`Frame::ClientInfo`].
pub(super) fn put_client_info(
    node: &NodeSecret,
    relay: &RelayKey,
    nonce: [u8; 24],
    out: &mut Vec<u8>,
) -> Result<(), GreetingError> {
    let info = ClientInfo {
        version: super::VERSION,
        can_ack_pings: true,
        is_prober: false,
    };
    let plain = serde_json::to_vec(&info).map_err(|_| GreetingError::Malformed)?;
    let sealed = client_box(node, relay)
        .encrypt((&nonce).into(), plain.as_slice())
        .map_err(|_| GreetingError::Authentication)?;
    Frame::ClientInfo {
        key: node.public(),
        nonce,
        sealed: &sealed,
    }
    .encode(out);
    Ok(())
}

/// Client: opens the relay's [`Frame::ServerInfo`], which proves that it holds its key.
pub(super) fn open_server_info(
    node: &NodeSecret,
    relay: &RelayKey,
    nonce: &[u8; 24],
    sealed: &[u8],
) -> Result<ServerInfo, GreetingError> {
    let plain = client_box(node, relay)
        .decrypt(nonce.into(), sealed)
        .map_err(|_| GreetingError::Authentication)?;
    serde_json::from_slice(&plain).map_err(|_| GreetingError::Malformed)
}

fn client_box(node: &NodeSecret, relay: &RelayKey) -> SalsaBox {
    let secret = SecretKey::from(node.secret().to_bytes());
    SalsaBox::new(&PublicKey::from(relay.0), &secret)
}
