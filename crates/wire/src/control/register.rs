//! `POST /machine/register` (`tailcfg.RegisterRequest`).

use serde::{Deserialize, Serialize};

use super::{map::Hostinfo, null_as_default};
use crate::{CapabilityVersion, NodeKey, Timestamp, UserId};

/// What a client asks for when it joins, signs in again, rotates or logs out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterRequest {
    /// What the client understands.
    pub version: CapabilityVersion,
    /// The node key it wants to use.
    pub node_key: NodeKey,
    /// The key it used before, when it rotates; else zero.
    pub old_node_key: NodeKey,
    /// How it proves that it may join without a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<RegisterAuth>,
    /// Zero time: no wish. The distant past: log out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Timestamp>,
    /// The `AuthURL` of an answer before, asked about again; the server holds
    /// the request until a person has decided.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub followup: String,
    /// What the machine says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostinfo: Option<Hostinfo>,
    /// Wishes to be removed when it goes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
}

/// The credential in a [`RegisterRequest`].
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterAuth {
    /// An auth key.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub auth_key: String,
}

impl std::fmt::Debug for RegisterAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.auth_key.is_empty() {
            "RegisterAuth(-)"
        } else {
            "RegisterAuth(…)"
        })
    }
}

/// The answer. Every field is always written: some clients demand them all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RegisterResponse {
    /// The user the node belongs to.
    pub user: User,
    /// His login.
    pub login: Login,
    /// The node key has expired: the client makes a new one and comes again.
    pub node_key_expired: bool,
    /// False while an administrator has yet to approve the device.
    pub machine_authorized: bool,
    /// Where a person signs in; empty when nobody needs to.
    #[serde(rename = "AuthURL")]
    pub auth_url: String,
    /// Why the request was refused, for the person at the machine; else empty.
    pub error: String,
}

/// `tailcfg.User`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct User {
    /// The id, as in `Node.User`.
    #[serde(rename = "ID")]
    pub id: UserId,
    /// The name for people.
    pub display_name: String,
}

/// `tailcfg.Login`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Login {
    /// The id, as in [`User::id`].
    #[serde(rename = "ID")]
    pub id: UserId,
    /// Who vouched for the login.
    pub provider: String,
    /// The login name, an e-mail address.
    pub login_name: String,
    /// The name for people.
    pub display_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tailscaled 1.102.5 sends.
    const OFFICIAL: &str = r#"{
        "Version": 142,
        "NodeKey": "nodekey:f41371fa9576a8fa9756238327728af4bcbe2133b27cca67cee1d2469866192b",
        "OldNodeKey": "nodekey:0000000000000000000000000000000000000000000000000000000000000000",
        "NLKey": "nlpub:d9f1eb208a2ca98d242b1212c8cbbefd1ae62e351aed9574861ff2a740b63876",
        "Auth": {"AuthKey": "warren_auth_x"},
        "Expiry": "0001-01-01T00:00:00Z",
        "Followup": "",
        "Hostinfo": {
            "IPNVersion": "1.102.5", "BackendLogID": "aa80", "OS": "linux", "OSVersion": "6.18",
            "Container": true, "Distro": "debian", "DistroVersion": "12.11", "DistroCodeName": "bookworm",
            "Desktop": false, "Hostname": "reg", "NoLogsNoSupport": true, "Machine": "x86_64",
            "GoArch": "amd64", "GoArchVar": "v1", "GoVersion": "go1.26.8",
            "Services": [{"Proto": "peerapi-dns-proxy", "Port": 1}],
            "Userspace": true, "UserspaceRouter": true, "AppConnector": false, "StateEncrypted": false,
            "NetInfo": {"MappingVariesByDestIP": null, "WorkingIPv6": false, "WorkingUDP": true, "PreferredDERP": 900}
        },
        "NodeKeySignature": null,
        "Timestamp": "2026-11-24T21:43:42Z"
    }"#;

    #[test]
    fn what_an_official_client_sends_is_understood() {
        let request: RegisterRequest = serde_json::from_str(OFFICIAL).unwrap();
        assert_eq!(request.version, CapabilityVersion(142));
        assert!(request.old_node_key.is_zero() && !request.node_key.is_zero());
        assert!(request.expiry.is_some_and(Timestamp::is_zero));
        assert_eq!(request.auth.unwrap().auth_key, "warren_auth_x");
        let info = request.hostinfo.unwrap();
        assert_eq!((info.hostname.as_str(), info.os.as_str()), ("reg", "linux"));
        assert_eq!(info.services[0].proto, "peerapi-dns-proxy");
        let net = info.net_info.unwrap();
        assert_eq!(net.mapping_varies_by_dest_ip, None);
        assert_eq!(
            (net.working_udp, net.working_ipv6),
            (Some(true), Some(false))
        );
        assert_eq!(net.preferred_relay.0, 900);
    }

    #[test]
    fn every_field_of_an_answer_is_written() {
        let text = serde_json::to_string(&RegisterResponse::default()).unwrap();
        for field in [
            "User",
            "Login",
            "NodeKeyExpired",
            "MachineAuthorized",
            "AuthURL",
            "Error",
        ] {
            assert!(text.contains(&format!("\"{field}\":")), "{field} in {text}");
        }
        assert!(!text.contains("null"));
    }
}
