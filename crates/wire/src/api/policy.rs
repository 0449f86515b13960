//! The access policy and its revisions.

use serde::{Deserialize, Serialize};

use super::me::Actor;
use crate::{Timestamp, id::PolicyRevisionId};

/// One revision, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// About it.
    #[serde(flatten)]
    pub revision: Revision,
    /// The document, byte for byte as saved.
    pub document: String,
    /// Of the policy in force: its tests that fail since people or machines changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Diagnostic>,
}

/// About one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The id.
    pub id: PolicyRevisionId,
    /// 1, 2, 3, …
    pub number: u64,
    /// Who saved it.
    pub author: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub created: Timestamp,
}

/// Replaces the policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavePolicy {
    /// The new document.
    pub document: String,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// The revision it was edited from; when another is in force by now, the
    /// answer is [`super::problem::Code::PolicyChanged`] and nothing is saved.
    pub base: PolicyRevisionId,
}

/// Asks for a judgement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPolicy {
    /// The document.
    pub document: String,
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedPolicy {
    /// Whether it could be saved.
    pub ok: bool,
    /// What is wrong or odd, in document order.
    pub diagnostics: Vec<Diagnostic>,
}

/// One finding in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Whether it stops a save.
    pub severity: Severity,
    /// A stable word for it.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It stops a save.
    Error,
    /// It is worth a look.
    Warning,
}
