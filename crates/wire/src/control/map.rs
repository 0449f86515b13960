//! `POST /machine/map` (`tailcfg.MapRequest`, `tailcfg.MapResponse`).
//!
//! An answer is a sequence of frames, each a little-endian `u32` length and a
//! JSON document (its own zstd frame when the request says so). The first one
//! that is no keepalive holds [`MapResponse::node`]; later ones hold what has
//! changed. **Absent means unchanged** for every field of [`MapResponse`].

use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SshPolicy, null_as_default};
use crate::{
    CapabilityVersion, DiscoKey, MachineKey, NodeId, NodeKey, Timestamp, UserId,
    filter::FilterRule,
    net::Prefix,
    relay_map::{RegionId, RelayMap},
};

/// A map of named facts; a value is a list (empty when the name says it all).
pub type CapMap = BTreeMap<String, Vec<Value>>;

/// A request for the netmap, or (`stream` false, `omit_peers` true) a report of presence.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MapRequest {
    /// What the client understands.
    pub version: CapabilityVersion,
    /// `zstd`, or empty for plain JSON.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub compress: String,
    /// The client wants keepalives.
    pub keep_alive: bool,
    /// The node that asks.
    pub node_key: NodeKey,
    /// Its disco key; zero when it has none yet.
    pub disco_key: DiscoKey,
    /// Keep the answer open and send deltas.
    pub stream: bool,
    /// With `stream` false: this is a report, the body of the answer is not read.
    pub omit_peers: bool,
    /// What the machine says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostinfo: Option<Hostinfo>,
    /// Where the node may be reached by UDP, best guesses first. Addresses that
    /// cannot be read, such as those with the zone of a link, are left out.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "readable_addresses"
    )]
    pub endpoints: Vec<SocketAddr>,
    /// One for each endpoint: 0 unknown, 1 local, 2 STUN, 3 port mapping,
    /// 4 STUN address with local port, 5 explicit.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub endpoint_types: Vec<i32>,
    /// Our own agents only: how each active peer is reached, for the console.
    #[serde(
        rename = "WarrenPaths",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "null_as_default"
    )]
    pub paths: Option<Vec<PathReport>>,
}

fn readable_addresses<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts: Vec<String> = null_as_default(d)?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

/// How a node reaches one peer at the moment. An extension that other clients neither send nor read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathReport {
    /// The peer.
    pub peer: NodeId,
    /// The address of a direct path; absent when relayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<SocketAddr>,
    /// The region of a relayed path; absent when direct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<RegionId>,
    /// The last measured round trip, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
}

/// What a machine says of itself (`tailcfg.Hostinfo`); it proves nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Hostinfo {
    /// The client's version.
    #[serde(
        rename = "IPNVersion",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub client_version: String,
    /// `linux`, `macOS`, `windows`, `iOS`, `android`, …
    #[serde(
        rename = "OS",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub os: String,
    /// The operating system's version.
    #[serde(
        rename = "OSVersion",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub os_version: String,
    /// `debian`, …
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub distro: String,
    /// What the machine calls itself.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub hostname: String,
    /// The processor, `amd64`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub go_arch: String,
    /// Advertised routes; nothing follows from them without approval.
    #[serde(
        rename = "RoutableIPs",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub routable_ips: Vec<Prefix>,
    /// Tags it asks for; nothing follows from them without the policy's consent.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub request_tags: Vec<String>,
    /// Services it runs for peers.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub services: Vec<Service>,
    /// What it found out about its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_info: Option<NetInfo>,
    /// Host keys of its SSH server.
    #[serde(
        rename = "sshHostKeys",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub ssh_host_keys: Vec<String>,
    /// It refuses incoming connections.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shields_up: bool,
    /// It updates itself, or lets itself be updated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allows_update: bool,
    /// Whether it keeps its state encrypted; absent: it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_encrypted: Option<bool>,
}

/// A service that a node runs for its peers (`tailcfg.Service`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Service {
    /// `tcp`, `udp`, `peerapi4`, `peerapi6`, `peerapi-dns-proxy`.
    pub proto: String,
    /// The port (1 for `peerapi-dns-proxy`).
    pub port: u16,
    /// For people.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub description: String,
}

