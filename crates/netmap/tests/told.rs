//! Routers, attributes and SSH rules as frames tell of them, case by case.
#![expect(clippy::unwrap_used, reason = "a test states facts and may stop")]

#[path = "steps/world.rs"]
#[expect(dead_code, reason = "random events are for the other tests")]
mod world;

use std::sync::Arc;

use netmap::{Change, Form, Log, Node, Owner, Snapshot, Tenant, Told};
use policy::Document;
use wire::{
    NodeId, Timestamp, UserId,
    control::{MapResponse, SshRule},
};
use world::{plain_node, tenant};

const NOW: Timestamp = Timestamp::from_unix_seconds(7);
const SUBNET: &str = "192.0.2.0/24";

fn document(text: &str) -> Arc<Document> {
    let (document, found) = policy::parse(text);
    assert!(!policy::has_errors(&found), "{found:?}");
    document.into()
}

fn under(text: &str, nodes: impl IntoIterator<Item = Node>) -> Snapshot {
    let tenant = Tenant {
        policy: document(text),
        ..tenant(0)
    };
    Snapshot::new(tenant, nodes)
}

fn open(nodes: impl IntoIterator<Item = Node>) -> Snapshot {
    under(
        r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#,
        nodes,
    )
}

/// A router of [`SUBNET`] that is online; the lower its id, the earlier it was created.
fn router(id: u64) -> Node {
    let mut node = plain_node(id);
    node.routes = vec![SUBNET.parse().unwrap()];
    node.created = Timestamp::from_unix_seconds(i64::try_from(id).unwrap());
    node.reach.online = true;
    node
}

fn tagged(id: u64, tag: &str) -> Node {
    Node {
        owner: Owner::Tags(vec![tag.parse().unwrap()]),
        ..plain_node(id)
    }
}

fn full(at: &Snapshot, id: u64) -> MapResponse {
    let frame = at.full(NodeId(id), Form::Plain, NOW).unwrap().concat();
    read(&frame)
}

fn read(frame: &[u8]) -> MapResponse {
    serde_json::from_slice(&frame[4..]).unwrap()
}

fn told(from: &Snapshot, to: &Snapshot, id: u64) -> Option<MapResponse> {
    let log = Log::new(to.clone());
    match log.step_from(from)?.told(NodeId(id), Form::Plain) {
        Told::Frame(frame) => Some(read(&frame.concat())),
        Told::Nothing => None,
        Told::Gone => panic!("{id} is gone"),
    }
}

/// The peers of which the response says that they serve a subnet.
fn serving(response: &MapResponse) -> Vec<u64> {
    let all = response
        .peers
        .iter()
        .chain(&response.peers_changed)
        .flatten();
    let serving = all.filter(|p| !p.primary_routes.is_empty());
    serving
        .inspect(|p| assert_eq!(p.allowed_ips.as_ref().unwrap().len(), 3))
        .map(|p| p.id.0)
        .collect()
}

fn online(at: &Snapshot, id: u64, online: bool) -> Snapshot {
    let mut reach = at.node(NodeId(id)).unwrap().reach.clone();
    reach.online = online;
    at.apply([Change::Reach(NodeId(id), Box::new(reach))])
}

#[test]
fn the_next_router_serves_while_the_first_is_offline_or_gone() {
    let start = open([router(1), router(2), plain_node(3)]);
    assert_eq!(serving(&full(&start, 3)), [1]);
    let away = online(&start, 1, false);
    let step = told(&start, &away, 3).unwrap();
    assert_eq!(serving(&step), [2]);
    let changed: Vec<_> = step
        .peers_changed
        .iter()
        .flatten()
        .map(|p| p.id.0)
        .collect();
    assert_eq!(changed, [1, 2], "the first is told of without the route");
    let own = told(&start, &away, 2).unwrap().node.unwrap();
    assert_eq!(own.primary_routes, [SUBNET.parse().unwrap()]);

    let back = online(&away, 1, true);
    assert_eq!(serving(&told(&away, &back, 3).unwrap()), [1]);
    let nobody = online(&online(&start, 1, false), 2, false);
    assert_eq!(
        serving(&full(&nobody, 3)),
        [1],
        "the first of those that are away"
    );
    let gone = start.apply([Change::NodeRemoved(NodeId(1))]);
    let step = told(&start, &gone, 3).unwrap();
    assert_eq!(
        (serving(&step), step.peers_removed),
        (vec![2], Some(vec![NodeId(1)]))
    );
}

#[test]
fn a_router_that_takes_no_part_serves_nothing() {
    let start = open([router(1), router(2), plain_node(3)]);
    let mut waiting = router(1);
    waiting.approved = false;
    let without = start.apply([Change::Node(waiting.into())]);
    assert_eq!(serving(&full(&without, 3)), [2]);
    let own = full(&without, 1).node.unwrap();
    assert_eq!(
        (own.allowed_ips.unwrap().len(), own.primary_routes.len()),
        (2, 0)
    );
}

