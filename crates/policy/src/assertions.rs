//! Runs what `tests` and `sshTests` assert: pure functions over a compiled
//! policy, the directory and the nodes of a moment.
//!
//! A test speaks of who somebody is, not of one machine: it holds when it holds
//! for every device of the source and every device of the destination, and a
//! user or tag without devices is taken to have one. An address is the node that
//! has it; as a source else a router's or a stranger's, as a destination else
//! behind a router that is thought of, so that no approval decides about a test.

mod access;
mod device;
mod ssh;
mod subject;

use crate::{
    compile::Compiled,
    diagnostic::{Code, Diagnostic, Severity, Span},
    directory::{Directory, NodeFacts},
    document::Document,
    ssh::SshLaw,
};

/// What the service answers to a policy that fails its own tests.
pub const REFUSAL: &str = "test(s) failed";

/// Which key an assertion stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// `tests`
    Access,
    /// `sshTests`
    Ssh,
}

impl Suite {
    /// The key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "tests",
            Self::Ssh => "sshTests",
        }
    }
}

/// What an assertion expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expected {
    /// It is allowed.
    Accept,
    /// It is allowed once the person signed in lately (SSH).
    Check,
    /// It is not allowed.
    Deny,
    /// The entry itself makes sense.
    Sense,
}

impl Expected {
    /// The key that the assertion stands under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Check => "check",
            Self::Deny => "deny",
            Self::Sense => "test",
        }
    }
}

/// What came of one assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The key.
    pub suite: Suite,
    /// The entry's place in it, from 0.
    pub entry: usize,
    /// Where the assertion stands: a destination, a login name, or the whole entry.
    pub span: Span,
    /// What it expects.
    pub expected: Expected,
    /// Who to what, for people: `ada@example.com -> tag:web:22`.
    pub subject: String,
    /// Why it fails; `None`: it holds.
    pub failure: Option<Failure>,
}

/// Why an assertion fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In words.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The rule that allows what must be denied.
    pub rule: Option<Span>,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            rule: None,
        }
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// A rule as people count, from 1; `index` is its place from 0.
fn rule(index: usize, section: &str) -> String {
    format!("rule {} of `{section}`", index + 1)
}

impl Outcome {
    /// True when it holds.
    pub const fn holds(&self) -> bool {
        self.failure.is_none()
    }

    /// The finding of an assertion that fails.
    pub fn to_diagnostic(&self) -> Option<Diagnostic> {
        let failure = self.failure.as_ref()?;
        let key = self.suite.as_str();
        Some(Diagnostic {
            severity: Severity::Error,
            code: Code::TestFailed,
            span: self.span,
            message: format!(
                "test {} of `{key}`: {}: {}",
                self.entry + 1,
                self.subject,
                failure.message
            ),
            help: failure.help.clone(),
        })
    }
}

/// Runs every test of a document; one outcome for each assertion, in its order.
///
/// `law` and `ssh` are the same document's for the same directory.
pub fn run(
    document: &Document,
    law: &Compiled,
    ssh: &SshLaw,
    directory: &Directory,
    nodes: &[NodeFacts],
) -> Vec<Outcome> {
    let world = subject::World::new(document, directory, nodes);
    let mut outcomes = Vec::new();
    for test in &document.tests {
        access::run(test, law, &world, &mut outcomes);
    }
    if !document.ssh_tests.is_empty() {
        let table = ssh.over(nodes);
        for test in &document.ssh_tests {
            ssh::run(test, &table, &world, &mut outcomes);
        }
    }
    outcomes
}

/// The findings of the assertions that fail.
pub fn failures(outcomes: &[Outcome]) -> Vec<Diagnostic> {
    outcomes.iter().filter_map(Outcome::to_diagnostic).collect()
}

#[cfg(test)]
mod tests;
