//! The explanation of a sign-in agrees with the decision.

use policy::{
    Compiled, Directory, End, Explainer, NodeFacts, SshLaw, User,
    explain::{Bar, Cause, Device, SignIn, Spot, SshExplanation, SshMissing},
    ssh::{self, decide::SshDecision},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::{UserId, api::Role};

use crate::wider::arb_wide_world;

const SOURCES: [&str; 7] = [
    "ada@example.com",
    "group:one",
    "group:ops@okta",
    "user:*@example.com",
    "tag:web",
    "autogroup:member",
    "autogroup:tagged",
];
const LOGINS: [&str; 5] = [
    "root",
    "autogroup:nonroot",
    "localpart:*@example.com",
    "ubuntu",
    "ada",
];

prop_compose! {
    fn arb_rule()(
        is_check in any::<bool>(),
        sources in prop::collection::vec(prop::sample::select(&SOURCES[..]), 1..3),
        targets in prop::collection::vec(prop::sample::select(vec!["tag:web", "tag:db", "autogroup:tagged"]), 1..3),
        to_self in prop::bool::weighted(0.3),
        logins in prop::collection::vec(prop::sample::select(&LOGINS[..]), 1..3),
        narrowed in prop::bool::weighted(0.3),
        recorded in prop::bool::weighted(0.2),
    ) -> Value {
        let of_people: Vec<_> = sources.iter().copied().filter(|s| !s.contains("tag")).collect();
        let (src, dst) = if to_self && !of_people.is_empty() {
            (json!(of_people), json!(["autogroup:self"]))
        } else {
            (json!(sources), json!(targets))
        };
        let mut rule = json!({"action": if is_check { "check" } else { "accept" }, "src": src, "dst": dst, "users": logins});
        if narrowed {
            rule["srcPosture"] = json!(["posture:sound"]);
        }
        if recorded {
            rule["recorder"] = json!(["tag:db"]);
            rule["enforceRecorder"] = json!(true);
        }
        rule
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn sign_ins_are_explained_as_they_are_decided(world in arb_wide_world(), rules in prop::collection::vec(arb_rule(), 0..5)) {
        let mut world = world;
        world.document["ssh"] = json!(rules);
        let text = serde_json::to_string(&world.document).unwrap();
        let (document, found) = policy::parse(&text);
        prop_assume!(!policy::has_errors(&found));
        let explainer = Explainer::new(&document, &world.directory);
        let law = SshLaw::new(&document, &world.directory);
        let table = law.over(&world.nodes);
        let access = Compiled::new(&document, &world.directory);
        for from in &world.nodes {
            for to in &world.nodes {
                let is_open = opens(&access, from, to);
                for login in ["root", "ada", "ubuntu", "bob", ""] {
                    let asked = SignIn { from, to, login, nodes: &world.nodes };
                    // By rule: it asks for a check, and the port is open.
                    let explained = match explainer.explain_ssh(&asked) {
                        SshExplanation::Allowed(chain) => {
                            prop_assert!(ssh::ACTS_ON_CHECKS || !chain.check);
                            Some((chain.rule.index, chain.check, true))
                        }
                        SshExplanation::Barred { chain, bars } => {
                            let unchecked = bars.contains(&Bar::Check);
                            let shut = bars.iter().any(|bar| matches!(bar, Bar::Port(_)));
                            prop_assert!(unchecked || shut);
                            prop_assert_eq!(unchecked, chain.check && !ssh::ACTS_ON_CHECKS);
                            Some((chain.rule.index, chain.check, !shut))
                        }
                        SshExplanation::Denied { .. } => None,
                    };
                    let decided = match table.decide(from, to, login) {
                        SshDecision::Allowed { rule, check, .. } => Some((rule, check, is_open)),
                        SshDecision::Denied => None,
                    };
                    prop_assert_eq!(explained, decided, "{:?} {:?} {} {}", from, to, login, text);
                }
            }
        }
    }
}

/// True when some packet for a sign-in gets there.
fn opens(access: &Compiled, from: &NodeFacts, to: &NodeFacts) -> bool {
    let end = |node, address| End { node, address };
    let mut pairs = from
        .addresses
        .iter()
        .flat_map(|a| to.addresses.iter().map(move |b| (*a, *b)));
    pairs.any(|(a, b)| {
        let decided = access.decide(end(from, a), end(to, b), 6, ssh::PORT);
        decided.is_allowed()
    })
}

const TWO_DOORS: &str = r#"{
  "groups": {"group:dev": ["bob@example.com", "cy@example.com"]},
  "tagOwners": {"tag:web": []},
  "acls": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web:443"]},
    {"action": "accept", "src": ["bob@example.com"], "dst": ["tag:web:20-30"]},
  ],
  "ssh": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web"], "users": ["ubuntu"]},
    {"action": "check", "src": ["group:dev"], "dst": ["tag:web"], "users": ["root"]},
  ],
}"#;