/// What a node found out about its network (`tailcfg.NetInfo`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetInfo {
    /// True behind a NAT whose mapping depends on the destination ("hard").
    #[serde(
        rename = "MappingVariesByDestIP",
        skip_serializing_if = "Option::is_none"
    )]
    pub mapping_varies_by_dest_ip: Option<bool>,
    /// UDP reaches the outside.
    #[serde(rename = "WorkingUDP", skip_serializing_if = "Option::is_none")]
    pub working_udp: Option<bool>,
    /// IPv6 reaches the outside.
    #[serde(rename = "WorkingIPv6", skip_serializing_if = "Option::is_none")]
    pub working_ipv6: Option<bool>,
    /// The home relay's region; 0 when it has none.
    #[serde(rename = "PreferredDERP")]
    pub preferred_relay: RegionId,
    /// Seconds to each region, keyed `900-v4`.
    #[serde(
        rename = "DERPLatency",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub relay_latency: BTreeMap<String, f64>,
}

/// The netmap, or what has changed of it. Absent means unchanged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MapResponse {
    /// Nothing but a sign of life.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_alive: bool,
    /// The node that asked, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<Node>,
    /// The relays.
    #[serde(rename = "DERPMap", skip_serializing_if = "Option::is_none")]
    pub relay_map: Option<RelayMap>,
    /// Every visible peer, sorted by id: the first frame only. An empty list clears nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<Vec<Node>>,
    /// Peers that are new or changed, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers_changed: Option<Vec<Node>>,
    /// Peers that are gone or no longer visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers_removed: Option<Vec<NodeId>>,
    /// Parts of peers that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers_changed_patch: Option<Vec<PeerChange>>,
    /// Peers that came online (true) or went (false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online_change: Option<BTreeMap<NodeId, bool>>,
    /// Peers seen (true) or lost (false) just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_seen_change: Option<BTreeMap<NodeId, bool>>,
    /// Names and resolvers.
    #[serde(rename = "DNSConfig", skip_serializing_if = "Option::is_none")]
    pub dns_config: Option<DnsConfig>,
    /// The tenant's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The packet filter in one piece; some clients know only this form. Empty blocks all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet_filter: Option<Vec<FilterRule>>,
    /// The packet filter in named pieces, concatenated in the order of names.
    /// `None` deletes a piece; the name `*` with `None` deletes all before the others are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet_filters: Option<BTreeMap<String, Option<Vec<FilterRule>>>>,
    /// Owners of the node and its peers, new or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_profiles: Option<Vec<UserProfile>>,
    /// Who may sign in to the node by SSH.
    #[serde(rename = "SSHPolicy", skip_serializing_if = "Option::is_none")]
    pub ssh_policy: Option<SshPolicy>,
    /// The server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_time: Option<Timestamp>,
    /// Warnings for the person at the machine; a whole replacement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Vec<String>>,
    /// Whether services are reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collect_services: Option<bool>,
    /// Switches for the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<Debug>,
}

/// Switches for the client (`tailcfg.Debug`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Debug {
    /// Official clients upload their logs to Tailscale unless this is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_log_tail: bool,
}

