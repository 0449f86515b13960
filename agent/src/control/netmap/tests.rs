use rand::{Rng, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::*;

fn node(id: u64) -> Value {
    json!({
        "ID": id,
        "StableID": format!("s{id}"),
        "Name": format!("n{id}.acme.warren.internal."),
        "User": 1,
        "Key": format!("nodekey:{id:064x}"),
        "DiscoKey": format!("discokey:{id:064x}"),
        "Addresses": [format!("100.64.0.{id}/32")],
        "HomeDERP": 900,
        "Endpoints": ["192.0.2.1:1"],
        "MachineAuthorized": true,
    })
}

fn message(text: Value) -> MapResponse {
    serde_json::from_value(text).unwrap()
}

fn first() -> NetMap {
    let first = message(json!({
        "Node": node(1),
        "Peers": [node(2), node(3)],
        "DERPMap": {"Regions": {}},
        "PacketFilters": {"base": [{"SrcIPs": ["*"], "DstPorts": []}]},
        "UserProfiles": [{"ID": 1, "LoginName": "ada@example.com"}],
        "Domain": "acme",
    }));
    NetMap::first(first, None).unwrap()
}

fn data(map: &NetMap, id: u64) -> &Arc<data::Peer> {
    &map.data[&NodeId(id)]
}

#[test]
fn a_message_that_does_not_say_who_we_are_is_no_beginning() {
    assert!(NetMap::first(message(json!({"Peers": [node(2)]})), None).is_none());
}

#[test]
fn what_did_not_change_stays_the_same_across_streams() {
    let old = first();
    let again = message(json!({"Node": node(1), "Peers": [node(3)]}));
    let new = NetMap::first(again, Some(&old)).unwrap();
    assert_eq!((new.peers().len(), new.data.len()), (1, 1));
    assert!(Arc::ptr_eq(data(&old, 3), data(&new, 3)));
    let alone = NetMap::first(message(json!({"Node": node(1)})), Some(&old)).unwrap();
    assert!(alone.data.is_empty(), "a new stream names every peer");
}

#[test]
fn routes_behind_a_peer_are_not_used() {
    let mut router = node(2);
    router["AllowedIPs"] = json!(["100.64.0.2/32", "198.51.100.0/24", "0.0.0.0/0", "::/0"]);
    router["PrimaryRoutes"] = json!(["198.51.100.0/24"]);
    router["CapMap"] = json!({"suggest-exit-node": null, "warren-src-7": []});
    let mut own = node(1);
    own["CapMap"] = json!({"https://tailscale.com/cap/ssh": null, "custom:x": [{"a": 1}]});
    own["AllowedIPs"] = json!(["100.64.0.1/32", "203.0.113.0/24"]);
    let mut map = first();
    let touched = map.apply(message(json!({
        "Node": own,
        "PeersChanged": [router],
        "SSHPolicy": {"rules": [{"principals": [{"any": true}], "sshUsers": {"*": "="}, "action": {"accept": true}}]},
    })));
    assert!(touched.data);
    assert_eq!(data(&map, 2).allowed_ips, data(&map, 2).addresses);
    assert_eq!(data(&map, 2).cap_map.len(), 2);
    let told = map.to_data(RelayMap::default());
    assert_eq!(told.addresses, ["100.64.0.1/32".parse().unwrap()]);
}

#[test]
fn an_own_address_that_is_not_allowed_is_not_used() {
    let mut peer = node(2);
    peer["Addresses"] = json!(["100.64.0.2/32", "fd7a:115c:a1e0::2/128"]);
    peer["AllowedIPs"] = json!(["fd7a:115c:a1e0::2/128"]);
    let mut map = first();
    map.apply(message(json!({"PeersChanged": [peer]})));
    assert_eq!(
        data(&map, 2).allowed_ips,
        ["fd7a:115c:a1e0::2/128".parse().unwrap()]
    );
}

#[test]
fn a_patch_changes_one_peer_and_no_other() {
    let mut map = first();
    let before = map.clone();
    let patch = json!({"PeersChangedPatch": [
        {"NodeID": 2, "Endpoints": ["198.51.100.1:2"], "DERPRegion": 901},
        {"NodeID": 99, "Online": true},
    ]});
    assert!(map.apply(message(patch)).data);
    assert_eq!(data(&map, 2).endpoints, ["198.51.100.1:2".parse().unwrap()]);
    assert_eq!(data(&map, 2).home_relay.0, 901);
    assert!(Arc::ptr_eq(data(&map, 3), data(&before, 3)));
}

#[test]
fn being_online_is_nothing_to_the_data_thread() {
    let mut map = first();
    let touched = map.apply(message(json!({"OnlineChange": {"2": false}})));
    assert!(touched.any && !touched.data);
    assert_eq!(map.peers()[&NodeId(2)].online, Some(false));
    let touched = map.apply(message(json!({
        "PeersChangedPatch": [{"NodeID": 2, "Online": true}],
    })));
    assert!(touched.any && !touched.data);
    assert!(!map.apply(MapResponse::keepalive()).any);
}

#[test]
fn peers_come_change_and_go() {
    let mut map = first();
    let mut changed = node(2);
    changed["Expired"] = true.into();
    let delta = json!({"PeersChanged": [changed, node(4)], "PeersRemoved": [3]});
    assert!(map.apply(message(delta)).data);
    let ids: Vec<_> = map.data.keys().map(|id| id.0).collect();
    assert_eq!(ids, [2, 4]);
    assert!(data(&map, 2).expired);
    assert!(!map.apply(message(json!({"Peers": []}))).data);
    assert_eq!(map.data.len(), 2, "an empty list clears nothing");
    assert!(map.apply(message(json!({"Peers": [node(4)]}))).data);
    assert_eq!(map.data.len(), 1, "a whole list is the whole truth");
}

#[test]
fn the_data_thread_gets_the_filter_in_one_piece() {
    let mut map = first();
    let rule = |src: &str| json!([{"SrcIPs": [src], "DstPorts": []}]);
    let sources = |map: &NetMap| -> Vec<String> {
        let filter = map.to_data(RelayMap::default()).filter;
        filter.iter().flat_map(|r| r.src_ips.clone()).collect()
    };
    assert!(
        map.apply(message(json!({"PacketFilters": {"a": rule("a")}})))
            .data
    );
    assert_eq!(sources(&map), ["a", "*"]);
    assert!(map.apply(message(json!({"PacketFilter": []}))).data);
    assert_eq!(sources(&map), ["a"]);
}

#[test]
fn a_kept_netmap_is_the_same_again() {
    let map = first();
    let text = serde_json::to_vec(&map.to_message()).unwrap();
    let back = NetMap::first(serde_json::from_slice(&text).unwrap(), None).unwrap();
    assert_eq!(back.to_message(), map.to_message());
}

#[test]
fn absent_allowed_prefixes_are_the_addresses_and_the_zero_time_is_never() {
    let mut text = node(2);
    text["KeyExpiry"] = "0001-01-01T00:00:00Z".into();
    let peer = data_peer(&serde_json::from_value(text).unwrap());
    assert_eq!(peer.allowed_ips, peer.addresses);
    assert_eq!(peer.key_expiry, None);
}

#[test]
fn the_own_key_ends_by_the_clock_or_by_the_servers_word() {
    let mut map = first();
    let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    assert!(!map.is_expired(now));
    let mut ended = node(1);
    ended["KeyExpiry"] = "2026-11-24T09:00:00Z".into();
    map.apply(message(json!({"Node": ended})));
    assert!(map.is_expired(now));
    let mut expired = node(1);
    expired["Expired"] = true.into();
    map.apply(message(json!({"Node": expired})));
    assert!(map.is_expired(now));
}

/// A random message of the same stream.
fn random_delta(rng: &mut impl Rng) -> MapResponse {
    let mut peer = |changed: bool| {
        let mut peer = node(rng.gen_range(2..8));
        if changed {
            peer["HomeDERP"] = rng.gen_range(900..902).into();
            peer["Expired"] = rng.gen_bool(0.2).into();
        }
        peer
    };
    let (one, two) = (peer(true), peer(false));
    let id = rng.gen_range(2..8);
    message(match rng.gen_range(0..7) {
        0 => json!({"PeersChanged": [one, two]}),
        1 => json!({"PeersRemoved": [id]}),
        2 => json!({"PeersChangedPatch": [{"NodeID": id, "Endpoints": ["192.0.2.9:9"]}]}),
        3 => json!({"PeersChangedPatch": [{"NodeID": id, "Online": true}]}),
        4 => json!({"OnlineChange": {id.to_string(): false}}),
        5 => json!({"Peers": [one]}),
        _ => json!({"PacketFilters": {"a": [{"SrcIPs": [id.to_string()]}]}}),
    })
}

#[test]
fn the_data_thread_misses_nothing_and_is_bothered_by_nothing_else() {
    let mut rng = StdRng::seed_from_u64(11);
    let mut map = first();
    for _ in 0..2000 {
        let before = map.to_data(RelayMap::default());
        let touched = map.apply(random_delta(&mut rng));
        let after = map.to_data(RelayMap::default());
        let told = map.peers().iter().map(|(id, n)| (*id, data_peer(n)));
        let known = after
            .peers
            .iter()
            .map(|(id, p)| (*id, data::Peer::clone(p)));
        assert!(told.eq(known));
        if !touched.data {
            assert_eq!(before.filter, after.filter);
            assert!(before.peers.iter().eq(after.peers.iter()));
        }
    }
}