#[test]
fn withdrawn_routes_leave_the_view_and_the_filters() {
    let start = open([router(1), plain_node(2)]);
    let mut node = router(1);
    node.routes.clear();
    let after = start.apply([Change::Node(node.into())]);
    let step = told(&start, &after, 2).unwrap();
    let peer = &step.peers_changed.unwrap()[0];
    assert_eq!(peer.allowed_ips.as_ref().unwrap(), &peer.addresses);
    let filters = step.packet_filters.unwrap();
    let sources = &filters["base"].as_ref().unwrap()[0].src_ips;
    assert!(!sources.contains(&SUBNET.to_owned()), "{sources:?}");
    let before = full(&start, 2).packet_filters.unwrap();
    assert!(
        before["base"].as_ref().unwrap()[0]
            .src_ips
            .contains(&SUBNET.to_owned())
    );
}

#[test]
fn viewers_of_the_same_routes_share_the_bytes_and_others_are_told_apart() {
    let policy = r#"{"acls": [
        {"action": "accept", "src": ["u1@example.com"], "dst": ["192.0.2.0/24:*"]},
        {"action": "accept", "src": ["*"], "dst": ["*:22"]}]}"#;
    let viewer = |id| Node {
        owner: Owner::User(UserId(id % 2 + 1)),
        ..plain_node(id)
    };
    let start = under(policy, [router(1)].into_iter().chain((2..=41).map(viewer)));
    let mut moved = router(1);
    moved.name = "gate".parse().unwrap();
    let log = Log::new(start.apply([Change::Node(moved.into())]));
    let mut frames: Vec<_> = (2..=41)
        .map(|id| {
            let step = log.step_from(&start).unwrap();
            match step.told(NodeId(id), Form::Plain) {
                Told::Frame(frame) => frame[0].as_ptr(),
                told @ (Told::Nothing | Told::Gone) => panic!("{told:?}"),
            }
        })
        .collect();
    frames.sort_unstable();
    frames.dedup();
    assert!(frames.len() <= 2, "{} frames", frames.len());
    assert_eq!(serving(&full(&start, 3)), [1]);
}

#[test]
fn an_owner_who_comes_into_view_is_introduced_and_one_who_is_known_is_not() {
    let policy = r#"{"tagOwners": {"tag:gate": [], "tag:web": []}, "acls": [
        {"action": "accept", "src": ["u1@example.com"], "dst": ["192.0.2.0/24:*"]},
        {"action": "accept", "src": ["u2@example.com"], "dst": ["*:*"]}]}"#;
    let knows_all = Node {
        owner: Owner::User(UserId(2)),
        ..plain_node(3)
    };
    let start = under(policy, [tagged(1, "tag:gate"), plain_node(2), knows_all]);
    let approve = |at: &Snapshot, id| {
        let mut node = at.node(NodeId(id)).unwrap().clone();
        node.routes = vec![SUBNET.parse().unwrap()];
        at.apply([Change::Node(node.into())])
    };
    let changed = |response: &MapResponse| -> Vec<u64> {
        let peers = response.peers_changed.iter().flatten();
        peers.map(|p| p.id.0).collect()
    };

    let approved = approve(&start, 1);
    let step = told(&start, &approved, 2).unwrap();
    assert_eq!(changed(&step), [1]);
    let profiles = step.user_profiles.unwrap();
    assert_eq!(
        (profiles[0].id, profiles[0].login_name.as_str()),
        (UserId(9), "tagged-devices")
    );
    assert_eq!(
        step.domain.as_deref(),
        Some("Acme"),
        "the map is drawn anew"
    );
    let known = told(&start, &approved, 3).unwrap();
    assert_eq!((changed(&known), known.domain), (vec![1], None));

    // The next one of an owner who is known comes piece by piece.
    let more = approved.apply([Change::Node(tagged(4, "tag:gate").into())]);
    let both = approve(&more, 4);
    let step = told(&more, &both, 2).unwrap();
    assert_eq!((changed(&step), step.domain), (vec![4], None));

    // Out of view and back: clients may have forgotten him.
    let mut without = approved.node(NodeId(1)).unwrap().clone();
    without.routes.clear();
    let gone = approved.apply([Change::Node(without.into())]);
    let step = told(&approved, &gone, 2).unwrap();
    assert_eq!(step.peers_removed, Some(vec![NodeId(1)]));
    let back = told(&gone, &approve(&gone, 1), 2).unwrap();
    assert!(back.user_profiles.is_some() && back.domain.is_some());
}

