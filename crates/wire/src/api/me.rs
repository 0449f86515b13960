//! Who is signed in.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::{AuthKeyId, TenantId, UserId, id::AccountId};

/// The signed-in person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The account.
    pub account: AccountId,
    /// The e-mail address.
    pub email: String,
    /// The name for people.
    pub display_name: String,
    /// The tenants he is a member of.
    pub memberships: Vec<Membership>,
}

/// One tenant of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The tenant.
    pub tenant: TenantId,
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Who he is there.
    pub user: UserId,
    /// What he may do there.
    pub role: Role,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in person.
    User {
        /// His e-mail address.
        email: String,
    },
    /// Somebody at the server's own shell.
    LocalAdmin {
        /// The operating system's user.
        login: String,
    },
    /// A machine, by the key it joined with.
    AuthKey {
        /// The key.
        key: AuthKeyId,
    },
    /// The server itself (expiry, clean-up).
    Server,
}