/// Devices of bob, of bob, of cy, and a router with the tag.
fn devices() -> [NodeFacts; 4] {
    let node = |user: u64, tags: &[&str], last: u8| NodeFacts {
        user: Some(UserId(user)),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        addresses: vec![
            format!("100.64.0.{last}").parse().unwrap(),
            format!("fd7a:115c:a1e0::{last}").parse().unwrap(),
        ],
        ..NodeFacts::default()
    };
    let mut web = node(2, &["tag:web"], 9);
    web.routes = vec!["10.1.0.0/16".parse().unwrap()];
    [node(2, &[], 1), node(2, &[], 2), node(3, &[], 3), web]
}

/// What is said of sign-ins from all of them: by case, the devices that it is about.
fn told(text: &str, to: &str, login: &str) -> Vec<(Vec<usize>, SshExplanation)> {
    let (document, found) = policy::parse(text);
    assert!(!policy::has_errors(&found), "{found:#?}");
    let user = |id, name: &str| User {
        id: UserId(id),
        email: format!("{name}@example.com"),
        role: Role::Member,
    };
    let directory = Directory {
        users: vec![user(2, "bob"), user(3, "cy")],
        ..Directory::default()
    };
    let all = devices();
    let devices: Vec<Device<'_>> = ["bob-1", "bob-2", "cy-1", "web"]
        .into_iter()
        .zip(&all)
        .map(|(name, facts)| Device {
            name,
            facts,
            offered: &[],
            is_thought: false,
        })
        .collect();
    let explainer = Explainer::new(&document, &directory);
    let law = Compiled::new(&document, &directory);
    let to = explainer.typed(to, &devices).unwrap();
    let from: Vec<Spot> = (0..3).map(|at| Spot::own(at, &all[at])).collect();
    let cases = explainer.explain_sign_ins(&law, &devices, (&from, &to.spots), login);
    let of = |spots: &[Spot]| -> Vec<usize> { spots.iter().map(|spot| spot.device).collect() };
    let all = cases.all.into_iter();
    let mut told: Vec<_> = all.map(|case| (of(&case.from), case.explanation)).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

#[test]
fn a_sign_in_takes_a_rule_of_ssh_and_an_open_port() {
    let told_of = told(TWO_DOORS, "web", "ubuntu");
    let [
        (bob, SshExplanation::Allowed(chain)),
        (cy, SshExplanation::Barred { bars, .. }),
    ] = &told_of[..]
    else {
        panic!("{told_of:#?}")
    };
    assert_eq!((bob.as_slice(), cy.as_slice()), (&[0, 1][..], &[2][..]));
    assert_eq!(chain.rule.index, 0);
    let [Bar::Port(denial)] = &bars[..] else {
        panic!("{bars:#?}")
    };
    assert_eq!(denial.cause, Cause::Port);
    assert_eq!(denial.nearest[0].rule.to_string(), "rule 1 of `acls`");
    assert_eq!(
        bars[0].to_string(),
        "no rule of `acls` or `grants` opens tcp port 22, without which nobody signs in"
    );

    // By an address that rules do not open, though they open the other.
    let by_ipv4 = TWO_DOORS.replace("tag:web:20-30", "100.64.0.9:22");
    for (to, is_open) in [
        ("web", true),
        ("100.64.0.9", true),
        ("fd7a:115c:a1e0::9", false),
    ] {
        let told = told(&by_ipv4, to, "ubuntu");
        let allowed = |told: &SshExplanation| matches!(told, SshExplanation::Allowed(_));
        let bobs = told.iter().find(|(from, _)| from.contains(&0)).unwrap();
        assert_eq!(allowed(&bobs.1), is_open, "{to}: {told:#?}");
    }
}

#[test]
fn a_check_turns_away_also_whom_the_port_is_open_for() {
    let told = told(TWO_DOORS, "tag:web", "root");
    let bars = told.iter().map(|(from, told)| match told {
        SshExplanation::Barred { bars, .. } => (from.as_slice(), bars.as_slice()),
        SshExplanation::Allowed(_) | SshExplanation::Denied { .. } => panic!("{told:#?}"),
    });
    let bars: Vec<_> = bars.collect();
    assert_eq!(bars[0], (&[0, 1][..], &[Bar::Check][..]));
    assert_eq!(bars[1].0, [2]);
    assert!(matches!(bars[1].1, [Bar::Port(_), Bar::Check]), "{bars:#?}");
}

#[test]
fn nobody_signs_in_to_what_lies_behind_a_router() {
    for place in ["10.1.2.3", "10.1.0.0/16"] {
        let told = told(TWO_DOORS, place, "ubuntu");
        let [(from, SshExplanation::Denied { cause, nearest })] = &told[..] else {
            panic!("{place}: {told:#?}")
        };
        assert_eq!(from.as_slice(), [0, 1, 2]);
        assert_eq!(*cause, SshMissing::DestinationOutside);
        assert!(nearest.is_empty());
    }
}