/// A node as nodes see it (`tailcfg.Node`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Node {
    /// Over 0, unique over the server, never reused.
    #[serde(rename = "ID")]
    pub id: NodeId,
    /// The id that clients show.
    #[serde(rename = "StableID")]
    pub stable_id: String,
    /// The full DNS name with the dot at its end.
    pub name: String,
    /// The owner; tagged nodes belong to one shared pseudo-user.
    pub user: UserId,
    /// The WireGuard key.
    pub key: NodeKey,
    /// When the key ends; zero or absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_expiry: Option<Timestamp>,
    /// The machine key.
    #[serde(default, skip_serializing_if = "MachineKey::is_zero")]
    pub machine: MachineKey,
    /// The disco key; a peer without one is skipped by clients.
    #[serde(default, skip_serializing_if = "DiscoKey::is_zero")]
    pub disco_key: DiscoKey,
    /// One /32 and one /128.
    #[serde(deserialize_with = "null_as_default", default)]
    pub addresses: Vec<Prefix>,
    /// What may come from it and go to it: the addresses and approved routes. Absent: the addresses.
    #[serde(
        rename = "AllowedIPs",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub allowed_ips: Option<Vec<Prefix>>,
    /// Where it may be reached by UDP.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub endpoints: Vec<SocketAddr>,
    /// The home relay's region; a peer without one has no relayed path.
    #[serde(rename = "HomeDERP", default)]
    pub home_relay: RegionId,
    /// What it says of itself.
    #[serde(default)]
    pub hostinfo: Hostinfo,
    /// When it joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// What its client understands.
    #[serde(default)]
    pub cap: CapabilityVersion,
    /// Its tags; empty for a user's own device.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub tags: Vec<String>,
    /// Routes that it serves as the elected router.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub primary_routes: Vec<Prefix>,
    /// When it was last connected; without meaning while it is online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// Whether it is connected to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// False while an administrator has yet to approve it.
    #[serde(default)]
    pub machine_authorized: bool,
    /// Facts about it: on the node itself they switch features on; on peers
    /// `cap:` sources of filters match them.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "cap_map::deserialize"
    )]
    pub cap_map: CapMap,
    /// Its key has expired: no tunnel may be built to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

mod cap_map {
    use super::{BTreeMap, CapMap, Deserialize, Value};

    /// Values may be `null` as well as lists.
    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<CapMap, D::Error> {
        let raw = Option::<BTreeMap<String, Option<Vec<Value>>>>::deserialize(d)?;
        Ok(raw
            .unwrap_or_default()
            .into_iter()
            .map(|(k, v)| (k, v.unwrap_or_default()))
            .collect())
    }
}

/// Parts of one peer that changed (`tailcfg.PeerChange`). Absent means unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PeerChange {
    /// The peer; an id the reader does not know is ignored.
    #[serde(rename = "NodeID")]
    pub node_id: NodeId,
    /// The new home relay's region.
    #[serde(rename = "DERPRegion", skip_serializing_if = "Option::is_none")]
    pub home_relay: Option<RegionId>,
    /// All its endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<SocketAddr>>,
    /// The new WireGuard key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<NodeKey>,
    /// The new disco key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disco_key: Option<DiscoKey>,
    /// Whether it is connected to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// When it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// When its key ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_expiry: Option<Timestamp>,
}

/// The owner of a node (`tailcfg.UserProfile`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserProfile {
    /// As in [`Node::user`].
    #[serde(rename = "ID")]
    pub id: UserId,
    /// The e-mail address, or `tagged-devices`.
    pub login_name: String,
    /// The name for people.
    #[serde(default)]
    pub display_name: String,
}

/// Names and resolvers (`tailcfg.DNSConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DnsConfig {
    /// Resolvers for everything else.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub resolvers: Vec<Resolver>,
    /// By suffix; an empty list is answered by the node itself.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub routes: BTreeMap<String, Vec<Resolver>>,
    /// Search suffixes, the tenant's own first.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub domains: Vec<String>,
    /// Whether peers' names resolve.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub proxied: bool,
}

/// One resolver.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Resolver {
    /// `1.1.1.1`, `https://…`, `tls://…`.
    pub addr: String,
}

impl MapResponse {
    /// The sign of life sent when nothing happens.
    pub fn keepalive() -> Self {
        Self {
            keep_alive: true,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_read_spoils_no_other() {
        let text =
            r#"{"Endpoints": ["192.0.2.1:41641", "[fe80::1%eth0]:41641", "[2001:db8::1]:1"]}"#;
        let request: MapRequest = serde_json::from_str(text).unwrap();
        let want: Vec<SocketAddr> = ["192.0.2.1:41641", "[2001:db8::1]:1"]
            .map(|a| a.parse().unwrap())
            .into();
        assert_eq!(request.endpoints, want);
        let none: MapRequest = serde_json::from_str(r#"{"Endpoints": null}"#).unwrap();
        assert!(none.endpoints.is_empty());
    }
}
