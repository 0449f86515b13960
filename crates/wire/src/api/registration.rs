//! A machine that waits for a person to sign in.

use serde::{Deserialize, Serialize};

use crate::{TenantId, Timestamp};

/// What the machine says of itself; shown before anybody lets it join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// What it calls itself.
    pub hostname: String,
    /// Its operating system.
    pub os: String,
    /// Its client's version.
    pub client_version: String,
    /// The short form of its node key, as the machine shows it.
    pub node_key: String,
    /// The address it asked from.
    pub address: String,
    /// When it asked.
    pub created: Timestamp,
    /// Tags it asks for.
    pub requested_tags: Vec<String>,
    /// The tenant it belongs to already, when it signs in again; no other can be chosen then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

/// Lets it join.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRegistration {
    /// The tenant; the person who confirms must be a member.
    pub tenant: TenantId,
}

/// It has joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedRegistration {
    /// Its name in the tenant.
    pub name: String,
    /// False when an administrator has yet to approve it.
    pub approved: bool,
}
