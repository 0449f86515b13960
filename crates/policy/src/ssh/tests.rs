use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::{UserId, api::Role};

use super::{decide::SshDecision, *};
use crate::directory::User;

fn node(user: Option<u64>, tags: &[&str], last: u8) -> NodeFacts {
    NodeFacts {
        user: user.map(UserId),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        addresses: vec![IpAddr::from([100, 64, 0, last])],
        ..NodeFacts::default()
    }
}

fn directory() -> Directory {
    let user = |id, email: &str, role| User {
        id: UserId(id),
        email: email.to_owned(),
        role,
    };
    Directory {
        users: vec![
            user(1, "ada@example.com", Role::Owner),
            user(2, "bob@example.org", Role::Member),
            user(3, "Cy@Example.com", Role::Member),
        ],
        domains: vec!["example.com".to_owned()],
        ..Directory::default()
    }
}

const SOURCES: [&str; 7] = [
    "ada@example.com",
    "bob@example.org",
    "group:ops",
    "tag:ci",
    "autogroup:member",
    "autogroup:tagged",
    "autogroup:admin",
];
const TARGETS: [&str; 4] = ["tag:web", "tag:ci", "autogroup:self", "autogroup:tagged"];
const LOGINS: [&str; 5] = [
    "root",
    "ubuntu",
    "autogroup:nonroot",
    "localpart:*@example.com",
    "localpart:*@example.org",
];

fn arb_rule() -> impl Strategy<Value = serde_json::Value> {
    let some = |words: &'static [&'static str], n| proptest::sample::subsequence(words, 1..=n);
    (
        some(&SOURCES, 3),
        some(&TARGETS, 2),
        some(&LOGINS, 3),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(src, dst, users, check, enforce)| {
            serde_json::json!({
                "action": if check { "check" } else { "accept" }, "src": src, "dst": dst, "users": users,
                "recorder": if enforce { vec!["tag:ci"] } else { vec![] }, "enforceRecorder": enforce,
            })
        })
}

/// What a client does with the rules: the first that matches acts.
fn client(rules: &[wire::control::SshRule], from: IpAddr, login: &str) -> Option<bool> {
    rules.iter().find_map(|rule| {
        let here = rule.principals.iter().any(|p| p.node_ip == Some(from));
        let account = rule
            .ssh_users
            .get(login)
            .or_else(|| rule.ssh_users.get("*"));
        (here && account.is_some_and(|a| !a.is_empty()))
            .then_some(!rule.action.hold_and_delegate.is_empty())
    })
}

proptest! {
    #[test]
    fn decisions_are_what_a_client_makes_of_the_rules(rules in prop::collection::vec(arb_rule(), 1..5)) {
        let text = serde_json::json!({
            "groups": {"group:ops": ["cy@example.com"]},
            "tagOwners": {"tag:web": [], "tag:ci": []}, "acls": [], "ssh": rules,
        })
        .to_string();
        let (document, _) = crate::parse(&text);
        let law = SshLaw::new(&document, &directory());
        let nodes = [
            node(Some(1), &[], 1), node(Some(1), &[], 2), node(Some(2), &[], 3), node(Some(3), &[], 4),
            node(None, &["tag:web"], 5), node(None, &["tag:ci"], 6), node(Some(1), &["tag:ci", "tag:web"], 7),
        ];
        let table = law.over(&nodes);
        let mut seen = BTreeSet::new();
        for to in &nodes {
            let wire = table.policy_for(to, "https://check.example");
            for from in &nodes {
                for login in ["root", "ubuntu", "ada", "bob", "Cy", "other"] {
                    let decided = match table.decide(from, to, login) {
                        SshDecision::Allowed { check, .. } => Some(check),
                        SshDecision::Denied => None,
                    };
                    seen.insert(decided);
                    prop_assert_eq!(client(&wire, from.addresses[0], login), decided, "{} {:?} {:?} {}", text, from, to, login);
                }
            }
        }
        prop_assert!(!seen.is_empty());
    }
}

#[test]
fn a_check_is_tried_before_an_accept() {
    let text = r#"{"tagOwners": {"tag:web": []}, "groups": {"group:ops": ["ada@example.com"]}, "acls": [], "ssh": [
        {"action": "accept", "src": ["ada@example.com"], "dst": ["tag:web"], "users": ["root"]},
        {"action": "check", "src": ["group:ops"], "dst": ["tag:web"], "users": ["root"]}]}"#;
    let (document, found) = crate::parse(text);
    assert!(!crate::has_errors(&found), "{found:?}");
    let law = SshLaw::new(&document, &directory());
    let nodes = [node(Some(1), &[], 1), node(None, &["tag:web"], 2)];
    let answer = law.over(&nodes).decide(&nodes[0], &nodes[1], "root");
    assert!(
        matches!(
            answer,
            SshDecision::Allowed {
                rule: 1,
                check: true,
                ..
            }
        ),
        "{answer:?}"
    );
}
