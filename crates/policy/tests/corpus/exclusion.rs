//! Captures that cannot hold, by rule and not by name.

use std::net::IpAddr;

use crate::case::Case;

/// The rule by which a capture cannot be held against us, if there is one.
///
/// Where nodes were renumbered (the IPv6 address is the host part of the IPv4
/// one), a policy that names such an IPv6 address names the new number, which
/// the service never knew.
pub(crate) fn exclusion(case: &Case) -> Option<&'static str> {
    let renumbered = case.nodes.values().any(|n| {
        let (IpAddr::V4(v4), IpAddr::V6(v6)) = (n.ipv4, n.ipv6) else {
            return false;
        };
        v6.segments()[7] == u16::from(v4.octets()[3])
            && v6.segments()[3..7] == [0; 4]
            && case.policy.contains(&format!("\"{v6}\""))
    });
    renumbered.then_some("the policy names an IPv6 address that nodes were given when they were renumbered after the capture")
}
