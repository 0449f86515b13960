//! The kinds of router a host may sit behind.
//!
//! The rules for endpoint-independent mapping are those that n0's patchbay
//! verified: a plain `masquerade` is address-and-port-dependent in effect.

/// A router's behaviour (RFC 4787 terms).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// Endpoint-independent mapping, address-and-port-dependent filtering: the common home router.
    Easy,
    /// Endpoint-independent mapping without a filter.
    FullCone,
    /// Address-and-port-dependent mapping with random ports: the hard one.
    Hard,
    /// As [`Self::Easy`], and no UDP passes at all.
    UdpBlocked,
}

impl Nat {
    /// The nft rules of a router with this WAN address.
    pub(super) fn rules(self, wan: &str) -> String {
        match self {
            Self::Easy => easy(wan, FILTER),
            Self::FullCone => easy(wan, ""),
            Self::Hard => hard(),
            Self::UdpBlocked => easy(wan, BLOCK_UDP),
        }
    }
}

const FILTER: &str = r#"
table ip filter {
  chain forward {
    type filter hook forward priority filter;
    ct state established,related accept
    iifname "wan" drop
  }
}"#;

const BLOCK_UDP: &str = r#"
table ip filter {
  chain forward {
    type filter hook forward priority filter;
    meta l4proto udp drop
    ct state established,related accept
    iifname "wan" drop
  }
}"#;

fn easy(wan: &str, filter: &str) -> String {
    format!(
        r#"
table ip nat {{
  map mapped {{
    type inet_service : ipv4_addr . inet_service
    flags dynamic,timeout
    timeout 5m
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    iifname "wan" meta l4proto udp dnat ip to udp dport map @mapped
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "wan" meta l4proto udp update @mapped {{ udp sport timeout 300s : ip saddr . udp sport }} snat to {wan}
    oifname "wan" masquerade
  }}
}}
{filter}
"#
    )
}

fn hard() -> String {
    format!(
        r#"
table ip nat {{
  chain prerouting {{ type nat hook prerouting priority dstnat; }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "wan" masquerade fully-random
  }}
}}
{FILTER}
"#
    )
}
