//! Captures of what Tailscale's service answered, where they are present.
//!
//! The file comes from `POLICY_CORPUS`, else from a folder `shared/policy-corpus`
//! beside a parent folder of the workspace. So far the suite `acl` is judged:
//! whether a policy is refused, each node's filter, and who sees whom.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test states facts and may stop"
)]

#[path = "corpus/compare.rs"]
mod compare;

use std::{collections::BTreeMap, io::Read as _, net::IpAddr, path::PathBuf};

use policy::{Compiled, Directory, NodeFacts, User};
use serde::Deserialize;
use serde_json::Value;
use wire::{UserId, api::Role, filter::FilterRule, net::Prefix};

#[derive(Deserialize)]
struct Case {
    id: String,
    suite: String,
    policy: String,
    reject: Option<Value>,
    users: Vec<Person>,
    nodes: BTreeMap<String, Machine>,
    expect: Option<BTreeMap<String, Seen>>,
}

#[derive(Deserialize)]
struct Person {
    id: u64,
    name: String,
    #[serde(default)]
    email: Option<String>,
}

#[derive(Deserialize)]
struct Machine {
    ipv4: IpAddr,
    ipv6: IpAddr,
    user: Option<String>,
    tags: Option<Vec<String>>,
    approved_routes: Option<Vec<Prefix>>,
}

#[derive(Deserialize)]
struct Seen {
    #[serde(default)]
    packet_filter_rules: Value,
    #[serde(deserialize_with = "wire::control::null_as_default", default)]
    peers: BTreeMap<String, Value>,
}

enum Verdict {
    Passed,
    Failed(String),
}

#[test]
fn the_acl_captures_hold() {
    let Some(text) = captures() else {
        println!("SKIPPED: no policy captures (set POLICY_CORPUS to cases.jsonl.zst)");
        return;
    };
    let (mut passed, mut failed) = (0, Vec::new());
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        if case.suite != "acl" {
            continue;
        }
        match judge(&case) {
            Verdict::Passed => passed += 1,
            Verdict::Failed(why) => failed.push(format!("{}: {why}", case.id)),
        }
    }
    println!("corpus: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(passed > 0);
}

fn captures() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is told where the captures are"
    )]
    let named = std::env::var("POLICY_CORPUS").ok().map(PathBuf::from);
    let path = named.or_else(|| {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut beside = here
            .ancestors()
            .map(|d| d.join("shared/policy-corpus/cases.jsonl.zst"));
        beside.find(|p| p.exists())
    })?;
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    zstd::Decoder::new(file)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    Some(text)
}

fn judge(case: &Case) -> Verdict {
    let (document, found) = policy::parse(&without_approvers(&case.policy));
    let errors: Vec<_> = found
        .iter()
        .filter(|d| d.severity == policy::Severity::Error)
        .collect();
    match (&case.reject, errors.first()) {
        (Some(_), Some(_)) => return Verdict::Passed,
        (Some(reject), None) => return Verdict::Failed(format!("should be refused: {reject}")),
        (None, Some(error)) => return Verdict::Failed(format!("refused: {}", error.message)),
        (None, None) => {}
    }
    let nodes: BTreeMap<&str, NodeFacts> = case
        .nodes
        .iter()
        .map(|(name, machine)| (name.as_str(), facts(case, machine)))
        .collect();
    let law = Compiled::new(&document, &directory(case, &nodes));
    for (name, seen) in case.expect.iter().flatten() {
        if let Err(why) = judge_node(&law, &nodes, name, seen) {
            return Verdict::Failed(format!("{name}: {why}"));
        }
    }
    Verdict::Passed
}

fn judge_node(
    law: &Compiled,
    nodes: &BTreeMap<&str, NodeFacts>,
    name: &str,
    seen: &Seen,
) -> Result<(), String> {
    let node = &nodes[name];
    let all: Vec<NodeFacts> = nodes.values().cloned().collect();
    let theirs: Option<Vec<FilterRule>> =
        serde_json::from_value(seen.packet_filter_rules.clone()).map_err(|e| e.to_string())?;
    compare::filters(&law.filter_rules(node, &all), &theirs.unwrap_or_default())?;
    for (other, facts) in nodes.iter().filter(|(other, _)| **other != name) {
        let visible = law.visible(&law.class_of(node), &law.class_of(facts));
        if visible != seen.peers.contains_key(*other) {
            return Err(format!("sees {other}: {visible}, not {}", !visible));
        }
    }
    Ok(())
}

/// Approvals are facts of the captures (`approved_routes`), so their key is left out.
fn without_approvers(text: &str) -> String {
    let mut policy: Value = serde_json::from_str(text).unwrap();
    policy.as_object_mut().unwrap().remove("autoApprovers");
    policy.to_string()
}

fn facts(case: &Case, machine: &Machine) -> NodeFacts {
    let owner = |name: &String| case.users.iter().find(|u| u.name == *name);
    NodeFacts {
        user: machine.user.as_ref().and_then(owner).map(|u| UserId(u.id)),
        tags: machine.tags.clone().unwrap_or_default(),
        addresses: vec![machine.ipv4, machine.ipv6],
        routes: machine
            .approved_routes
            .iter()
            .flatten()
            .filter(|r| !r.is_default_route())
            .copied()
            .collect(),
    }
}

fn directory(case: &Case, nodes: &BTreeMap<&str, NodeFacts>) -> Directory {
    let routes: std::collections::BTreeSet<Prefix> = nodes
        .values()
        .flat_map(|n| n.routes.iter().copied())
        .collect();
    Directory {
        users: case
            .users
            .iter()
            .filter_map(|u| {
                Some(User {
                    id: UserId(u.id),
                    email: u.email.clone()?,
                    role: match u.name.as_str() {
                        "odin" => Role::Owner,
                        "thor" | "freya" => Role::Admin,
                        _ => Role::Member,
                    },
                })
            })
            .collect(),
        domains: vec!["example.com".to_owned()],
        routes: routes.into_iter().collect(),
        ..Directory::default()
    }
}
