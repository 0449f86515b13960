//! Why somebody may reach something, or not.

use serde::{Deserialize, Serialize};

use crate::id::PolicyRevisionId;

/// Asks why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainPolicy {
    /// A document that is not saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// A revision; without it and without a document, the one in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<PolicyRevisionId>,
    /// The question.
    pub question: Question,
}

/// A question. Ends are as people type them: a login name, `group:…`, `tag:…`, a machine, a host
/// of the policy, an address, a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// May packets go from here to there?
    Reach {
        /// From whom.
        from: String,
        /// To where.
        to: String,
        /// What.
        #[serde(default)]
        traffic: Traffic,
    },
    /// May somebody sign in by SSH?
    SignIn {
        /// From whom.
        from: String,
        /// To where.
        to: String,
        /// The login name there.
        login: String,
    },
    /// Who can reach it?
    WhoReaches {
        /// What.
        to: String,
        /// By what.
        #[serde(default)]
        traffic: Traffic,
    },
    /// Who can sign in to it by SSH?
    WhoSignsIn {
        /// What.
        to: String,
        /// The login name there.
        login: String,
    },
}

/// Packets of a protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// A name or number, as in a policy.
    #[serde(default = "tcp")]
    pub protocol: String,
    /// Ports, ranges and names of services (`22,8000-8999,https`), or `*`.
    #[serde(default = "all")]
    pub ports: String,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            protocol: tcp(),
            ports: all(),
        }
    }
}

fn tcp() -> String {
    "tcp".to_owned()
}

fn all() -> String {
    "*".to_owned()
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Over all that was asked.
    pub verdict: Verdict,
    /// The answer as a sentence.
    pub sentence: String,
    /// What is to be known of it: of people and tags that have no machine yet.
    #[serde(default)]
    pub notes: Vec<String>,
    /// By reason, for a question with a source.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// By rule, for a question after sources.
    #[serde(default)]
    pub entrances: Vec<Entrance>,
    /// What the answer does not cover, if the question was too wide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// Whether something is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All of it.
    Allowed,
    /// Some of it.
    Partly,
    /// None of it.
    Denied,
    /// No rule is asked: it is one machine, or the traffic does not pass through the mesh.
    Unasked,
}

/// Pairs of machines with the same answer for the same reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The answer.
    pub verdict: Verdict,
    /// As a sentence.
    pub sentence: String,
    /// The sources.
    pub from: Names,
    /// The destinations.
    pub to: Names,
    /// How many pairs.
    pub pairs: usize,
    /// What lets it through.
    #[serde(default)]
    pub chains: Vec<Chain>,
    /// Why the rest is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<Denial>,
}

/// The first of a list, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// The first of them.
    pub first: Vec<String>,
    /// How many there are.
    pub total: usize,
}

impl Names {
    /// True when there are none.
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }
}

/// What lets something through: a rule, and why it is about the two ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The rule.
    pub rule: Rule,
    /// The ports that it lets through and no earlier rule does, or the protocol's name where it has
    /// none; empty for sign-ins.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ports: String,
    /// From the source to the destination.
    pub steps: Vec<Step>,
}

/// A rule of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `rule 2 of acls`
    pub name: String,
    /// Where; absent for a document without rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// One reason of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// In words.
    pub text: String,
    /// Where the document says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A place in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: usize,
}

/// Why something is not let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// A stable word for it.
    pub cause: String,
    /// In words.
    pub text: String,
    /// The ports that are not let through; empty for sign-ins.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ports: String,
    /// The rules that come nearest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<Near>,
}

/// A rule that does not let it through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    /// The rule.
    pub rule: Rule,
    /// What is missing, the most important first.
    pub missing: Vec<String>,
}

/// What one rule lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// The rule.
    pub rule: Rule,
    /// Where it leads.
    pub to: Names,
    /// Why the destination is one of its destinations.
    pub target: Step,
    /// The posture that its sources must meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posture: Option<Step>,
    /// The ports, or the protocol's name where it has none; empty for sign-ins.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ports: String,
    /// Why nobody gets in by it now, though it is about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shut: Option<String>,
    /// Whom it lets in.
    pub sources: Vec<Source>,
}

/// One source of a rule, and who is behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// As the document writes it.
    pub selector: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The people behind it, also those without a machine.
    pub people: Names,
    /// The machines behind it that get through.
    pub machines: Names,
    /// Addresses behind subnet routers that get through: `10.20.0.0/16 behind router-1`.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub addresses: Names,
    /// People and tags that have no machine yet, and whose machine would get through.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub without_machine: Names,
}
