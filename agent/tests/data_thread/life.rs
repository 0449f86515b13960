//! How the thread starts and ends, and that nothing is left of it.

use agent::data::{Command, Config, Offloads, spawn_with};
use wire::{DiscoSecret, NodeSecret};

use crate::{
    namespace::Namespace,
    pair::{INTERFACE, PATIENCE, Pair, Reach},
    transfer::tcp,
};

fn config(interface: &str) -> Config {
    Config {
        interface: interface.into(),
        mtu: 1280,
        udp_port: 0,
        node: NodeSecret::from_bytes([1; 32]),
        disco: DiscoSecret::from_bytes([2; 32]),
        addresses: Vec::new(),
        mark: 0x51820,
    }
}

fn has_interface(ns: &Namespace) -> bool {
    let links = ns.sh("ip -o link");
    links.contains(&format!("{INTERFACE}:"))
}

#[test]
fn the_interface_is_up_with_its_mtu_and_the_longest_superpacket() {
    let Some(ns) = Namespace::new() else {
        return;
    };
    let data = ns
        .run(|| spawn_with(config(INTERFACE), Offloads::default()))
        .unwrap();
    assert_ne!(data.udp_port, 0);
    assert_eq!(data.interface, INTERFACE);
    let link = ns.sh(&format!("ip -d link show {INTERFACE}"));
    for fact in ["mtu 1280", ",UP", "gso_max_size 60000", "persist off"] {
        assert!(link.contains(fact), "{fact}: {link}");
    }
    let addresses = ns.sh(&format!("ip addr show dev {INTERFACE}"));
    assert!(!addresses.contains("inet"), "{addresses}");
    let sockets = ns.sh("ss -Hulnpm");
    assert_eq!(sockets.matches(&format!(":{}", data.udp_port)).count(), 2);
}

#[test]
fn a_shutdown_takes_the_interface_down_before_the_queues_close() {
    let Some(mut pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    assert!(has_interface(&pair.a.ns));
    pair.send(&pair.a, Command::Shutdown);
    Pair::until_closed(&pair.runtime, &mut pair.a.data.notices);
    assert!(!has_interface(&pair.a.ns));
    let late = pair
        .runtime
        .block_on(pair.a.data.commands.send(Command::RelayState {
            region: crate::pair::REGION,
            state: mesh::node::RelayState::Connected,
        }));
    assert!(late.is_err());
}

#[test]
fn the_thread_ends_when_nobody_can_command_it_any_more() {
    let Some(ns) = Namespace::new() else {
        return;
    };
    let mut data = ns
        .run(|| spawn_with(config(INTERFACE), Offloads::default()))
        .unwrap();
    let other = data.commands.clone();
    drop(data.commands);
    assert!(has_interface(&ns));
    drop(other);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    Pair::until_closed(&runtime, &mut data.notices);
    assert!(!has_interface(&ns));
}

#[test]
fn an_interface_taken_away_ends_the_thread() {
    let Some(mut pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    pair.a.ns.sh(&format!("ip link del {INTERFACE}"));
    Pair::until_closed(&pair.runtime, &mut pair.a.data.notices);
}

#[test]
fn an_interface_set_down_and_up_carries_again() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let Pair { a, b, .. } = &pair;
    let ping = format!("ping -n -c 1 -W 10 {}", b.v4);
    a.ns.sh(&ping);
    b.ns.sh(&format!("ip link set {INTERFACE} down"));
    let unheard = a.ns.try_sh(&format!("ping -n -c 1 -W 1 {}", b.v4));
    assert!(!unheard.status.success());
    assert!(b.data.counters.tun_refused.get() > 0);
    b.ns.sh(&format!(
        "ip link set {INTERFACE} up; ip route add 100.64.0.0/10 dev {INTERFACE}"
    ));
    a.ns.sh(&ping);
}

#[test]
fn a_name_in_use_is_refused_with_the_reason() {
    let Some(ns) = Namespace::new() else {
        return;
    };
    let offloads = Offloads::default();
    let _first = ns
        .run(move || spawn_with(config(INTERFACE), offloads))
        .unwrap();
    let error = ns
        .run(move || spawn_with(config(INTERFACE), offloads))
        .unwrap_err();
    assert!(error.to_string().contains(INTERFACE), "{error}");
    let error = ns
        .run(move || spawn_with(config("no/name"), offloads))
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn a_network_check_without_servers_answers() {
    let Some(pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    let report = pair.ask(&pair.a, |reply| Command::Netcheck { reply });
    assert_eq!(report.mapped_v4, None);
    assert!(PATIENCE.as_secs() > 3, "longer than a check may take");
}

#[test]
fn a_node_that_starts_anew_is_there_for_its_peers_though_nobody_tells_them() {
    let Some(mut pair) = Pair::with_all_offloads(Reach::Direct) else {
        return;
    };
    tcp(&pair.a, &pair.b, pair.b.v4, 100_000);
    pair.restart_first(Reach::Direct);
    tcp(&pair.a, &pair.b, pair.b.v4, 100_000);
    tcp(&pair.b, &pair.a, pair.a.v6, 100_000);
}
