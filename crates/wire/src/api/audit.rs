//! The audit log.

use serde::{Deserialize, Serialize};

use super::me::Actor;
use crate::{Timestamp, id::AuditId};

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, past tense: `node.renamed`.
    pub event: String,
    /// On what, for people: a machine's name, an e-mail address.
    pub target: String,
    /// What changed: old and new values, never secrets.
    pub detail: serde_json::Value,
}
