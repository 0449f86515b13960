//! The map of relays (`tailcfg.DERPMap`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A region's id, 1 to 65535; 900 to 999 are for self-hosted relays.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RegionId(pub u16);

impl std::fmt::Display for RegionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Every relay a node may use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RelayMap {
    /// By region id; no null regions.
    #[serde(default)]
    pub regions: BTreeMap<RegionId, Region>,
    /// Clients that know default regions drop them.
    #[serde(
        rename = "omitDefaultRegions",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub omit_default_regions: bool,
}

/// Relays that are near each other and know each other's clients.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Region {
    /// The id, equal to the key in [`RelayMap::regions`].
    #[serde(rename = "RegionID")]
    pub region_id: RegionId,
    /// A short code, `fra`.
    pub region_code: String,
    /// A name for people.
    pub region_name: String,
    /// The hosts, preferred first.
    #[serde(default)]
    pub nodes: Vec<RelayHost>,
}

/// One relay or STUN host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RelayHost {
    /// Unique over the map, `900a`.
    pub name: String,
    /// The region it belongs to.
    #[serde(rename = "RegionID")]
    pub region_id: RegionId,
    /// The name that TLS certificates are checked against and that is resolved
    /// when no address is given; never empty.
    pub host_name: String,
    /// `sha256-raw:HEX` pins a self-signed certificate by the digest of its DER form.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cert_name: String,
    /// An address that spares the look-up; `none` switches the family off.
    #[serde(rename = "IPv4", default, skip_serializing_if = "String::is_empty")]
    pub ipv4: String,
    /// As [`Self::ipv4`].
    #[serde(rename = "IPv6", default, skip_serializing_if = "String::is_empty")]
    pub ipv6: String,
    /// UDP port of STUN: 0 means 3478, -1 none.
    #[serde(rename = "STUNPort", default, skip_serializing_if = "is_zero_i32")]
    pub stun_port: i32,
    /// True when it answers STUN only.
    #[serde(
        rename = "STUNOnly",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub stun_only: bool,
    /// TLS port of the relay: 0 means 443.
    #[serde(rename = "DERPPort", default, skip_serializing_if = "is_zero_i32")]
    pub relay_port: i32,
    /// True when port 80 answers captive-portal probes.
    #[serde(
        rename = "CanPort80",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub can_port80: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero_i32(v: &i32) -> bool {
    *v == 0
}
