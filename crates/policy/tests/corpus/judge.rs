//! One capture against the crate.

use policy::{Compiled, Diagnostic, Routers, Severity, SshLaw};
use serde_json::Value;

use crate::{
    case::{Case, Seen},
    filter, peer_caps, ssh,
    tenant::{Node, Tenant},
    told,
    view::Eyes,
};

/// What came of a capture.
pub(crate) struct Verdict {
    /// The first difference.
    pub(crate) failure: Option<String>,
    /// For a reject: whether the message is the recorded one, and ours.
    pub(crate) message: Option<(bool, String)>,
}

pub(crate) fn judge(case: &Case) -> Verdict {
    let tenant = Tenant::of(case);
    let (document, mut found) = policy::parse(&case.policy);
    if !policy::has_errors(&found) {
        found.extend(policy::check::against(&document, &tenant.directory));
        found.extend(ssh::findings(&document, &tenant.directory, &tenant.all));
    }
    let errors: Vec<&Diagnostic> = found
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    let (failure, message) = match (&case.reject, errors.first()) {
        (Some(reject), Some(_)) => {
            let ours = ssh::refusal(&errors);
            let equal = ours == reject.message;
            (None, (reject.code != 500).then_some((equal, ours)))
        }
        (Some(reject), None) => (Some(format!("should be refused: {}", reject.message)), None),
        (None, Some(error)) => (Some(format!("refused: {}", error.message)), None),
        (None, None) => {
            let law = Compiled::new(&document, &tenant.directory);
            let ssh = SshLaw::new(&document, &tenant.directory);
            (judge_all(case, &tenant, &law, &ssh).err(), None)
        }
    };
    Verdict { failure, message }
}

fn judge_all(case: &Case, tenant: &Tenant<'_>, law: &Compiled, ssh: &SshLaw) -> Result<(), String> {
    let nodes = tenant.nodes.values();
    let eyes = Eyes {
        law,
        routers: Routers::new(law, nodes.map(|n| (n.id, n.created, &n.facts))),
        nodes: &tenant.nodes,
    };
    let table = ssh.over(&tenant.all);
    for (name, seen) in case.expect.iter().flatten() {
        let node = tenant
            .nodes
            .get(name.as_str())
            .ok_or_else(|| format!("there is no node {name}"))?;
        judge_node(&eyes, tenant, name, node, seen)
            .and_then(|()| match &seen.ssh_rules {
                Some(theirs) => ssh::rules(&table, &node.facts, theirs),
                None => Ok(()),
            })
            .map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

fn judge_node(
    eyes: &Eyes<'_>,
    tenant: &Tenant<'_>,
    name: &str,
    node: &Node,
    seen: &Seen,
) -> Result<(), String> {
    let ours = eyes.law.filter_rules(&node.facts, &tenant.all);
    if let Some(theirs) = &seen.packet_filter_rules {
        let theirs: Option<Vec<_>> =
            serde_json::from_value(without_nulls(theirs)).map_err(|e| e.to_string())?;
        filter::compare(&ours, &theirs.unwrap_or_default())?;
    }
    if let Some(caps) = &seen.peer_caps {
        peer_caps::compare(&ours, &node.facts, caps)?;
    }
    if let Some(own) = &seen.own {
        told::compare(&eyes.own(node), own).map_err(|why| format!("self: {why}"))?;
    }
    match &seen.peers {
        Some(peers) => eyes.compare_peers(name, peers),
        None => Ok(()),
    }
}

/// Capabilities without values, written as the wire's types take them.
fn without_nulls(rules: &Value) -> Value {
    let mut rules = rules.clone();
    for rule in rules.as_array_mut().into_iter().flatten() {
        for grant in rule["CapGrant"].as_array_mut().into_iter().flatten() {
            for (_, values) in grant["CapMap"].as_object_mut().into_iter().flatten() {
                if values.is_null() {
                    *values = Value::Array(Vec::new());
                }
            }
        }
    }
    rules
}
