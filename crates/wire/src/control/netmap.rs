//! What a node knows: the sum of the map responses it was given.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    SshPolicy,
    map::{DnsConfig, MapResponse, Node, PeerChange, UserProfile},
};
use crate::{NodeId, Timestamp, UserId, filter::FilterRule, relay_map::RelayMap};

/// The name under which the filter of [`MapResponse::packet_filter`] is kept.
pub const BASE_FILTER: &str = "base";
/// The name that stands for all filters in [`MapResponse::packet_filters`].
pub const ALL_FILTERS: &str = "*";

/// A node's whole knowledge. Made by [`NetMap::apply`] from the first response
/// of a stream and every one after it, by the rules that all clients share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetMap {
    /// The node itself; absent before the first response.
    pub node: Option<Node>,
    /// The peers.
    pub peers: BTreeMap<NodeId, Node>,
    /// The relays.
    pub relay_map: RelayMap,
    /// Names and resolvers.
    pub dns_config: DnsConfig,
    /// The tenant's name for people.
    pub domain: String,
    /// The packet filter in named pieces.
    pub packet_filters: BTreeMap<String, Vec<FilterRule>>,
    /// Who may sign in to the node by SSH; without rules: nobody.
    pub ssh_policy: SshPolicy,
    /// Owners of nodes; those of peers that are gone stay.
    pub user_profiles: BTreeMap<UserId, UserProfile>,
    /// The server's clock when it last told it.
    pub control_time: Option<Timestamp>,
    /// Warnings for the person at the machine.
    pub health: Vec<String>,
}

impl NetMap {
    /// Takes one response. Absent means unchanged; peers that are removed or
    /// patched without being known are passed over.
    pub fn apply(&mut self, response: MapResponse) {
        self.apply_peers(&response);
        let MapResponse {
            keep_alive: _,
            node,
            relay_map,
            peers: _,
            peers_changed: _,
            peers_removed: _,
            peers_changed_patch: _,
            online_change: _,
            peer_seen_change: _,
            dns_config,
            domain,
            packet_filter,
            packet_filters,
            user_profiles,
            ssh_policy,
            control_time,
            health,
            collect_services: _,
            debug: _,
        } = response;
        self.node = node.or(self.node.take());
        set(&mut self.relay_map, relay_map);
        set(&mut self.dns_config, dns_config);
        set(&mut self.domain, domain);
        set(&mut self.health, health);
        set(&mut self.ssh_policy, ssh_policy);
        self.control_time = control_time.or(self.control_time);
        if let Some(rules) = packet_filter {
            self.packet_filters.insert(BASE_FILTER.to_owned(), rules);
        }
        self.apply_filters(packet_filters.unwrap_or_default());
        for profile in user_profiles.unwrap_or_default() {
            self.user_profiles.insert(profile.id, profile);
        }
    }

    /// The rules of all pieces, in the order of their names.
    pub fn filter(&self) -> Vec<FilterRule> {
        self.packet_filters.values().flatten().cloned().collect()
    }

    fn apply_filters(&mut self, pieces: BTreeMap<String, Option<Vec<FilterRule>>>) {
        if pieces.get(ALL_FILTERS).is_some_and(Option::is_none) {
            self.packet_filters.clear();
        }
        for (name, rules) in pieces {
            match rules {
                _ if name == ALL_FILTERS => {}
                Some(rules) => {
                    self.packet_filters.insert(name, rules);
                }
                None => {
                    self.packet_filters.remove(&name);
                }
            }
        }
    }

    fn apply_peers(&mut self, response: &MapResponse) {
        if let Some(peers) = response.peers.as_deref().filter(|p| !p.is_empty()) {
            // A whole list is the whole truth; the deltas beside it say nothing.
            self.peers = peers.iter().map(|p| (p.id, p.clone())).collect();
            return;
        }
        for id in response.peers_removed.iter().flatten() {
            self.peers.remove(id);
        }
        for peer in response.peers_changed.iter().flatten() {
            self.peers.insert(peer.id, peer.clone());
        }
        for (id, seen) in response.peer_seen_change.iter().flatten() {
            if let Entry::Occupied(mut peer) = self.peers.entry(*id) {
                let now = response.control_time.or(self.control_time);
                peer.get_mut().last_seen = now.filter(|_| *seen);
            }
        }
        for (id, online) in response.online_change.iter().flatten() {
            if let Entry::Occupied(mut peer) = self.peers.entry(*id) {
                peer.get_mut().online = Some(*online);
            }
        }
        for change in response.peers_changed_patch.iter().flatten() {
            if let Entry::Occupied(mut peer) = self.peers.entry(change.node_id) {
                peer.get_mut().patch(change);
            }
        }
    }
}

