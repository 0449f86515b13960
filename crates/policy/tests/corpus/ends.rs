//! Where packets of a capture come from and go to.

use std::net::IpAddr;

use policy::{End, NodeFacts};

/// The node's own addresses, the first behind each route, and one on the Internet behind an exit
/// node.
pub(crate) fn ends(node: &NodeFacts) -> impl Iterator<Item = End<'_>> {
    let routes = node.routes.iter().map(|r| r.addr);
    let internet: Option<IpAddr> = "8.8.8.8"
        .parse()
        .ok()
        .filter(|_| !node.exit_routes.is_empty());
    let all = node.addresses.iter().copied().chain(routes).chain(internet);
    all.map(move |address| End { node, address })
}
