use wire::{
    CapabilityVersion, MachineKey, NodeKey, StableId, Timestamp, UserId, relay_map::RelayMap,
};

use super::*;
use crate::{Node, Owner, Reach, Tenant, class::Law};

fn member(id: u64) -> Arc<Member> {
    let node = Node {
        id: NodeId(id),
        stable_id: StableId::default(),
        name: format!("n{id}").parse().unwrap(),
        owner: Owner::User(UserId(1)),
        key: NodeKey::ZERO,
        machine: MachineKey::ZERO,
        ipv4: std::net::Ipv4Addr::new(100, 64, 0, 1),
        ipv6: std::net::Ipv6Addr::LOCALHOST,
        key_expiry: None,
        approved: true,
        expired: false,
        created: Timestamp::ZERO,
        routes: vec![],
        exit_routes: vec![],
        capability: CapabilityVersion(130),
        reach: Reach::default(),
    };
    let tenant = Tenant {
        name: "Acme".into(),
        dns_suffix: "acme.example".into(),
        tagged_user: UserId(2),
        people: vec![],
        domains: vec![],
        connections: vec![],
        policy: Arc::default(),
        relay_map: Arc::new(RelayMap::default()),
    };
    let law = Law::new(policy::Compiled::new(
        &tenant.policy,
        &tenant.directory(vec![]),
    ));
    Arc::new(Member::new(node, Eye::default(), &law, &tenant))
}

fn ids(members: &Members) -> Vec<u64> {
    members.iter().map(|m| m.id().0).collect()
}

#[test]
fn members_stay_sorted_and_segments_small() {
    let mut members = Members::default();
    let mut want = std::collections::BTreeSet::new();
    // Any order: a fixed walk over 1000 ids.
    for i in 0..1000_u64 {
        let id = (i * 617) % 1009 + 1;
        members.set(member(id));
        want.insert(id);
        if i % 3 == 0 {
            let gone = (i * 31) % 1009 + 1;
            members.remove(NodeId(gone));
            want.remove(&gone);
        }
    }
    assert_eq!(ids(&members), want.iter().copied().collect::<Vec<_>>());
    assert!(
        members
            .segments()
            .iter()
            .all(|s| (1..=CAPACITY).contains(&s.members.len()))
    );
    assert!(want.iter().all(|id| members.get(NodeId(*id)).is_some()));
    for id in want {
        members.remove(NodeId(id));
    }
    assert!(members.segments().is_empty());
}

#[test]
fn a_change_copies_one_segment() {
    let all: Vec<_> = (1..=1000).map(member).collect();
    let before = Members::from_sorted(&all);
    let mut after = before.clone();
    after.set(member(500));
    let pairs = before.segments().iter().zip(after.segments());
    assert_eq!(pairs.filter(|(a, b)| !Arc::ptr_eq(a, b)).count(), 1);
}

#[test]
fn joins_at_the_end_fill_segments() {
    let mut members = Members::default();
    for id in 1..=1280 {
        members.set(member(id));
    }
    assert_eq!(members.segments().len(), 10);
}
