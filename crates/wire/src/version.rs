//! The capability version: one integer that says what a client understands.

use serde::{Deserialize, Serialize};

/// What a client understands, as one growing integer (`tailcfg.CapabilityVersion`).
///
/// History of the versions that change what the server sends:
/// 68: the streaming map request is read-only; 81: named packet filters;
/// 109: `cap:` sources in filters; 111: `HomeDERP`; 112: absent `AllowedIPs`
/// mean the addresses; 115: a relay's certificate may be pinned by digest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CapabilityVersion(pub u16);

impl CapabilityVersion {
    /// The oldest client that is served: the first that honours `sha256-raw` relay certificates.
    pub const MINIMUM: Self = Self(115);
    /// What our own agent announces.
    pub const AGENT: Self = Self(142);
}

impl std::fmt::Display for CapabilityVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
