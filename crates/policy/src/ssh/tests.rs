use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use proptest::prelude::*;
use wire::{UserId, api::Role, control::SshRule};

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
        prop::bool::weighted(0.3),
    )
        .prop_map(|(src, dst, users, check, enforce, narrow)| {
            serde_json::json!({
                "action": if check { "check" } else { "accept" }, "src": src, "dst": dst, "users": users,
                "recorder": if enforce { vec!["tag:ci"] } else { vec![] }, "enforceRecorder": enforce,
                "srcPosture": if narrow { vec!["posture:mac"] } else { vec![] },
            })
        })
}

/// What a client does with the rules: the first that matches acts. It knows where
/// a connection comes from, and the login name of whose device that is.
fn client(rules: &[SshRule], from: &NodeFacts, login: &str) -> Option<bool> {
    let users = directory().users;
    let owner = from
        .owner()
        .and_then(|u| users.iter().find(|user| user.id == u));
    rules.iter().find_map(|rule| {
        let here = rule.principals.iter().any(|p| {
            let login = p.user_login.as_deref();
            p.node_ip == Some(from.addresses[0])
                || (login.is_some() && login == owner.map(|o| o.email.as_str()))
        });
        let account = rule
            .ssh_users
            .get(login)
            .or_else(|| rule.ssh_users.get("*"));
        (here && account.is_some_and(|a| !a.is_empty())).then(|| {
            assert!(!rule.action.reject || !rule.action.message.is_empty());
            rule.action.reject || !rule.action.hold_and_delegate.is_empty()
        })
    })
}

/// People as their peers know them.
fn logins() -> Vec<(UserId, String)> {
    directory()
        .users
        .into_iter()
        .map(|u| (u.id, u.email))
        .collect()
}

fn mac(node: NodeFacts) -> NodeFacts {
    NodeFacts {
        posture: [("node:os", "macos".into())].into_iter().collect(),
        ..node
    }
}

fn nodes() -> [NodeFacts; 7] {
    [
        mac(node(Some(1), &[], 1)),
        node(Some(1), &[], 2),
        node(Some(2), &[], 3),
        node(Some(3), &[], 4),
        node(None, &["tag:web"], 5),
        mac(node(None, &["tag:ci"], 6)),
        node(Some(1), &["tag:ci", "tag:web"], 7),
    ]
}

fn law(rules: &[serde_json::Value]) -> SshLaw {
    let text = serde_json::json!({
        "groups": {"group:ops": ["cy@example.com"]},
        "tagOwners": {"tag:web": [], "tag:ci": []}, "acls": [], "ssh": rules,
        "postures": {"posture:mac": ["node:os == 'macos'"]},
    });
    let (document, _) = crate::parse(&text.to_string());
    SshLaw::new(&document, &directory())
}

proptest! {
    #[test]
    fn decisions_are_what_a_client_makes_of_the_rules(rules in prop::collection::vec(arb_rule(), 1..5)) {
        let (law, nodes) = (law(&rules), nodes());
        let table = law.over(&nodes);
        let by_login = law.over_logins(&logins(), &nodes);
        let mut seen = BTreeSet::new();
        for to in &nodes {
            let wire = table.policy_for(to, Some("https://check.example"));
            let shorter = by_login.policy_for(to, None);
            for from in &nodes {
                for login in ["root", "ubuntu", "ada", "bob", "Cy", "other"] {
                    let decided = match table.decide(from, to, login) {
                        SshDecision::Allowed { check, .. } => Some(check),
                        SshDecision::Denied => None,
                    };
                    seen.insert(decided);
                    prop_assert_eq!(client(&wire, from, login), decided, "{:?} {:?} {:?} {}", rules, from, to, login);
                    prop_assert_eq!(client(&shorter, from, login), decided, "{:?} {:?} {:?} {}", rules, from, to, login);
                }
            }
        }
        prop_assert!(!seen.is_empty());
    }

    #[test]
    fn nodes_that_come_and_go_leave_the_table_that_is_made_of_the_rest(
        rules in prop::collection::vec(arb_rule(), 1..5),
        comings in prop::collection::vec(0..7_usize, 1..20),
    ) {
        let (law, nodes) = (law(&rules), nodes());
        let mut tables = [law.over([]), law.over_logins(&logins(), [])];
        let mut here = BTreeSet::new();
        for at in comings {
            let came = here.insert(at) || !here.remove(&at);
            for table in &mut tables {
                if came {
                    table.add(&nodes[at]);
                } else {
                    table.remove(&nodes[at]);
                }
            }
        }
        let rest = || here.iter().map(|at| &nodes[*at]);
        let fresh = [law.over(rest()), law.over_logins(&logins(), rest())];
        for (table, fresh) in tables.iter().zip(&fresh) {
            for node in &nodes {
                prop_assert_eq!(table.policy_for(node, None), fresh.policy_for(node, None));
            }
        }
    }

    #[test]
    fn nodes_of_one_place_have_the_same_rules(rules in prop::collection::vec(arb_rule(), 1..5)) {
        let (law, nodes) = (law(&rules), nodes());
        let table = law.over_logins(&logins(), &nodes);
        let mut known = BTreeMap::new();
        for node in &nodes {
            let rules = table.policy_for(node, None);
            let first = known.entry(law.place_of(node)).or_insert_with(|| rules.clone());
            prop_assert_eq!(&*first, &rules);
        }
    }

    #[test]
    fn a_node_that_no_rule_names_changes_no_rules(rules in prop::collection::vec(arb_rule(), 1..5)) {
        let (law, nodes) = (law(&rules), nodes());
        for (at, left_out) in nodes.iter().enumerate() {
            let others = nodes.iter().enumerate().filter(|(i, _)| *i != at);
            let mut table = law.over_logins(&logins(), others.map(|(_, n)| n));
            if table.names(left_out) {
                continue;
            }
            let before: Vec<_> = nodes.iter().map(|n| table.policy_for(n, None)).collect();
            table.add(left_out);
            let after: Vec<_> = nodes.iter().map(|n| table.policy_for(n, None)).collect();
            prop_assert_eq!(before, after);
        }
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
