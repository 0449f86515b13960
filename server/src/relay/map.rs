//! The map of relays that nodes are given: this server's own relay, and no other.

use std::net::IpAddr;

use wire::relay_map::{Region, RegionId, RelayHost, RelayMap};

/// The region of this server's relay; 900 to 999 are for self-hosted ones.
pub const REGION: RegionId = RegionId(900);

/// Where nodes find the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name or address that nodes connect to.
    pub host: String,
    /// The TLS port.
    pub port: u16,
    /// The UDP ports of STUN. Two of them let a node tell a NAT whose mapping
    /// depends on the destination.
    pub stun: [Option<u16>; 2],
    /// SHA-256 of the self-signed certificate (DER); `None` with a public one.
    pub certificate: Option<[u8; 32]>,
}

impl Place {
    /// The map with this relay alone.
    pub fn map(&self) -> RelayMap {
        let [first, second] = self.stun;
        let mut nodes = vec![RelayHost {
            name: "900a".to_owned(),
            relay_port: self.port.into(),
            stun_port: first.map_or(-1, i32::from),
            cert_name: self
                .certificate
                .map(|digest| format!("sha256-raw:{}", hex::encode(digest)))
                .unwrap_or_default(),
            ..self.host()
        }];
        nodes.extend(second.map(|port| RelayHost {
            name: "900b".to_owned(),
            stun_port: port.into(),
            stun_only: true,
            ..self.host()
        }));
        let region = Region {
            region_id: REGION,
            region_code: "warren".to_owned(),
            region_name: "Warren".to_owned(),
            nodes,
        };
        RelayMap {
            regions: [(REGION, region)].into(),
            omit_default_regions: true,
        }
    }

    fn host(&self) -> RelayHost {
        let none = || "none".to_owned();
        let (ipv4, ipv6) = match self.host.parse() {
            Ok(IpAddr::V4(a)) => (a.to_string(), none()),
            Ok(IpAddr::V6(a)) => (none(), a.to_string()),
            Err(_) => (String::new(), String::new()),
        };
        RelayHost {
            region_id: REGION,
            host_name: self.host.clone(),
            ipv4,
            ipv6,
            ..RelayHost::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_holds_our_relay_and_two_stun_hosts() {
        let place = Place {
            host: "192.0.2.1".to_owned(),
            port: 8443,
            stun: [Some(3478), Some(3479)],
            certificate: Some([0xab; 32]),
        };
        let digest = "ab".repeat(32);
        assert_eq!(
            serde_json::to_value(place.map()).unwrap(),
            serde_json::json!({
                "Regions": {"900": {
                    "RegionID": 900, "RegionCode": "warren", "RegionName": "Warren",
                    "Nodes": [
                        {"Name": "900a", "RegionID": 900, "HostName": "192.0.2.1",
                         "IPv4": "192.0.2.1", "IPv6": "none", "DERPPort": 8443, "STUNPort": 3478,
                         "CertName": format!("sha256-raw:{digest}")},
                        {"Name": "900b", "RegionID": 900, "HostName": "192.0.2.1",
                         "IPv4": "192.0.2.1", "IPv6": "none", "STUNPort": 3479, "STUNOnly": true},
                    ],
                }},
                "omitDefaultRegions": true,
            })
        );
    }

    #[test]
    fn a_named_host_is_resolved_by_the_nodes() {
        let place = Place {
            host: "relay.example.com".to_owned(),
            port: 443,
            stun: [None, None],
            certificate: None,
        };
        let map = place.map();
        let hosts = &map.regions[&REGION].nodes;
        assert_eq!(hosts.len(), 1);
        assert_eq!((hosts[0].stun_port, hosts[0].ipv4.as_str()), (-1, ""));
    }
}
