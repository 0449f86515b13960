//! What a node is told of itself or of a peer, held against a capture.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wire::net::Prefix;

use crate::case::Facts;

/// Capabilities of the service itself, which do not count.
const SERVICE: [&str; 11] = [
    "https://tailscale.com/cap/file-sharing",
    "https://tailscale.com/cap/ssh",
    "https://tailscale.com/cap/tailnet-lock",
    "https://tailscale.com/cap/is-owner",
    "https://tailscale.com/cap/is-admin",
    "probe-udp-lifetime",
    "ssh-behavior-v1",
    "ssh-env-vars",
    "store-appc-routes",
    "tailnet-display-name",
    "default-auto-update",
];

/// Our side of [`Facts`].
pub(crate) struct View {
    pub(crate) addresses: Vec<Prefix>,
    pub(crate) allowed_ips: Vec<Prefix>,
    pub(crate) primary_routes: Vec<Prefix>,
    pub(crate) tags: Vec<String>,
    pub(crate) cap_map: BTreeMap<String, Vec<Value>>,
}

/// The first difference.
pub(crate) fn compare(ours: &View, theirs: &Facts) -> Result<(), String> {
    sets("addresses", &ours.addresses, theirs.addresses.as_ref())?;
    sets(
        "allowed_ips",
        &ours.allowed_ips,
        theirs.allowed_ips.as_ref(),
    )?;
    sets(
        "primary_routes",
        &ours.primary_routes,
        theirs.primary_routes.as_ref(),
    )?;
    sets("tags", &ours.tags, theirs.tags.as_ref())?;
    let counts = |name: &&String| !SERVICE.contains(&name.as_str());
    let ours: BTreeMap<&String, Value> = ours
        .cap_map
        .iter()
        .filter(|(name, _)| counts(name))
        .map(|(name, values)| (name, Value::from(values.clone())))
        .collect();
    let theirs: BTreeMap<&String, Value> = theirs
        .cap_map
        .iter()
        .flatten()
        .filter(|(name, _)| counts(name))
        .map(|(name, value)| {
            let none = value.is_null().then(|| Value::Array(Vec::new()));
            (name, none.unwrap_or_else(|| value.clone()))
        })
        .collect();
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("cap_map {ours:?}, not {theirs:?}"))
    }
}

fn sets<T: Ord + std::fmt::Debug>(
    what: &str,
    ours: &[T],
    theirs: Option<&Vec<T>>,
) -> Result<(), String> {
    let ours: BTreeSet<&T> = ours.iter().collect();
    let theirs: BTreeSet<&T> = theirs.into_iter().flatten().collect();
    if ours == theirs {
        return Ok(());
    }
    let more: Vec<_> = ours.difference(&theirs).collect();
    let less: Vec<_> = theirs.difference(&ours).collect();
    Err(format!("{what}: too many {more:?}, missing {less:?}"))
}
