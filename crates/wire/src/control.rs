//! Agent ↔ server: the control protocol's messages (ts2021).
//!
//! Field names on the wire are those of Tailscale's open-source clients
//! (`tailcfg`); every field is optional on reading, unknown fields are
//! ignored, and empty lists are left out on writing: some clients refuse
//! `null` where a list is meant.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{CapabilityVersion, MachineKey};

pub mod map;
pub mod netmap;
pub mod register;
pub mod ssh;

pub use map::{
    DnsConfig, Hostinfo, MapRequest, MapResponse, NetInfo, Node, PeerChange, Resolver, Service,
    UserProfile,
};
pub use netmap::NetMap;
pub use register::{Login, RegisterAuth, RegisterRequest, RegisterResponse, User};
pub use ssh::{SshAction, SshPolicy, SshPrincipal, SshRecordingFailure, SshRule};

/// The answer to `GET /key?v=N`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerKeys {
    /// The key of a protocol that is no longer spoken; all zero.
    #[serde(default)]
    pub legacy_public_key: MachineKey,
    /// The server's Noise key.
    pub public_key: MachineKey,
}

/// The early payload that a server may send right after the Noise response.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlyNoise {
    /// A challenge key; unused by us.
    pub node_key_challenge: String,
}

/// Go's `tailcfg` writes `null` for empty lists and maps: read it as empty.
pub fn null_as_default<'de, D, T>(d: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

/// The readable refusal for clients below [`CapabilityVersion::MINIMUM`].
pub fn too_old(version: CapabilityVersion) -> String {
    format!(
        "this client is too old for this server: it speaks capability version {version}, \
         the server needs {} or newer; please update the client",
        CapabilityVersion::MINIMUM
    )
}
