//! A tenant and its settings.

use serde::{Deserialize, Serialize};

use crate::{TenantId, Timestamp};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The id.
    pub id: TenantId,
    /// The short name in URLs and DNS.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// The suffix of its machines' names, without dots at the ends.
    pub dns_suffix: String,
    /// When it was made.
    pub created: Timestamp,
    /// What its administrators have set.
    pub settings: Settings,
}

/// What a tenant's administrators may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// New devices wait for an administrator.
    pub device_approval: bool,
    /// Days until a user device's key expires, 1 to 180; tagged devices never expire.
    pub node_key_expiry_days: u16,
    /// Minutes offline after which an ephemeral node is removed, 1 to 1440.
    pub ephemeral_removal_minutes: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            device_approval: false,
            node_key_expiry_days: 180,
            ephemeral_removal_minutes: 30,
        }
    }
}

/// Changes what is present.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateTenant {
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}
