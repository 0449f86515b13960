//! The explanation of a sign-in agrees with the decision.

use policy::{
    Explainer, SshLaw,
    explain::{SignIn, SshExplanation},
    ssh::decide::SshDecision,
};
use proptest::prelude::*;
use serde_json::{Value, json};

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
        for from in &world.nodes {
            for to in &world.nodes {
                for login in ["root", "ada", "ubuntu", "bob", ""] {
                    let asked = SignIn { from, to, login, nodes: &world.nodes };
                    let explained = match explainer.explain_ssh(&asked) {
                        SshExplanation::Allowed(chain) => Some((chain.rule.index, chain.check)),
                        SshExplanation::Denied { .. } => None,
                    };
                    let decided = match table.decide(from, to, login) {
                        SshDecision::Allowed { rule, check, .. } => Some((rule, check)),
                        SshDecision::Denied => None,
                    };
                    prop_assert_eq!(explained, decided, "{:?} {:?} {} {}", from, to, login, text);
                }
            }
        }
    }
}
