//! Who may sign in to a node by SSH (`tailcfg.SSHPolicy`).

use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Serialize};

use super::null_as_default;
use crate::Timestamp;

/// The rules of one node's SSH server. The first rule that matches acts;
/// where none matches, the connection is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SshPolicy {
    /// In the order in which they are tried.
    #[serde(default, deserialize_with = "null_as_default")]
    pub rules: Vec<SshRule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SshRule {
    /// When the rule ends; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_expires: Option<Timestamp>,
    /// Where the connection may come from: any of these.
    #[serde(default, deserialize_with = "null_as_default")]
    pub principals: Vec<SshPrincipal>,
    /// The login name that is asked for, to the account that is used. `*` matches
    /// every other name; `=` stands for the name itself; an empty account matches nothing.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ssh_users: BTreeMap<String, String>,
    /// What happens.
    #[serde(default)]
    pub action: SshAction,
    /// Environment variables that the client may set, with `*` and `?`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub accept_env: Vec<String>,
}

/// Where a connection comes from; one field is set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SshPrincipal {
    /// A node, by its stable id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// A node, by one of its addresses.
    #[serde(rename = "nodeIP", default, skip_serializing_if = "Option::is_none")]
    pub node_ip: Option<std::net::IpAddr>,
    /// The nodes of a user, by login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_login: Option<String>,
    /// Any node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any: bool,
}

/// What happens to a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SshAction {
    /// Shown to the person first.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub message: String,
    /// Refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reject: bool,
    /// Let in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub accept: bool,
    /// How long a session may last, in nanoseconds; 0: without end.
    #[serde(skip_serializing_if = "is_zero")]
    pub session_duration: i64,
    /// The client may forward its agent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_agent_forwarding: bool,
    /// The server that answers with another action while the connection waits.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub hold_and_delegate: String,
    /// The client may forward ports to the node's side.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_local_port_forwarding: bool,
    /// The client may forward ports from the node's side.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_remote_port_forwarding: bool,
    /// Where the session is recorded: the first that answers.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub recorders: Vec<SocketAddr>,
    /// What happens when it cannot be recorded; absent: the session goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_recording_failure: Option<SshRecordingFailure>,
}

/// What happens to a session that cannot be recorded (`tailcfg.SSHRecorderFailureAction`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SshRecordingFailure {
    /// Refused with this message when the recording does not start.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reject_session_with_message: String,
    /// Ended with this message when the recording breaks off.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub terminate_session_with_message: String,
}

/// Serde hands out a reference, of any type.
fn is_zero<N: Default + PartialEq>(n: &N) -> bool {
    *n == N::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_and_writes_as_clients_spell_it() {
        let text = r#"{"rules":[{"principals":[{"nodeIP":"100.64.0.17"},{"any":true}],"sshUsers":{"*":"=","root":""},"action":{"accept":true,"allowAgentForwarding":true,"recorders":["100.64.0.9:80"],"onRecordingFailure":{"RejectSessionWithMessage":"no"}},"acceptEnv":["LC_*"]}]}"#;
        let policy: SshPolicy = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        let empty: SshPolicy = serde_json::from_str(r#"{"rules":null}"#).unwrap();
        assert!(empty.rules.is_empty());
    }
}
