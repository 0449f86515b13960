//! What is recorded of every act of people, keys and policy.
//!
//! A record names who did what to what, and what changed; it holds no secret.
//! Records of a tenant form a chain: each carries a hash over the one before.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wire::{
    NodeId, Timestamp,
    api::{Role, me::Actor, tenant::Settings},
};

/// An act, past tense. Closed: adding one must be rendered here.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "names and fields speak for themselves")]
pub enum AuditEvent {
    TenantCreated {
        slug: String,
        name: String,
    },
    TenantUpdated {
        name: String,
        settings: Settings,
    },
    UserCreated {
        email: String,
        role: Role,
    },
    UserInvited {
        email: String,
        role: Role,
    },
    InviteWithdrawn {
        email: String,
    },
    UserRoleChanged {
        email: String,
        from: Role,
        to: Role,
    },
    UserRemoved {
        email: String,
        nodes: usize,
    },
    UserSignedIn {
        email: String,
    },
    UserSignedOut {
        email: String,
    },
    LoginLinkCreated {
        email: String,
    },
    AuthKeyCreated {
        prefix: String,
        tags: Vec<String>,
        reusable: bool,
        ephemeral: bool,
    },
    AuthKeyRevoked {
        prefix: String,
    },
    PolicySaved {
        number: u64,
        reason: String,
    },
    PolicyTestsFailed {
        number: u64,
        count: usize,
        tests: Vec<String>,
    },
    PolicyTestsPassed {
        number: u64,
    },
    NodeJoined {
        node: NodeId,
        name: String,
        tags: Vec<String>,
        approved: bool,
    },
    NodeSignedIn {
        node: NodeId,
        name: String,
    },
    NodeLoggedOut {
        node: NodeId,
        name: String,
    },
    NodeApproved {
        node: NodeId,
        name: String,
    },
    NodeRenamed {
        node: NodeId,
        from: String,
        to: String,
    },
    NodeTagged {
        node: NodeId,
        name: String,
        from: Vec<String>,
        to: Vec<String>,
    },
    NodeExpired {
        node: NodeId,
        name: String,
    },
    NodeExpiryShortened {
        node: NodeId,
        name: String,
        until: Timestamp,
    },
    NodeRoutesApproved {
        node: NodeId,
        name: String,
        routes: Vec<String>,
    },
    NodeRoutesWithdrawn {
        node: NodeId,
        name: String,
        routes: Vec<String>,
    },
    NodeRemoved {
        node: NodeId,
        name: String,
        why: String,
    },
}

impl AuditEvent {
    /// The event's name, the target for people, and what changed.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each event of a closed enum"
    )]
    pub fn render(&self) -> (&'static str, String, Value) {
        match self {
            Self::TenantCreated { slug, name } => {
                ("tenant.created", slug.clone(), json!({ "name": name }))
            }
            Self::TenantUpdated { name, settings } => (
                "tenant.updated",
                name.clone(),
                json!({ "settings": settings }),
            ),
            Self::UserCreated { email, role } => {
                ("user.created", email.clone(), json!({ "role": role }))
            }
            Self::UserInvited { email, role } => {
                ("user.invited", email.clone(), json!({ "role": role }))
            }
            Self::InviteWithdrawn { email } => ("invite.withdrawn", email.clone(), json!({})),
            Self::UserRoleChanged { email, from, to } => (
                "user.role_changed",
                email.clone(),
                json!({ "from": from, "to": to }),
            ),
            Self::UserRemoved { email, nodes } => {
                ("user.removed", email.clone(), json!({ "nodes": nodes }))
            }
            Self::UserSignedIn { email } => ("user.signed_in", email.clone(), json!({})),
            Self::UserSignedOut { email } => ("user.signed_out", email.clone(), json!({})),
            Self::LoginLinkCreated { email } => ("login_link.created", email.clone(), json!({})),
            Self::AuthKeyCreated {
                prefix,
                tags,
                reusable,
                ephemeral,
            } => (
                "auth_key.created",
                prefix.clone(),
                json!({ "tags": tags, "reusable": reusable, "ephemeral": ephemeral }),
            ),
            Self::AuthKeyRevoked { prefix } => ("auth_key.revoked", prefix.clone(), json!({})),
            Self::PolicySaved { number, reason } => (
                "policy.saved",
                format!("revision {number}"),
                json!({ "reason": reason }),
            ),
            Self::PolicyTestsFailed {
                number,
                count,
                tests,
            } => (
                "policy.tests_failed",
                format!("revision {number}"),
                json!({ "count": count, "tests": tests }),
            ),
            Self::PolicyTestsPassed { number } => (
                "policy.tests_passed",
                format!("revision {number}"),
                json!({}),
            ),
            Self::NodeJoined {
                node,
                name,
                tags,
                approved,
            } => (
                "node.joined",
                name.clone(),
                json!({ "node": node, "tags": tags, "approved": approved }),
            ),
            Self::NodeSignedIn { node, name } => named("node.signed_in", *node, name),
            Self::NodeLoggedOut { node, name } => named("node.logged_out", *node, name),
            Self::NodeApproved { node, name } => named("node.approved", *node, name),
            Self::NodeRenamed { node, from, to } => (
                "node.renamed",
                to.clone(),
                json!({ "node": node, "from": from, "to": to }),
            ),
            Self::NodeTagged {
                node,
                name,
                from,
                to,
            } => (
                "node.tagged",
                name.clone(),
                json!({ "node": node, "from": from, "to": to }),
            ),
            Self::NodeExpired { node, name } => named("node.expired", *node, name),
            Self::NodeExpiryShortened { node, name, until } => (
                "node.expiry_shortened",
                name.clone(),
                json!({ "node": node, "until": until }),
            ),
            Self::NodeRoutesApproved { node, name, routes } => {
                routed("node.routes_approved", *node, name, routes)
            }
            Self::NodeRoutesWithdrawn { node, name, routes } => {
                routed("node.routes_withdrawn", *node, name, routes)
            }
            Self::NodeRemoved { node, name, why } => (
                "node.removed",
                name.clone(),
                json!({ "node": node, "why": why }),
            ),
        }
    }
}

fn named(event: &'static str, node: NodeId, name: &str) -> (&'static str, String, Value) {
    (event, name.to_owned(), json!({ "node": node }))
}

fn routed(
    event: &'static str,
    node: NodeId,
    name: &str,
    routes: &[String],
) -> (&'static str, String, Value) {
    let detail = json!({ "node": node, "routes": routes });
    (event, name.to_owned(), detail)
}

/// What a record's hash is made of.
#[derive(Debug)]
pub struct Link<'a> {
    /// The hash of the record before; empty for the first one.
    pub before: &'a str,
    /// The record's number in its tenant, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as stored.
    pub actor: &'a str,
    /// The event's name.
    pub event: &'a str,
    /// On what.
    pub target: &'a str,
    /// What changed, as stored.
    pub detail: &'a str,
}

impl Link<'_> {
    /// The hash, in hex: SHA-256 over the fields, each with its length before it.
    pub fn hash(&self) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.unix_micros().to_string());
        let fields = [
            self.before,
            &seq,
            &at,
            self.actor,
            self.event,
            self.target,
            self.detail,
        ];
        let mut sha = Sha256::new();
        for field in fields {
            sha.update((field.len() as u64).to_be_bytes());
            sha.update(field.as_bytes());
        }
        hex::encode(sha.finalize())
    }
}

/// The actor as stored.
pub fn actor_text(actor: &Actor) -> String {
    serde_json::to_string(actor).unwrap_or_else(|_| "{}".to_owned())
}
