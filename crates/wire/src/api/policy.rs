//! The access policy and its revisions.

pub mod explain;
pub mod impact;

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
    /// What came of its own tests; absent where it has errors besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestRun>,
}

/// What came of a document's own tests. Those that fail are among its findings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestRun {
    /// How many assertions hold.
    pub held: usize,
    /// How many fail.
    pub failed: usize,
    /// Where they stand: [`MAX_TEST_PLACES`] at most.
    pub places: Vec<TestPlace>,
}

/// The most assertions whose places are told.
pub const MAX_TEST_PLACES: usize = 2_000;

/// One assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestPlace {
    /// Its first byte.
    pub start: usize,
    /// Whether it holds.
    pub holds: bool,
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
