use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use simnet::clock::Clock;
use wire::relay_map::{Region, RegionId, RelayHost};

use super::*;

fn map() -> RelayMap {
    let host = |name: &str, ip: &str, port: i32| RelayHost {
        name: name.to_owned(),
        region_id: RegionId(900),
        host_name: "relay.example".to_owned(),
        ipv4: ip.to_owned(),
        ipv6: "none".to_owned(),
        stun_port: port,
        ..RelayHost::default()
    };
    let region = Region {
        region_id: RegionId(900),
        nodes: vec![
            host("900a", "192.0.2.9", 0),
            host("900b", "192.0.2.9", 3479),
            host("900c", "192.0.2.9", -1),
        ],
        ..Region::default()
    };
    RelayMap {
        regions: [(RegionId(900), region)].into(),
        ..RelayMap::default()
    }
}

/// Runs a round in which server `i` (in the order of ports) sees `mapped[i]`, or stays silent.
fn round(local: &[&str], mapped: [Option<&str>; 2]) -> Discovery {
    let now = Clock::new().now();
    let mut rng = ChaCha20Rng::from_seed([0; 32]);
    let mut discovery = Discovery::default();
    discovery.set_local(local.iter().map(|a| a.parse().unwrap()).collect());
    assert!(discovery.set_servers(&map()));
    assert!(!discovery.set_servers(&map()));
    discovery.start(now);
    let requests = discovery.handle_timeout(false, now, &mut rng);
    assert_eq!(requests.len(), 2);
    for ((to, request), mapped) in requests.iter().zip(mapped) {
        assert_eq!(to.ip().to_string(), "192.0.2.9");
        if let Some(mapped) = mapped {
            let answer = simnet::stun::answer(request, mapped.parse().unwrap()).unwrap();
            discovery.handle_answer(&answer, now + Duration::from_millis(7));
        }
    }
    assert!(discovery.finish(now + stun::PATIENCE).is_some());
    assert!(!discovery.is_asking());
    discovery
}

#[test]
fn the_kind_of_nat_is_told_by_two_answers() {
    let local = ["10.0.0.2:41641"];
    let seen = |port: u16| format!("198.51.100.1:{port}");
    let table = [
        (Some(seen(7)), Some(seen(7)), NatKind::Easy),
        (Some(seen(7)), Some(seen(8)), NatKind::Hard),
        (Some(seen(7)), None, NatKind::Unknown),
        (None, None, NatKind::Blocked),
        (
            Some(local[0].to_owned()),
            Some(local[0].to_owned()),
            NatKind::Open,
        ),
    ];
    for (one, two, expected) in table {
        let discovery = round(&local, [one.as_deref(), two.as_deref()]);
        assert_eq!(discovery.report().nat, expected);
        let udp = expected != NatKind::Blocked;
        assert_eq!(discovery.report().udp, Some(udp));
    }
}

#[test]
fn what_servers_see_comes_before_own_addresses() {
    let seen = Some("198.51.100.1:7");
    let discovery = round(&["10.0.0.2:41641", "127.0.0.1:41641"], [seen, seen]);
    let endpoints: Vec<_> = discovery
        .endpoints()
        .iter()
        .map(|e| (e.addr.to_string(), e.kind))
        .collect();
    assert_eq!(
        endpoints,
        vec![
            ("198.51.100.1:7".to_owned(), EndpointKind::Stun),
            ("10.0.0.2:41641".to_owned(), EndpointKind::Local),
        ]
    );
    let rtt = Duration::from_millis(7);
    assert_eq!(discovery.report().latency[&RegionId(900)], rtt);
}

#[test]
fn behind_a_hard_nat_the_local_port_is_guessed_too() {
    let discovery = round(
        &["10.0.0.2:41641"],
        [Some("198.51.100.1:7"), Some("198.51.100.1:8")],
    );
    let kinds: Vec<_> = discovery.endpoints().iter().map(|e| e.kind).collect();
    assert!(kinds.contains(&EndpointKind::StunLocalPort));
}
