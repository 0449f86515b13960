use wire::{UserId, api::Role, net::PortRange};

use super::*;
use crate::{
    Compiled, Directory, Explainer, User,
    explain::{Cause, Verdict},
};

const POLICY: &str = r#"{
  "groups": {"group:dev": ["bob@example.com", "carol@example.com"]},
  "tagOwners": {"tag:web": [], "tag:db": []},
  "hosts": {"printer": "192.168.7.20", "office": "192.168.7.0/24"},
  "acls": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web:443"]},
    {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]},
    {"action": "accept", "src": ["bob@example.com"], "dst": ["printer:631"]},
  ],
}"#;

struct World {
    nodes: Vec<(&'static str, NodeFacts, Vec<Prefix>)>,
    directory: Directory,
}

fn world() -> World {
    let user = |id, email: &str| User {
        id: UserId(id),
        email: email.to_owned(),
        role: Role::Member,
    };
    let facts = |last: u8, user: Option<u64>, tags: &[&str]| NodeFacts {
        user: user.map(UserId),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        addresses: vec![
            format!("100.64.0.{last}").parse().unwrap(),
            format!("fd7a:115c:a1e0::{last}").parse().unwrap(),
        ],
        ..NodeFacts::default()
    };
    let router = NodeFacts {
        routes: vec!["192.168.7.0/24".parse().unwrap()],
        ..facts(9, None, &["tag:db"])
    };
    World {
        nodes: vec![
            ("bob-laptop", facts(1, Some(1), &[]), Vec::new()),
            ("bob-phone", facts(2, Some(1), &[]), Vec::new()),
            ("carol", facts(3, Some(2), &[]), Vec::new()),
            ("web-1", facts(5, None, &["tag:web"]), Vec::new()),
            ("web-2", facts(6, None, &["tag:web"]), Vec::new()),
            ("gate", router, vec!["10.9.0.0/16".parse().unwrap()]),
        ],
        directory: Directory {
            users: vec![
                user(1, "bob@example.com"),
                user(2, "carol@example.com"),
                user(3, "dave@example.com"),
            ],
            routes: vec!["192.168.7.0/24".parse().unwrap()],
            ..Directory::default()
        },
    }
}

/// Asks with everything at hand.
fn with<T>(ask: impl FnOnce(&Explainer<'_>, &Compiled, &[Device<'_>]) -> T) -> T {
    let world = world();
    let (document, found) = crate::parse(POLICY);
    assert!(!crate::has_errors(&found), "{found:?}");
    let devices: Vec<Device<'_>> = world
        .nodes
        .iter()
        .map(|(name, facts, offered)| Device {
            name,
            facts,
            offered,
        })
        .collect();
    let explainer = Explainer::new(&document, &world.directory);
    let law = Compiled::new(&document, &world.directory);
    ask(&explainer, &law, &devices)
}

/// The devices that a text leads to, by name and addresses, or why it leads nowhere.
fn leads(text: &str) -> String {
    with(
        |explainer, _, devices| match explainer.typed(text, devices) {
            Err(unclear) => unclear.to_string(),
            Ok(typed) => {
                let spots = typed.spots.iter().map(|spot| {
                    let addresses: Vec<_> = spot.addresses().map(|a| a.to_string()).collect();
                    let own = devices[spot.device].facts.addresses.len() == addresses.len();
                    let name = devices[spot.device].name;
                    if own {
                        name.to_owned()
                    } else {
                        format!("{name}@{}", addresses.join("+"))
                    }
                });
                spots.collect::<Vec<_>>().join(" ")
            }
        },
    )
}

#[test]
fn a_typed_name_leads_to_its_devices() {
    for (text, found) in [
        ("bob@example.com", "bob-laptop bob-phone"),
        ("BOB@Example.com ", "bob-laptop bob-phone"),
        ("group:dev", "bob-laptop bob-phone carol"),
        ("tag:web", "web-1 web-2"),
        ("autogroup:tagged", "web-1 web-2 gate"),
        ("WEB-1", "web-1"),
        ("web-1.acme.mesh.example", "web-1"),
        ("100.64.0.5", "web-1@100.64.0.5"),
        ("fd7a:115c:a1e0::5", "web-1@fd7a:115c:a1e0::5"),
        ("100.64.0.4/30", "web-1@100.64.0.5 web-2@100.64.0.6"),
        ("printer", "gate@192.168.7.20"),
        ("office", "gate@192.168.7.0"),
        ("192.168.0.0/16", "gate@192.168.7.0"),
        ("10.9.1.1", "gate@10.9.1.1"),
    ] {
        assert_eq!(leads(text), found, "{text}");
    }
}

#[test]
fn a_name_that_leads_nowhere_says_why_and_what_may_be_meant() {
    for (text, said) in [
        (
            "bbo@example.com",
            "`bbo@example.com` is no user of this tenant; did you mean `bob@example.com`?",
        ),
        (
            "group:dve",
            "the policy has no group `group:dve`; did you mean `group:dev`?",
        ),
        (
            "tag:wbe",
            "the policy has no tag `tag:wbe`; did you mean `tag:web`?",
        ),
        (
            "web-3",
            "`web-3` is neither a machine nor a host of the policy; did you mean `web-1`?",
        ),
        (
            "carl",
            "`carl` is neither a machine nor a host of the policy; did you mean `carol`?",
        ),
        (
            "dave",
            "`dave` is neither a machine nor a host of the policy; did you mean `dave@example.com`?",
        ),
        (
            "dave@example.com",
            "no machine belongs to `dave@example.com`",
        ),
        (
            "192.0.2.1",
            "no machine has the address 192.0.2.1, and no approved route leads to it",
        ),
    ] {
        assert_eq!(leads(text), said, "{text}");
    }
    assert!(leads("autogroup:self").contains("alone names no machine"));
    assert!(leads("").contains("selects nothing"), "{}", leads(""));
}

#[test]
fn devices_that_are_alike_are_answered_for_once_and_counted() {
    with(|explainer, law, devices| {
        let all = |text: &str| explainer.typed(text, devices).unwrap().spots;
        let ask = |from: &str, to: &str, port| {
            let ports = PortRange::one(port);
            explainer.explain_all(law, devices, (&all(from), &all(to)), (6, &[ports]))
        };
        let cases = ask("group:dev", "tag:web", 443).all;
        assert_eq!(cases.len(), 1, "{cases:?}");
        assert_eq!(
            (cases[0].pairs, cases[0].explanation.verdict),
            (6, Verdict::Allowed)
        );
        assert_eq!((cases[0].from.len(), cases[0].to.len()), (3, 2));

        let cases = ask("bob@example.com", "bob@example.com", 22).all;
        assert_eq!(cases.len(), 1, "{cases:?}");
        assert_eq!(
            (cases[0].pairs, cases[0].explanation.verdict),
            (2, Verdict::Allowed)
        );

        let mut verdicts: Vec<_> = ask("group:dev", "bob@example.com", 22)
            .all
            .into_iter()
            .map(|case| (case.explanation.verdict, case.pairs))
            .collect();
        verdicts.sort_by_key(|(verdict, _)| *verdict != Verdict::Allowed);
        assert_eq!(verdicts, [(Verdict::Allowed, 2), (Verdict::Denied, 2)]);

        let cases = ask("bob@example.com", "10.9.1.1", 22).all;
        let denied = cases[0].explanation.denied.as_ref().unwrap();
        assert_eq!(denied.cause, Cause::RouteNotApproved);
    });
}
