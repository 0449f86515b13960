//! `POST /machine/register` (`tailcfg.RegisterRequest`).

use serde::{Deserialize, Serialize};

use super::{map::Hostinfo, null_as_default};
use crate::{CapabilityVersion, NodeKey, Timestamp, UserId};

/// What a client asks for when it joins, signs in again, rotates or logs out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterRequest {
    /// What the client understands.
    pub version: CapabilityVersion,
    /// The node key it wants to use.
    pub node_key: NodeKey,
    /// The key it used before, when it rotates; else zero.
    pub old_node_key: NodeKey,
    /// How it proves that it may join without a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<RegisterAuth>,
    /// Zero time: no wish. The distant past: log out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Timestamp>,
    /// The `AuthURL` of an answer before, asked about again; the server holds
    /// the request until a person has decided.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub followup: String,
    /// What the machine says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostinfo: Option<Hostinfo>,
    /// Wishes to be removed when it goes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
}

/// The credential in a [`RegisterRequest`].
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterAuth {
    /// An auth key.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub auth_key: String,
}

impl std::fmt::Debug for RegisterAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.auth_key.is_empty() {
            "RegisterAuth(-)"
        } else {
            "RegisterAuth(…)"
        })
    }
}

/// The answer. Every field is always written: some clients demand them all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterResponse {
    /// The user the node belongs to.
    pub user: User,
    /// His login.
    pub login: Login,
    /// The node key has expired: the client makes a new one and comes again.
    pub node_key_expired: bool,
    /// False while an administrator has yet to approve the device.
    pub machine_authorized: bool,
    /// Where a person signs in; empty when nobody needs to.
    #[serde(rename = "AuthURL")]
    pub auth_url: String,
    /// Why the request was refused, for the person at the machine; else empty.
    pub error: String,
}

/// `tailcfg.User`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct User {
    /// The id, as in `Node.User`.
    #[serde(rename = "ID")]
    pub id: UserId,
    /// The name for people.
    pub display_name: String,
}

/// `tailcfg.Login`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Login {
    /// The id, as in [`User::id`].
    #[serde(rename = "ID")]
    pub id: UserId,
    /// Who vouched for the login.
    pub provider: String,
    /// The login name, an e-mail address.
    pub login_name: String,
    /// The name for people.
    pub display_name: String,
}
