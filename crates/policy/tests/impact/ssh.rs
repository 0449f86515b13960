//! Sign-ins that change.

use std::collections::BTreeSet;

use policy::{
    NodeFacts, SshLaw,
    impact::{Changes, Mode, SignIns},
    ssh::{self, decide::SshDecision},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{edited, impact_of, naive::State, wider::arb_wide_world, world::World};

const SOURCES: [&str; 6] = [
    "ada@example.com",
    "group:one",
    "group:ops@okta",
    "tag:web",
    "autogroup:member",
    "autogroup:tagged",
];
const LOGINS: [&str; 6] = [
    "root",
    "autogroup:nonroot",
    "ubuntu",
    "ada",
    "localpart:*@example.com",
    "bob",
];
/// Names that rules have, and one that none has.
const PROBED: [&str; 6] = ["root", "ubuntu", "ada", "bob", "cy", "zed"];

/// Who has the port open, to what.
const OPENS: [(&str, &str); 5] = [
    ("*", "*"),
    ("*", "tag:web"),
    ("group:one", "tag:db"),
    ("autogroup:member", "autogroup:self"),
    ("autogroup:tagged", "100.64.0.0/10"),
];

prop_compose! {
    fn arb_rule()(
        sources in prop::collection::vec(prop::sample::select(&SOURCES[..]), 1..3),
        target in prop::sample::select(vec!["autogroup:self", "tag:web", "tag:db", "autogroup:tagged"]),
        logins in prop::collection::vec(prop::sample::select(&LOGINS[..]), 1..3),
        action in prop::sample::select(vec!["accept", "check"]),
    ) -> Value {
        let mut sources = sources;
        if target == "autogroup:self" {
            sources.retain(|s| *s != "tag:web" && *s != "autogroup:tagged");
            sources.push("group:one");
        }
        if action == "check" {
            sources.retain(|s| !s.contains("tag"));
            sources.push("group:one");
        }
        json!({"action": action, "src": sources, "dst": [target], "users": logins})
    }
}

prop_compose! {
    fn arb_world_with_ssh()(
        world in arb_wide_world(),
        rules in prop::collection::vec(arb_rule(), 0..4),
        opens in prop::sample::subsequence(&OPENS[..], 0..=2),
    ) -> World {
        let mut world = world;
        let mut grants = world.document["grants"].as_array().cloned().unwrap_or_default();
        grants.extend(opens.into_iter().map(|(from, to)| json!({"src": [from], "dst": [to], "ip": ["tcp:22"]})));
        world.document["grants"] = json!(grants);
        world.document["ssh"] = json!(rules);
        world
    }
}

/// How a device may sign in to another: by a rule of `ssh`, where the port is open.
fn mode(state: &State, law: &SshLaw, from: usize, to: usize, login: &str) -> Option<Mode> {
    let node = |n: usize| -> Option<&NodeFacts> { state.world.nodes.get(n) };
    let (a, b) = (node(from)?, node(to)?);
    let mode = match law.over(&state.world.nodes).decide(a, b, login) {
        SshDecision::Allowed { check: true, .. } => ssh::ACTS_ON_CHECKS.then_some(Mode::Check),
        SshDecision::Allowed { check: false, .. } => Some(Mode::Accept),
        SshDecision::Denied => None,
    }?;
    let mut ways = (0..a.addresses.len()).flat_map(|x| (0..b.addresses.len()).map(move |y| (x, y)));
    ways.any(|(x, y)| state.allows((from, x), (to, y), (6, ssh::PORT)))
        .then_some(mode)
}

fn holds(told: &SignIns, login: &str) -> bool {
    let any = |name: &str| told.logins.iter().any(|l| l == name);
    any(login) || (login == "zed" && any("autogroup:nonroot"))
}

/// Pairs for which the login changes, by what is told.
fn told_pairs(changes: &Changes<SignIns>, login: &str) -> u64 {
    let mine = changes.shown.iter().filter(|c| holds(&c.what, login));
    mine.map(|c| c.flows).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sign_ins_are_the_difference_of_all_decisions(a in arb_world_with_ssh(), b in arb_world_with_ssh(), which in 1..8_u8) {
        let b = edited(&a, &b, which);
        let (a, b) = (State::new(a, true), State::new(b, true));
        let impact = impact_of(&a, &b);
        let laws = [&a, &b].map(|s| SshLaw::new(&s.document, &s.world.directory));
        let all = a.world.nodes.len().max(b.world.nodes.len());
        for (told, [old, new]) in [(&impact.gained.sign_ins, [0, 1]), (&impact.lost.sign_ins, [1, 0])] {
            let (mut pairs, mut froms, mut tos) = (0, BTreeSet::new(), BTreeSet::new());
            let mut by_login = [0_u64; PROBED.len()];
            for from in 0..all {
                for to in (0..all).filter(|to| *to != from) {
                    let states = [&a, &b];
                    let is = |side: usize, login: &str| mode(states[side], &laws[side], from, to, login);
                    let changed: Vec<bool> = PROBED.iter().map(|l| is(new, l) > is(old, l)).collect();
                    for (count, changed) in by_login.iter_mut().zip(&changed) {
                        *count += u64::from(*changed);
                    }
                    if changed.contains(&true) {
                        pairs += 1;
                        froms.insert(from);
                        tos.insert(to);
                    }
                }
            }
            let counts = [told.flows, told.from_devices, told.to_devices];
            prop_assert_eq!(counts, [pairs, froms.len() as u64, tos.len() as u64], "{:#?}", told);
            for (login, count) in PROBED.iter().zip(by_login) {
                if ["root", "zed"].contains(login) {
                    prop_assert_eq!(told_pairs(told, login), count, "{} {:#?}", login, told);
                }
            }
        }
    }
}
