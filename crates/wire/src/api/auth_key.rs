//! Auth keys: how machines join without a person at them.

use serde::{Deserialize, Serialize};

use crate::{AuthKeyId, Timestamp, UserId};

/// An auth key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthKey {
    /// The id.
    pub id: AuthKeyId,
    /// What it is for, in the maker's words.
    pub description: String,
    /// The first characters of the secret, to tell keys apart.
    pub prefix: String,
    /// Who made it; devices that join without tags are his.
    pub user: UserId,
    /// His e-mail address.
    pub user_email: String,
    /// It may be used more than once.
    pub reusable: bool,
    /// Its nodes are removed when they go.
    pub ephemeral: bool,
    /// Its nodes need no approval.
    pub preapproved: bool,
    /// Its nodes carry these tags; empty: they belong to the user.
    pub tags: Vec<String>,
    /// How many nodes joined with it.
    pub uses: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// Whether it can be used now.
    pub valid: bool,
}

/// Makes an auth key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateAuthKey {
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
    /// It may be used more than once.
    #[serde(default)]
    pub reusable: bool,
    /// Its nodes are removed when they go.
    #[serde(default)]
    pub ephemeral: bool,
    /// Its nodes need no approval.
    #[serde(default)]
    pub preapproved: bool,
    /// Its nodes carry these tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Hours until it ends, 1 to 8784; absent: 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_hours: Option<u32>,
}

/// A new auth key: the only time its secret is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedAuthKey {
    /// The record.
    #[serde(flatten)]
    pub key: AuthKey,
    /// The secret, `warren_auth_…`.
    pub secret: String,
}

impl std::fmt::Debug for CreatedAuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedAuthKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
