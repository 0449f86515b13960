//! Live events: what a page should load again.

use serde::{Deserialize, Serialize};

/// Something changed in the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The stream is open.
    Hello,
    /// Machines: joined, changed, removed, online, paths.
    Nodes,
    /// The policy.
    Policy,
    /// Auth keys.
    AuthKeys,
    /// Members and invitations.
    Users,
    /// The tenant's settings.
    Tenant,
}
