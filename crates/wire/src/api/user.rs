//! Members of a tenant, and invitations.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::{Timestamp, UserId, id::InviteId};

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id, as nodes see it.
    pub id: UserId,
    /// The e-mail address.
    pub email: String,
    /// The name for people.
    pub display_name: String,
    /// What he may do.
    pub role: Role,
    /// How many machines are his.
    pub nodes: u32,
    /// When he joined.
    pub created: Timestamp,
    /// When he last signed in to the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<Timestamp>,
}

/// Changes a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// The new role.
    pub role: Role,
}

/// An open invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The id.
    pub id: InviteId,
    /// Whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Who invited.
    pub invited_by: String,
    /// When.
    pub created: Timestamp,
    /// When it ends, 7 days later.
    pub expires: Timestamp,
}

/// Invites a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateInvite {
    /// Whom.
    pub email: String,
    /// As what.
    pub role: Role,
}

/// A one-time link, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeLink {
    /// The whole URL.
    pub url: String,
    /// When it ends.
    pub expires: Timestamp,
}

impl std::fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OneTimeLink")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
