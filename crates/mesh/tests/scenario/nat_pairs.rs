//! Which pairs of NATs find a direct path, and what each node says of its own.

use mesh::{
    event::{Event, PathAddr},
    netcheck::NatKind,
};
use simnet::nat::Behaviour;

use crate::world::{REGION, Site, World, secs};

const EASY: Site = Site::Behind(Behaviour::EASY);
const OPEN: Site = Site::Behind(Behaviour::OPEN);
const HARD: Site = Site::Behind(Behaviour::HARD);

fn pinged(one: Site, two: Site) -> [Option<PathAddr>; 2] {
    [(0, 1), (1, 0)].map(|(from, to)| {
        let mut world = World::new(&[one, two]);
        world.run(secs(3));
        world.ping_path(from, to)
    })
}

fn assert_direct(one: Site, two: Site) {
    for path in pinged(one, two) {
        assert!(matches!(path, Some(PathAddr::Direct(_))), "{path:?}");
    }
}

fn assert_relayed(one: Site, two: Site) {
    for path in pinged(one, two) {
        assert_eq!(path, Some(PathAddr::Relay(REGION)));
    }
}

#[test]
fn two_easy_nats_find_a_direct_path() {
    assert_direct(EASY, EASY);
}

#[test]
fn an_easy_nat_and_a_public_host_find_a_direct_path() {
    assert_direct(EASY, Site::Public);
}

#[test]
fn a_hard_nat_finds_a_direct_path_to_one_without_a_filter() {
    assert_direct(OPEN, HARD);
}

#[test]
fn a_hard_nat_and_a_filtering_one_are_relayed() {
    assert_relayed(EASY, HARD);
}

#[test]
fn two_hard_nats_are_relayed() {
    assert_relayed(HARD, HARD);
}

#[test]
fn without_udp_everybody_is_relayed() {
    assert_relayed(Site::UdpBlocked, EASY);
    assert_relayed(Site::UdpBlocked, Site::Public);
}

#[test]
fn each_node_names_its_nat() {
    let table = [
        (Site::Public, NatKind::Open),
        (EASY, NatKind::Easy),
        (OPEN, NatKind::Easy),
        (HARD, NatKind::Hard),
        (Site::UdpBlocked, NatKind::Blocked),
    ];
    for (site, expected) in table {
        let mut world = World::new(&[site]);
        let now = world.net.now();
        world.agents[0].node.start_netcheck(now);
        world.run(secs(4));
        let mut reports = world.agents[0].events.iter().filter_map(|e| match e {
            Event::NetcheckFinished(report) => Some(report),
            _ => None,
        });
        let report = reports.next().unwrap();
        assert_eq!(report.nat, expected);
        assert_eq!(report.udp, Some(expected != NatKind::Blocked));
        assert_eq!(report.home_relay, Some(REGION));
        assert_eq!(
            report.latency.contains_key(&REGION),
            expected != NatKind::Blocked
        );
    }
}
