//! Judges a policy while it is typed, by the code that the server judges with.
//! What takes the tenant's machines to know, its own tests first of all, the
//! server adds.

pub(crate) mod assist;
mod carry;

use policy::{Directory, check, lint};
use serde::Serialize;
use wire::api::{
    policy::{CheckedPolicy, Diagnostic, Severity, TestPlace, TestRun},
    user::User,
};

/// The judgement of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Judgement {
    /// The text.
    pub(crate) text: String,
    /// What is wrong or odd, in document order.
    pub(crate) findings: Vec<Diagnostic>,
    /// What came of its own tests.
    pub(crate) tests: Tests,
}

/// What came of the tests of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Tests {
    /// They are not run while something else is wrong.
    #[default]
    NotRun,
    /// The server is asked.
    Waiting,
    /// They were run.
    Ran(TestRun),
    /// They could not be run, and why.
    Failed(String),
}

/// A mark in the editor; places count UTF-16 units, as scripts do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mark {
    /// First unit.
    pub(crate) from: usize,
    /// One past the last unit.
    pub(crate) to: usize,
    /// `error` or `warning`.
    pub(crate) severity: &'static str,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

/// A mark beside a line with a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TestMark {
    /// Where the test stands, in UTF-16 units.
    at: usize,
    holds: bool,
}

/// Judges `text` without its tests. Without a directory nothing is said of
/// people who are no members. Of the tests of `before` it says what is still so.
pub(crate) fn judge(text: &str, directory: Option<&Directory>, before: &Judgement) -> Judgement {
    let (document, mut found) = policy::parse(text);
    if let Some(directory) = directory
        && !policy::has_errors(&found)
    {
        let all = check::against(&document, directory);
        // Domains and groups of identity providers are known to the server alone.
        let known = |d: &policy::Diagnostic| {
            !matches!(
                d.code,
                policy::Code::UnknownDomain | policy::Code::UnknownGroup
            )
        };
        found.extend(all.into_iter().filter(known));
        found.extend(lint::lint(text, directory));
        found.sort_by_key(|d| (d.span, d.severity));
    }
    let mut findings: Vec<Diagnostic> = found.iter().map(|d| d.to_api(text)).collect();
    if policy::has_errors(&found) {
        return Judgement {
            text: text.to_owned(),
            findings,
            tests: Tests::NotRun,
        };
    }
    let of_tests = |d: &&Diagnostic| d.code == policy::Code::TestFailed.as_str();
    let failed = before.findings.iter().filter(of_tests);
    findings.extend(carry::carried(failed, &before.text, text));
    findings.sort_by_key(|d| (d.start, d.severity));
    Judgement {
        text: text.to_owned(),
        findings,
        tests: Tests::Waiting,
    }
}

impl Judgement {
    /// With what the server says of the same text.
    pub(crate) fn completed(&self, answer: Result<CheckedPolicy, String>) -> Self {
        let text = self.text.clone();
        match answer {
            Ok(checked) => Self {
                text,
                findings: checked.diagnostics,
                tests: checked.tests.map_or(Tests::NotRun, Tests::Ran),
            },
            Err(why) => Self {
                text,
                findings: self.findings.clone(),
                tests: Tests::Failed(why),
            },
        }
    }

    /// The marks beside lines with tests; `None`: as they were.
    pub(crate) fn test_marks(&self) -> Option<Vec<TestMark>> {
        let run = match &self.tests {
            Tests::Ran(run) => run,
            Tests::Waiting => return None,
            Tests::NotRun | Tests::Failed(_) => return Some(Vec::new()),
        };
        let mark = |place: &TestPlace| TestMark {
            at: utf16(&self.text, place.start),
            holds: place.holds,
        };
        Some(run.places.iter().map(mark).collect())
    }

    /// `2 errors, 1 warning`; `No problems found`.
    pub(crate) fn summary(&self) -> String {
        summary(&self.findings)
    }

    /// What came of the tests, where there is something to say.
    pub(crate) fn tests_summary(&self) -> Option<String> {
        match &self.tests {
            Tests::NotRun => None,
            Tests::Waiting => Some("Running the tests…".to_owned()),
            Tests::Failed(why) => Some(format!("The tests could not be run. {why}")),
            Tests::Ran(run) => Some(match (run.held, run.failed) {
                (0, 0) => "The policy has no tests".to_owned(),
                (1, 0) => "1 test holds".to_owned(),
                (held, 0) => format!("{held} tests hold"),
                (held, failed) => format!("{failed} of {} tests fail", held + failed),
            }),
        }
    }
}

/// The findings as marks in `text`.
pub(crate) fn marks(text: &str, findings: &[Diagnostic]) -> Vec<Mark> {
    findings
        .iter()
        .map(|d| Mark {
            from: utf16(text, d.start),
            to: utf16(text, d.end.max(d.start)),
            severity: match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: match &d.help {
                Some(help) => format!("{}\n{help}", d.message),
                None => d.message.clone(),
            },
        })
        .collect()
}

/// The place of a byte in UTF-16 units.
pub(crate) fn utf16(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text[..at].encode_utf16().count()
}

/// The byte of a place in UTF-16 units; inside of a character, its first byte.
fn byte(text: &str, utf16: usize) -> usize {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16();
        if units > utf16 {
            return at;
        }
    }
    text.len()
}

/// How many errors and warnings.
pub(crate) fn count(findings: &[Diagnostic]) -> (usize, usize) {
    let errors = findings
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    (errors, findings.len() - errors)
}

fn summary(findings: &[Diagnostic]) -> String {
    let say = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let (errors, warnings) = count(findings);
    let parts: Vec<String> = [say(errors, "error"), say(warnings, "warning")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        "No problems found".to_owned()
    } else {
        parts.join(", ")
    }
}

/// The members as the law sees them.
pub(crate) fn directory(users: &[User]) -> Directory {
    let users = users.iter().map(|user| policy::User {
        id: user.id,
        email: user.email.clone(),
        role: user.role,
    });
    Directory {
        users: users.collect(),
        ..Directory::default()
    }
}

#[cfg(test)]
mod tests;
