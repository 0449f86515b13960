//! What is asked and answered on the admin socket.

use serde::{Deserialize, Serialize};
use wire::api::{
    auth_key::{AuthKey, CreatedAuthKey},
    node::{Node, Route},
    policy::{CheckedPolicy, Diagnostic, Policy, explain::Explained, impact::Impact},
    problem::Code,
    server::ServerInfo,
    tenant::Tenant,
    user::{OneTimeLink, User},
};

use super::{auth_key, link, node, policy, tenant, user};
use crate::error::Error;

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// With tenants.
    Tenant(tenant::Request),
    /// With members.
    User(user::Request),
    /// With auth keys.
    AuthKey(auth_key::Request),
    /// With machines.
    Node(node::Request),
    /// With the access policy.
    Policy(policy::Request),
    /// What machines must be told of the server.
    Server,
    /// With one-time links.
    Link(link::Request),
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
#[expect(missing_docs, reason = "names speak for themselves")]
pub enum Answer {
    Tenant(Tenant),
    Tenants(Vec<Tenant>),
    User(User),
    Users(Vec<User>),
    CreatedAuthKey(CreatedAuthKey),
    AuthKey(AuthKey),
    AuthKeys(Vec<AuthKey>),
    Node(Box<Node>),
    Nodes(Vec<Node>),
    Routes(Vec<Route>),
    Policy(Policy),
    Checked(CheckedPolicy),
    Explained(Box<Explained>),
    Impact(Box<Impact>),
    Server(ServerInfo),
    Link(OneTimeLink),
}

/// Why nothing was done.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The code of the closed list.
    pub code: Code,
    /// What was wrong and what to do; for the operator, so with its cause.
    pub detail: String,
    /// What is wrong with a policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Refused {
    /// A refusal in these words.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            diagnostics: Vec::new(),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let (code, detail) = (error.code(), error.public_detail());
        match error {
            Error::Unavailable(cause) | Error::Internal(cause) => {
                Self::new(code, format!("{cause:#}"))
            }
            Error::PolicyInvalid(diagnostics) => Self {
                code,
                detail,
                diagnostics,
            },
            Error::NotFound
            | Error::Forbidden
            | Error::Unauthenticated
            | Error::LinkInvalid
            | Error::Malformed(_)
            | Error::Invalid(_)
            | Error::Conflict(_)
            | Error::TooMany(_) => Self::new(code, detail),
        }
    }
}
