//! Makes the small tenants of the law's tests wider: grants, routers, exit
//! nodes, sets, postures, groups of identity providers, lost addresses.

use policy::{Connection, ProviderGroup};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::{UserId, api::Role};

use crate::world::{World, arb_world};

const SOURCES: [&str; 14] = [
    "*",
    "ada@example.com",
    "group:one",
    "group:ops@okta",
    "user:*@example.com",
    "user:*@elsewhere.example",
    "tag:web",
    "autogroup:member",
    "autogroup:tagged",
    "autogroup:admin",
    "autogroup:danger-all",
    "ipset:some",
    "10.1.0.0/16",
    "100.64.0.1-100.64.0.3",
];
const TARGETS: [&str; 13] = [
    "*",
    "bob@example.com",
    "group:ops@okta",
    "tag:web",
    "tag:db",
    "autogroup:internet",
    "autogroup:it-admin",
    "ipset:some",
    "office",
    "10.0.0.0/8",
    "8.8.8.0/24",
    "192.168.7.0/24",
    "8.0.0.0/7",
];
const IP: [&str; 6] = ["*", "tcp:22", "udp:*", "80-500", "icmp:*", "47:*"];

prop_compose! {
    fn arb_grant()(
        sources in prop::collection::vec(prop::sample::select(&SOURCES[..]), 1..3),
        targets in prop::collection::vec(prop::sample::select(&TARGETS[..]), 1..3),
        ip in prop::collection::vec(prop::sample::select(&IP[..]), 0..3),
        via in prop::sample::select(vec![None, None, None, Some("tag:web"), Some("tag:db")]),
        posture in prop::bool::weighted(0.3),
    ) -> Value {
        let mut grant = json!({"src": sources, "dst": targets});
        // Capabilities go neither to the Internet nor to devices by role.
        let no_app = ["autogroup:internet", "autogroup:it-admin"].iter().any(|t| targets.contains(t));
        let ip = if no_app && ip.is_empty() { vec!["tcp:22"] } else { ip };
        if ip.is_empty() {
            grant["app"] = json!({"example.com/cap/x": [{}]});
        } else {
            grant["ip"] = json!(ip);
        }
        let routable = targets.iter().all(|t| t.contains('/') || ["office", "autogroup:internet", "ipset:some"].contains(t));
        if let Some(tag) = via.filter(|_| routable && !ip.is_empty()) {
            grant["via"] = json!([tag]);
        }
        if posture {
            grant["srcPosture"] = json!(["posture:sound"]);
        }
        grant
    }
}

prop_compose! {
    /// A tenant of the law's tests, widened.
    pub(crate) fn arb_wide_world()(
        world in arb_world(),
        grants in prop::collection::vec(arb_grant(), 0..4),
        exits in prop::collection::vec(prop::bool::weighted(0.25), 7),
        members in prop::collection::vec(1..4_u64, 0..3),
        roles in prop::collection::vec(prop::sample::select(vec![Role::Member, Role::Admin, Role::ItAdmin, Role::Owner]), 3),
        without in prop::sample::select(vec![None, None, None, None, Some("tag:db"), Some("group:one"), Some("*")]),
    ) -> World {
        let mut world = world;
        let mut all = world.document["grants"].as_array().cloned().unwrap_or_default();
        all.extend(grants);
        world.document["grants"] = json!(all);
        world.document["ipsets"]["ipset:some"] = json!(["10.1.0.0/16", "remove 10.1.2.0/24", "add 100.64.0.2"]);
        world.document["postures"]["posture:sound"] = json!(["node:os == 'linux'"]);
        if let Some(target) = without {
            world.document["nodeAttrs"] = json!([{"target": [target], "attr": ["disable-ipv4"]}]);
        }
        for (node, is_exit) in world.nodes.iter_mut().zip(exits) {
            if is_exit {
                node.exit_routes = ["0.0.0.0/0", "::/0"].map(|r| r.parse().unwrap()).to_vec();
            }
        }
        for (user, role) in world.directory.users.iter_mut().zip(roles) {
            user.role = role;
        }
        world.directory.domains = vec!["Example.com".to_owned()];
        world.directory.connections = vec![Connection {
            slug: "okta".to_owned(),
            domains: vec![],
            groups: vec![ProviderGroup {
                name: " Ops".to_owned(),
                members: members.into_iter().map(UserId).collect(),
            }],
        }];
        world
    }
}
