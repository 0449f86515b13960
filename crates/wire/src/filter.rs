//! The packet filter as nodes receive it (`tailcfg.FilterRule`).

use serde::{Deserialize, Serialize};

use crate::net::PortRange;

/// One rule: who may reach which of this node's addresses and ports.
///
/// A packet is allowed when one rule matches its source, its destination and
/// its protocol; there are no deny rules, and no rules at all deny everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FilterRule {
    /// Sources: an address, a prefix, a range `a-b`, `*`, or `cap:NAME`, which
    /// matches the addresses of every peer whose `CapMap` holds `NAME`.
    #[serde(
        rename = "SrcIPs",
        default,
        deserialize_with = "crate::control::null_as_default"
    )]
    pub src_ips: Vec<String>,
    /// Destinations; empty when the rule grants capabilities only.
    #[serde(
        default,
        deserialize_with = "crate::control::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub dst_ports: Vec<DstPorts>,
    /// IP protocol numbers; empty means TCP, UDP, ICMP and `ICMPv6`.
    #[serde(
        rename = "IPProto",
        default,
        deserialize_with = "crate::control::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ip_proto: Vec<i32>,
    /// Application capabilities granted to the sources.
    #[serde(
        default,
        deserialize_with = "crate::control::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cap_grant: Vec<CapGrant>,
}

/// A destination of a [`FilterRule`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DstPorts {
    /// An address, a prefix, a range `a-b`, or `*`. Host bits are an error.
    #[serde(rename = "IP")]
    pub ip: String,
    /// The ports.
    pub ports: PortRange,
}

/// Capabilities that peers hold towards destinations on this node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapGrant {
    /// The destinations, as prefixes.
    #[serde(default, deserialize_with = "crate::control::null_as_default")]
    pub dsts: Vec<String>,
    /// Capability name to its values.
    #[serde(default, deserialize_with = "crate::control::null_as_default")]
    pub cap_map: std::collections::BTreeMap<String, Vec<serde_json::Value>>,
}
