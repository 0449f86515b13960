//! The form of a capture.

use std::{collections::BTreeMap, net::IpAddr};

use serde::Deserialize;
use serde_json::Value;
use wire::{Timestamp, net::Prefix};

#[derive(Clone, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) suite: String,
    pub(crate) policy: String,
    pub(crate) reject: Option<Reject>,
    pub(crate) users: Vec<Person>,
    pub(crate) nodes: BTreeMap<String, Machine>,
    pub(crate) expect: Option<BTreeMap<String, Seen>>,
    /// Whether its nodes were given other numbers to be judged; see `renumbered.rs`.
    #[serde(skip)]
    pub(crate) renumbered: bool,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Reject {
    pub(crate) code: u16,
    pub(crate) message: String,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Machine {
    pub(crate) ipv4: IpAddr,
    pub(crate) ipv6: IpAddr,
    pub(crate) user: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) routable_ips: Option<Vec<Prefix>>,
    pub(crate) approved_routes: Option<Vec<Prefix>>,
}

/// What the service told one node; only what is present is compared.
#[derive(Clone, Deserialize)]
pub(crate) struct Seen {
    pub(crate) packet_filter_rules: Option<Value>,
    pub(crate) ssh_rules: Option<Value>,
    #[serde(rename = "self")]
    pub(crate) own: Option<Facts>,
    pub(crate) peers: Option<BTreeMap<String, Facts>>,
    pub(crate) peer_caps: Option<BTreeMap<IpAddr, Value>>,
}

/// What the service told of one node.
#[derive(Clone, Deserialize)]
pub(crate) struct Facts {
    pub(crate) addresses: Option<Vec<Prefix>>,
    pub(crate) allowed_ips: Option<Vec<Prefix>>,
    pub(crate) primary_routes: Option<Vec<Prefix>>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) cap_map: Option<BTreeMap<String, Value>>,
}
