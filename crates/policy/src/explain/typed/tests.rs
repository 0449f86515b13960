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
    by(POLICY, ask)
}

/// The same by another document.
fn by<T>(text: &str, ask: impl FnOnce(&Explainer<'_>, &Compiled, &[Device<'_>]) -> T) -> T {
    let world = world();
    let (document, found) = crate::parse(text);
    assert!(!crate::has_errors(&found), "{found:?}");
    let devices: Vec<Device<'_>> = world
        .nodes
        .iter()
        .map(|(name, facts, offered)| Device {
            name,
            facts,
            offered,
            is_thought: false,
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
                    } else if let Some(last) = spot.last {
                        format!("{name}@{}-{last}", addresses.join("+"))
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
        ("office", "gate@192.168.7.0-192.168.7.255"),
        ("192.168.0.0/16", "gate@192.168.7.0-192.168.7.255"),
        ("10.9.255.0-10.10.0.255", "gate@10.9.255.0-10.9.255.255"),
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
        assert_eq!(denied.cause, Cause::DestinationInNoRuleOfSource);
    });
}

#[test]
fn what_of_a_place_leads_nowhere_is_told_apart() {
    with(|explainer, _, devices| {
        let nowhere = |text| {
            let typed = explainer.typed(text, devices).unwrap();
            let ranges = typed.nowhere.iter();
            ranges.map(|(a, b)| format!("{a}-{b}")).collect::<Vec<_>>()
        };
        assert_eq!(nowhere("office"), [""; 0]);
        assert_eq!(
            nowhere("192.168.0.0/20"),
            ["192.168.0.0-192.168.6.255", "192.168.8.0-192.168.15.255"]
        );
        assert_eq!(nowhere("10.8.0.0/15"), ["10.8.0.0-10.8.255.255"]);
        assert_eq!(nowhere("100.64.0.0/24"), [""; 0], "nobody has them yet");
    });
}

#[test]
fn a_place_is_cut_where_rules_cut_it() {
    with(|explainer, law, devices| {
        let all = |text: &str| explainer.typed(text, devices).unwrap().spots;
        let ask = |from: &str, to: &str, port| {
            let ports = [PortRange::one(port)];
            let cases = explainer.explain_all(law, devices, (&all(from), &all(to)), (6, &ports));
            let told = cases.all.into_iter().map(|case| {
                let to = case.to.iter().map(|spot| {
                    let (first, last) = spot.ends().unwrap();
                    format!("{first}-{last}")
                });
                (case.explanation.verdict, to.collect::<Vec<_>>().join(" "))
            });
            told.collect::<Vec<_>>()
        };
        let shut = "192.168.7.0-192.168.7.19 192.168.7.21-192.168.7.255";
        assert_eq!(
            ask("bob-laptop", "office", 631),
            [
                (Verdict::Denied, shut.to_owned()),
                (Verdict::Allowed, "192.168.7.20-192.168.7.20".to_owned()),
            ]
        );
        assert_eq!(
            ask("carol", "office", 631),
            [
                (Verdict::Denied, shut.to_owned()),
                (Verdict::Denied, "192.168.7.20-192.168.7.20".to_owned()),
            ],
            "for other reasons"
        );
    });
}

#[test]
fn a_machine_is_judged_by_both_its_addresses() {
    let document = r#"{"acls": [
        {"action": "accept", "src": ["bob@example.com"], "dst": ["fd7a:115c:a1e0::/48:22"]},
        {"action": "accept", "src": ["100.64.0.3"], "dst": ["*:80"]},
        {"action": "accept", "src": ["carol@example.com"], "dst": ["*:443"]},
    ]}"#;
    by(document, |explainer, law, devices| {
        let ask = |from: &str, to: &str, port| {
            let all = |text: &str| explainer.typed(text, devices).unwrap().spots;
            let ports = [PortRange::one(port)];
            let cases = explainer.explain_all(law, devices, (&all(from), &all(to)), (6, &ports));
            let told = cases.all.into_iter().map(|case| {
                let families = case.to.iter().map(|s| (s.v4.is_some(), s.v6.is_some()));
                (case.explanation.verdict, families.collect::<Vec<_>>())
            });
            told.collect::<Vec<_>>()
        };
        let (allowed, denied) = (Verdict::Allowed, Verdict::Denied);
        let apart = [
            (denied, vec![(true, false)]),
            (allowed, vec![(false, true)]),
        ];
        assert_eq!(ask("bob-laptop", "web-1", 22), apart);
        let apart = [
            (allowed, vec![(true, false)]),
            (denied, vec![(false, true)]),
        ];
        assert_eq!(ask("carol", "web-1", 80), apart);
        assert_eq!(ask("carol", "web-1", 443), [(allowed, vec![(true, true)])]);
        assert_eq!(ask("carol", "web-1", 22), [(denied, vec![(true, true)])]);
    });
}

#[test]
fn people_and_tags_without_a_device_are_asked_about_as_if_they_had_one() {
    with(|explainer, law, devices| {
        let facts: Vec<NodeFacts> = devices.iter().map(|d| d.facts.clone()).collect();
        let (document, _) = crate::parse(POLICY);
        let thoughts = crate::explain::thought(&document, &world().directory, &facts);
        let mut all = devices.to_vec();
        all.extend(thoughts.iter().map(|thought| Device {
            name: &thought.name,
            facts: &thought.facts,
            offered: &[],
            is_thought: true,
        }));
        let names = |text: &str| {
            let typed = explainer.typed(text, &all).unwrap();
            let spots = typed.spots.iter().map(|spot| all[spot.device].name);
            (typed.name.clone(), spots.collect::<Vec<_>>().join(", "))
        };
        let dave = "a machine of dave@example.com".to_owned();
        assert_eq!(names("dave@example.com"), (dave.clone(), dave.clone()));
        assert_eq!(
            names("autogroup:member").1,
            format!("bob-laptop, bob-phone, carol, {dave}")
        );
        for everywhere in ["*", "100.64.0.0/10", "autogroup:tagged"] {
            assert!(!names(everywhere).1.contains("a machine"), "{everywhere}");
        }
        let spots = |text: &str| explainer.typed(text, &all).unwrap().spots;
        let ask = |from: &str, to: &str, port| {
            let ports = [PortRange::one(port)];
            let ends = (&spots(from)[..], &spots(to)[..]);
            let cases = explainer.explain_all(law, &all, ends, (6, &ports)).all;
            assert_eq!(cases.len(), 1, "{cases:?}");
            cases[0].explanation.verdict
        };
        assert_eq!(ask("dave@example.com", "tag:web", 443), Verdict::Denied);
        assert_eq!(
            ask("bob@example.com", "dave@example.com", 22),
            Verdict::Denied
        );
    });
}
