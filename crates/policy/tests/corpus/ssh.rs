//! SSH rules and tests of the captures.

use std::collections::BTreeSet;

use policy::{Compiled, Diagnostic, Directory, Document, NodeFacts, SshLaw, SshTable};
use serde_json::Value;
use wire::control::{SshPrincipal, SshRule};

/// Stands for the service's own address; only its presence counts.
const DELEGATE: &str = "https://control.example/check";

/// What `ssh`, `tests` and `sshTests` add to the findings once the tenant is known.
pub(crate) fn findings(
    document: &Document,
    directory: &Directory,
    nodes: &[NodeFacts],
) -> Vec<Diagnostic> {
    let mut found = policy::ssh::findings(document, directory);
    let (law, ssh) = (
        Compiled::new(document, directory),
        SshLaw::new(document, directory),
    );
    let outcomes = policy::assertions::run(document, &law, &ssh, directory, nodes);
    found.extend(policy::assertions::failures(&outcomes));
    found
}

/// The message of a refusal as the service words it: the first finding that is no failing test, else theirs.
pub(crate) fn refusal(errors: &[&Diagnostic]) -> String {
    let other = errors.iter().find(|d| d.code != policy::Code::TestFailed);
    let message = other.map_or(policy::assertions::REFUSAL, |d| d.message.as_str());
    message.to_owned()
}

/// The first difference between a node's SSH rules and the captured ones.
pub(crate) fn rules(table: &SshTable, node: &NodeFacts, theirs: &Value) -> Result<(), String> {
    let theirs: Option<Vec<SshRule>> =
        serde_json::from_value(theirs.clone()).map_err(|e| e.to_string())?;
    let ours = comparable(table.policy_for(node, Some(DELEGATE)));
    let theirs = comparable(theirs.unwrap_or_default());
    for at in 0..ours.len().max(theirs.len()) {
        let (a, b) = (ours.get(at), theirs.get(at));
        if a != b {
            return Err(format!("SSH rule {at}: {a:?}, not {b:?}"));
        }
    }
    Ok(())
}

/// Without what does not count: the order of principals and where a check is answered.
fn comparable(rules: Vec<SshRule>) -> Vec<SshRule> {
    rules
        .into_iter()
        .map(|mut rule| {
            let set: BTreeSet<SshPrincipal> = rule.principals.into_iter().collect();
            rule.principals = set.into_iter().collect();
            if !rule.action.hold_and_delegate.is_empty() {
                DELEGATE.clone_into(&mut rule.action.hold_and_delegate);
            }
            rule
        })
        .collect()
}
