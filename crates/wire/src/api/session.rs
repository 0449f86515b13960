//! Signing in by one-time link.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::Timestamp;

/// Asks what a one-time link is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InspectLink {
    /// The secret at the link's end.
    pub token: String,
}

/// What a one-time link is for. An unknown, used or expired link is
/// [`super::problem::Code::LinkInvalid`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkInfo {
    /// Makes the first owner and the first tenant.
    Setup {
        /// When it ends.
        expires: Timestamp,
    },
    /// Signs an existing person in.
    Login {
        /// Whom.
        email: String,
        /// When it ends.
        expires: Timestamp,
    },
    /// Makes a person a member of a tenant.
    Invite {
        /// Whom.
        email: String,
        /// The tenant's name.
        tenant: String,
        /// As what.
        role: Role,
        /// When it ends.
        expires: Timestamp,
    },
}

/// Uses a one-time link. Answers [`super::me::Me`] and sets the session cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeemLink {
    /// The secret at the link's end.
    pub token: String,
    /// Set-up and invitation: the name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Set-up only: the owner's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Set-up only: the first tenant's name; its short name follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_name: Option<String>,
}
