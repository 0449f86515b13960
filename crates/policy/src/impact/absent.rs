//! People without a device: nothing changes for them now, and it does as soon as they have one.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use wire::{NodeId, UserId};

use super::{
    Bounds, Side,
    line::Lines,
    name::count,
    spot::{self, Spots},
};
use crate::{
    compile::Compiled,
    directory::{Node, NodeFacts, User},
};

/// The last IPv4 address that a device may have; those thought of get addresses downwards.
const LAST_IPV4: u32 = u32::from_be_bytes([100, 127, 255, 254]);

/// The login names of those who would reach something else with a device of their own, in
/// alphabetical order, and how many are not named.
pub(super) fn absent(
    sides: [&Side<'_>; 2],
    laws: [&Compiled; 2],
    bounds: Bounds,
) -> (Vec<String>, u64) {
    let people = without_device(sides);
    let facts: Vec<NodeFacts> = people.iter().zip(0..).map(thought).collect();
    let nodes: Vec<Node<'_>> = facts
        .iter()
        .zip(1..)
        .map(|(facts, id)| Node {
            id: NodeId(id),
            name: "",
            facts,
        })
        .collect();
    let sides = sides.map(|side| Side {
        nodes: &nodes,
        ..*side
    });
    let sides = [&sides[0], &sides[1]];
    let mut lines = Lines::default();
    let uses = laws.map(|law| lines.read(law));
    let devices = spot::devices(sides);
    let words = lines.all.len().div_ceil(64);
    let spots = Spots::new(sides, laws, &uses, words, &devices);
    let changed = spots.all.iter().filter(|spot| {
        spots.kind_of(spot).is_some_and(|kind| {
            let sent = spots.senders.get(kind.sender);
            let own = spots.owns.get(kind.own).map(|own| &own.lines);
            [sent, own].into_iter().flatten().any(|[a, b]| a != b)
        })
    });
    let changed: BTreeSet<usize> = changed.map(|spot| spot.device).collect();
    let mut names: Vec<String> = changed
        .into_iter()
        .filter_map(|at| Some(people.get(at)?.email.clone()))
        .collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(bounds.changes);
    names.truncate(bounds.changes);
    (names, count(more))
}

/// The people of both states who have a device in neither.
fn without_device<'a>(sides: [&Side<'a>; 2]) -> Vec<&'a User> {
    let nodes = sides.into_iter().flat_map(|side| side.nodes);
    let owners: BTreeSet<UserId> = nodes.filter_map(|node| node.facts.owner()).collect();
    let before: BTreeSet<UserId> = sides[0].directory.users.iter().map(|u| u.id).collect();
    let after = sides[1].directory.users.iter();
    after
        .filter(|user| before.contains(&user.id) && !owners.contains(&user.id))
        .collect()
}

fn thought((user, place): (&&User, u32)) -> NodeFacts {
    let address = Ipv4Addr::from_bits(LAST_IPV4.saturating_sub(place));
    NodeFacts {
        user: Some(user.id),
        addresses: vec![IpAddr::V4(address)],
        ..NodeFacts::default()
    }
}

#[cfg(test)]
mod tests {
    use wire::api::Role;

    use super::{super::impact, *};
    use crate::Directory;

    fn directory(people: &[&str]) -> Directory {
        let users = people.iter().zip(1..).map(|(email, id)| User {
            id: UserId(id),
            email: (*email).to_owned(),
            role: Role::Member,
        });
        Directory {
            users: users.collect(),
            ..Directory::default()
        }
    }

    fn named(old: &str, new: &str, bounds: Bounds) -> (Vec<String>, u64) {
        let directory = directory(&["ada@example.com", "bob@example.com", "oscar@example.com"]);
        let ada = NodeFacts {
            user: Some(UserId(1)),
            addresses: vec!["100.64.0.1".parse().unwrap()],
            ..NodeFacts::default()
        };
        let nodes = [Node {
            id: NodeId(7),
            name: "laptop",
            facts: &ada,
        }];
        let documents = [old, new].map(|text| {
            let (document, found) = crate::parse(text);
            assert!(!crate::has_errors(&found), "{found:?}");
            document
        });
        let [before, after] = documents.each_ref().map(|document| Side {
            document,
            directory: &directory,
            nodes: &nodes,
        });
        let told = impact(&before, &after, bounds);
        (told.absent, told.more_absent)
    }

    const OLD: &str = r#"{"groups": {"group:dev": ["ada@example.com"]},
        "acls": [{"action": "accept", "src": ["group:dev"], "dst": ["*:443"]},
            {"action": "accept", "src": ["bob@example.com"], "dst": ["*:22"]}]}"#;

    #[test]
    fn who_joins_a_group_and_has_no_device_is_named() {
        let new = OLD.replace(
            r#"["ada@example.com"]"#,
            r#"["ada@example.com", "oscar@example.com"]"#,
        );
        assert_eq!(
            named(OLD, &new, Bounds::default()),
            (vec!["oscar@example.com".to_owned()], 0)
        );
        assert_eq!(
            named(&new, OLD, Bounds::default()).0,
            ["oscar@example.com"],
            "and who leaves it"
        );
    }

    #[test]
    fn nobody_is_named_for_whom_nothing_would_change() {
        assert_eq!(named(OLD, OLD, Bounds::default()), (Vec::new(), 0));
        let new = OLD.replace(":443", ":444");
        assert_eq!(
            named(OLD, &new, Bounds::default()),
            (Vec::new(), 0),
            "ada has a device"
        );
    }

    #[test]
    fn those_beyond_the_bound_are_counted() {
        let new = OLD.replace("\"group:dev\"], \"dst\"", "\"*\"], \"dst\"");
        let bounds = Bounds {
            changes: 1,
            ..Bounds::default()
        };
        assert_eq!(
            named(OLD, &new, bounds),
            (vec!["bob@example.com".to_owned()], 1)
        );
    }
}
