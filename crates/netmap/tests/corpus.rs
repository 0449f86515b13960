//! Frames against captures of what Tailscale's service told its nodes, where the
//! captures are present: addresses, routes, capabilities and SSH rules, once as a
//! first frame and once as a step from another policy.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test states facts and may stop"
)]

#[path = "../../policy/tests/corpus/case.rs"]
#[expect(
    dead_code,
    reason = "filters and refusals are judged beside the policy"
)]
mod case;
#[path = "../../policy/tests/corpus/read.rs"]
mod read;
#[expect(
    dead_code,
    reason = "what is printed of a capture is printed elsewhere"
)]
#[path = "../../policy/tests/corpus/renumbered.rs"]
mod renumbered;
#[path = "corpus/sign_in.rs"]
mod sign_in;
#[path = "corpus/tenant.rs"]
mod tenant;
#[path = "../../policy/tests/corpus/told.rs"]
mod told;

use std::collections::{BTreeMap, BTreeSet};

use case::{Facts, Seen};
use netmap::{Change, Form, Log, Told};
use serde_json::Value;
use tenant::World;
use told::View;
use wire::{NodeId, Timestamp, control};

const NOW: Timestamp = Timestamp::from_unix_seconds(7);

#[test]
fn nodes_are_told_what_the_service_tells_them() {
    let Some(cases) = read::cases() else {
        return;
    };
    let accepted = cases.iter().filter(|c| c.reject.is_none());
    let (mut told, mut failed) = (0, Vec::new());
    for case in accepted {
        let world = World::of(case);
        for (name, seen) in case.expect.iter().flatten() {
            for (how, knows) in [
                ("at first", world.first(name)),
                ("after an edit", world.after_an_edit(name)),
            ] {
                told += 1;
                if let Err(why) = compare(&world, name, seen, &knows) {
                    failed.push(format!("{} {name} {how}: {why}", case.id));
                }
            }
        }
    }
    println!("{told} netmaps compared, {} differ", failed.len());
    assert!(told > 1000, "{told} netmaps are too few to say anything");
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn a_changed_expectation_is_noticed() {
    let Some(cases) = read::cases() else {
        return;
    };
    let mut changed = 0;
    for case in cases.iter().filter(|c| c.reject.is_none()) {
        let world = World::of(case);
        for (name, seen) in case.expect.iter().flatten() {
            let knows = world.first(name);
            for other in changes(seen) {
                changed += 1;
                assert!(
                    compare(&world, name, &other, &knows).is_err(),
                    "{} {name}",
                    case.id
                );
            }
        }
    }
    println!("{changed} changed expectations, all noticed");
    assert!(changed > 1000);
}

/// The expectation with one value changed, in every kind of value that it has.
fn changes(seen: &Seen) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut change = |how: &dyn Fn(&mut Facts)| {
        if seen.own.is_some() {
            let mut other = seen.clone();
            other.own.iter_mut().for_each(how);
            all.push(other);
        }
        if seen.peers.as_ref().is_some_and(|p| !p.is_empty()) {
            let mut other = seen.clone();
            let peers = other.peers.iter_mut().flat_map(|p| p.values_mut());
            peers.take(1).for_each(how);
            all.push(other);
        }
    };
    let prefix = "203.0.113.0/24".parse().unwrap();
    change(&|f| f.allowed_ips.get_or_insert_default().push(prefix));
    change(&|f| f.primary_routes.get_or_insert_default().push(prefix));
    change(&|f| {
        let caps = f.cap_map.get_or_insert_default();
        caps.insert("example.com/cap/other".to_owned(), Value::Null);
    });
    if let Some(peers) = &seen.peers {
        let mut other = seen.clone();
        let gone = peers.keys().next().cloned();
        let removed = gone.and_then(|name| other.peers.as_mut().and_then(|p| p.remove(&name)));
        all.extend(removed.map(|_| other));
    }
    all
}

impl World<'_> {
    /// What the node knows from its first frame.
    fn first(&self, name: &str) -> control::NetMap {
        let mut knows = control::NetMap::default();
        let frame = self
            .snapshot
            .full(self.ids[name], Form::Plain, NOW)
            .unwrap();
        knows.apply(read_frame(&frame.concat()));
        knows
    }

    /// What it knows that was told of a policy that denies all, and then of the edit.
    fn after_an_edit(&self, name: &str) -> control::NetMap {
        let id = self.ids[name];
        let (closed, _) = policy::parse(r#"{"acls": []}"#);
        let policy = self.snapshot.tenant().policy.clone();
        let before = self.snapshot.apply([Change::Policy(closed.into())]);
        let mut knows = control::NetMap::default();
        knows.apply(read_frame(
            &before.full(id, Form::Plain, NOW).unwrap().concat(),
        ));
        let log = Log::new(before.apply([Change::Policy(policy)]));
        match log.step_from(&before).unwrap().told(id, Form::Plain) {
            Told::Frame(frame) => knows.apply(read_frame(&frame.concat())),
            Told::Nothing => {}
            Told::Gone => panic!("{name} is gone"),
        }
        knows
    }
}

fn read_frame(frame: &[u8]) -> control::MapResponse {
    serde_json::from_slice(&frame[4..]).unwrap()
}

fn compare(
    world: &World<'_>,
    name: &str,
    seen: &Seen,
    knows: &control::NetMap,
) -> Result<(), String> {
    if let Some(own) = &seen.own {
        let node = knows.node.as_ref().unwrap();
        facts(node, own).map_err(|why| format!("self: {why}"))?;
    }
    if let Some(rules) = &seen.ssh_rules {
        sign_in::compare(world, &knows.ssh_policy, rules)?;
    }
    let Some(theirs) = &seen.peers else {
        return Ok(());
    };
    let names: BTreeMap<NodeId, &str> = world.ids.iter().map(|(n, id)| (*id, *n)).collect();
    let ours: BTreeSet<&str> = knows.peers.keys().map(|id| names[id]).collect();
    let expected: BTreeSet<&str> = theirs.keys().map(String::as_str).collect();
    if ours != expected {
        return Err(format!("{name} sees {ours:?}, not {expected:?}"));
    }
    for (id, peer) in &knows.peers {
        facts(peer, &theirs[names[id]]).map_err(|why| format!("peer {}: {why}", names[id]))?;
    }
    Ok(())
}

/// With our own capabilities, which filters name, left out.
fn facts(ours: &control::Node, theirs: &Facts) -> Result<(), String> {
    let allowed = ours.allowed_ips.as_ref().unwrap_or(&ours.addresses);
    let counts = |name: &str| !name.starts_with("warren-src-");
    let caps = ours.cap_map.iter().filter(|(name, _)| counts(name));
    let ours = View {
        addresses: ours.addresses.clone(),
        allowed_ips: allowed.clone(),
        primary_routes: ours.primary_routes.clone(),
        tags: ours.tags.iter().map(ToString::to_string).collect(),
        cap_map: caps
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect(),
    };
    told::compare(&ours, theirs)
}