impl Node {
    /// Takes the parts that are present.
    pub fn patch(&mut self, change: &PeerChange) {
        let PeerChange {
            node_id: _,
            home_relay,
            endpoints,
            key,
            disco_key,
            online,
            last_seen,
            key_expiry,
        } = change;
        set(&mut self.home_relay, *home_relay);
        set(&mut self.endpoints, endpoints.clone());
        set(&mut self.key, *key);
        set(&mut self.disco_key, *disco_key);
        self.online = online.or(self.online);
        self.last_seen = last_seen.or(self.last_seen);
        self.key_expiry = key_expiry.or(self.key_expiry);
    }
}

fn set<T>(field: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *field = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> MapResponse {
        serde_json::from_str(json).unwrap()
    }

    fn node(id: u64) -> String {
        format!(
            r#"{{"ID":{id},"StableID":"n{id}","Name":"n{id}.","User":1,"Key":"nodekey:{id:064x}"}}"#
        )
    }

    fn map(responses: &[String]) -> NetMap {
        let mut map = NetMap::default();
        for response in responses {
            map.apply(read(response));
        }
        map
    }

    #[test]
    fn absent_means_unchanged() {
        let first = format!(
            r#"{{"Node":{},"Peers":[{}],"Domain":"acme","PacketFilters":{{"base":[]}}}}"#,
            node(1),
            node(2)
        );
        let before = map(std::slice::from_ref(&first));
        assert_eq!(before, map(&[first, r#"{"KeepAlive":true}"#.to_owned()]));
    }

    #[test]
    fn an_empty_list_of_peers_clears_nothing() {
        let first = format!(r#"{{"Peers":[{}]}}"#, node(2));
        let map = map(&[first, r#"{"Peers":[]}"#.to_owned()]);
        assert_eq!(map.peers.len(), 1);
    }

    #[test]
    fn peers_are_removed_then_changed_then_patched() {
        let first = format!(r#"{{"Peers":[{},{}]}}"#, node(2), node(3));
        let delta = format!(
            r#"{{"PeersRemoved":[2,9],"PeersChanged":[{}],
                "PeersChangedPatch":[{{"NodeID":4,"Online":true}},{{"NodeID":9,"Online":true}}]}}"#,
            node(4)
        );
        let map = map(&[first, delta]);
        let online: Vec<_> = map.peers.values().map(|p| (p.id.0, p.online)).collect();
        assert_eq!(online, [(3, None), (4, Some(true))]);
    }

    #[test]
    fn filters_are_replaced_by_name_and_cleared_by_the_star() {
        let rule = |ip: &str| format!(r#"[{{"SrcIPs":["{ip}"]}}]"#);
        let one = format!(r#"{{"PacketFilter":{}}}"#, rule("192.0.2.1"));
        let two = format!(r#"{{"PacketFilters":{{"z":{}}}}}"#, rule("192.0.2.2"));
        let sources = |map: &NetMap| -> Vec<String> {
            map.filter().into_iter().flat_map(|r| r.src_ips).collect()
        };
        let both = map(&[one.clone(), two.clone()]);
        assert_eq!(sources(&both), ["192.0.2.1", "192.0.2.2"]);
        let gone = map(&[
            one.clone(),
            two.clone(),
            r#"{"PacketFilters":{"base":null}}"#.into(),
        ]);
        assert_eq!(sources(&gone), ["192.0.2.2"]);
        let anew = format!(
            r#"{{"PacketFilters":{{"*":null,"a":{}}}}}"#,
            rule("192.0.2.3")
        );
        assert_eq!(sources(&map(&[one, two, anew])), ["192.0.2.3"]);
    }
}