/// The sources of rules with `app`, where the response tells of filters.
fn holders(response: &MapResponse) -> Option<Vec<String>> {
    let filters = response.packet_filters.as_ref()?;
    let rules = filters.values().flatten().flatten();
    let apps = rules.filter(|r| !r.cap_grant.is_empty());
    let all = apps.flat_map(|r| r.src_ips.clone());
    Some(all.filter(|s| !s.contains(':')).collect())
}

#[test]
fn who_holds_a_capability_is_named_by_address_and_told_when_it_changes() {
    let policy = r#"{"tagOwners": {"tag:web": []}, "grants": [
        {"src": ["u1@example.com"], "dst": ["tag:web"], "ip": ["443"],
         "app": {"example.com/cap/door": [{"opens": "north"}]}}]}"#;
    let gate = Node {
        routes: vec![SUBNET.parse().unwrap()],
        ..tagged(2, "tag:web")
    };
    let start = under(policy, [tagged(1, "tag:web"), gate, plain_node(3)]);
    let more = start.apply([Change::Node(plain_node(4).into())]);
    let (one, both) = (vec!["100.64.0.3"], vec!["100.64.0.3", "100.64.0.4"]);
    for id in [1, 2] {
        assert_eq!(holders(&full(&start, id)).unwrap(), one, "{id}");
        let step = told(&start, &more, id).unwrap();
        assert_eq!(holders(&step).unwrap(), both, "{id}");
        assert_eq!(holders(&full(&more, id)).unwrap(), both, "{id}");
    }
    // Who is reached by nobody's capability is told of no filter, and nobody when only presence changes.
    assert_eq!(told(&start, &more, 3), None);
    let reach = netmap::Reach {
        online: true,
        ..more.node(NodeId(4)).unwrap().reach.clone()
    };
    let online = more.apply([Change::Reach(NodeId(4), reach.into())]);
    let gone = online.apply([Change::NodeRemoved(NodeId(4))]);
    for id in [1, 2] {
        let step = told(&more, &online, id).unwrap();
        assert_eq!(holders(&step), None, "{id}");
        assert_eq!(holders(&told(&online, &gone, id).unwrap()).unwrap(), one);
    }
}

const SSH: &str = r#"{"tagOwners": {"tag:web": [], "tag:db": []}, "acls": [],
    "ssh": [{"action": "accept", "src": ["u1@example.com", "tag:db"], "dst": ["tag:web"], "users": ["root"]}]}"#;

fn principals(rules: &[SshRule]) -> Vec<String> {
    let all = rules.iter().flat_map(|r| &r.principals);
    all.map(|p| {
        let address = p.node_ip.map(|ip| ip.to_string());
        address.or_else(|| p.user_login.clone()).unwrap()
    })
    .collect()
}

#[test]
fn a_persons_devices_come_and_go_without_a_word_of_ssh() {
    let start = under(SSH, [tagged(1, "tag:web"), plain_node(2)]);
    let rules = full(&start, 1).ssh_policy.unwrap().rules;
    assert_eq!(principals(&rules), ["u1@example.com"]);
    assert_eq!(full(&start, 2).ssh_policy, None);
    let more = start.apply([Change::Node(plain_node(3).into())]);
    assert_eq!(told(&start, &more, 1), None);
}

#[test]
fn a_tagged_source_is_named_by_its_addresses_while_it_is_there() {
    let start = under(SSH, [tagged(1, "tag:web"), tagged(2, "tag:web")]);
    let more = start.apply([Change::Node(tagged(7, "tag:db").into())]);
    let log = Log::new(more.clone());
    let frames =
        [1, 2].map(
            |id| match log.step_from(&start).unwrap().told(NodeId(id), Form::Plain) {
                Told::Frame(frame) => frame[0].clone(),
                told @ (Told::Nothing | Told::Gone) => panic!("{told:?}"),
            },
        );
    assert_eq!(frames[0].as_ptr(), frames[1].as_ptr());
    let step = told(&start, &more, 1).unwrap();
    let named = principals(&step.ssh_policy.unwrap().rules);
    assert_eq!(named[..2], ["u1@example.com", "100.64.0.7"]);
    assert_eq!(named.len(), 3);
    let less = more.apply([Change::NodeRemoved(NodeId(7))]);
    let rules = told(&more, &less, 1).unwrap().ssh_policy.unwrap().rules;
    assert_eq!(principals(&rules), ["u1@example.com"]);
}

#[test]
fn rules_that_are_gone_are_an_empty_list() {
    let start = under(SSH, [tagged(1, "tag:web"), plain_node(2)]);
    let without = start.apply([Change::Policy(document(r#"{"acls": []}"#))]);
    let step = told(&start, &without, 1).unwrap();
    assert_eq!(step.ssh_policy, Some(wire::control::SshPolicy::default()));
    assert_eq!(told(&start, &without, 2), None);
}
