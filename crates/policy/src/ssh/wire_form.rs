//! SSH rules as a node's SSH server receives them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use wire::{
    UserId,
    control::{SshAction, SshPrincipal, SshRecordingFailure, SshRule},
};

use super::{RECORDER_PORT, Resolved, SshTable};
use crate::directory::NodeFacts;

const NOT_RECORDED: &str = "This session must be recorded, and no recorder can be reached.";

impl SshTable<'_> {
    /// The rules for connections to `node`, in the order in which they are tried.
    /// `delegate` is the address that answers for rules with `check`; clients fill
    /// in `$SRC_NODE_ID`, `$DST_NODE_ID`, `$SSH_USER` and `$LOCAL_USER`.
    pub fn policy_for(&self, node: &NodeFacts, delegate: &str) -> Vec<SshRule> {
        let mut out = Vec::new();
        for rule in self.rules.iter().filter(|r| r.open) {
            rule.push(node, delegate, &mut out);
        }
        out
    }
}

impl Resolved<'_> {
    fn push(&self, node: &NodeFacts, delegate: &str, out: &mut Vec<SshRule>) {
        let action = self.action(delegate);
        let mut emit = |addresses: &[IpAddr], names: &BTreeMap<String, String>| {
            if !addresses.is_empty() {
                out.push(self.rule_for(addresses, names, &action));
            }
        };
        if self.rule.to_self
            && let Some(user) = node.owner()
        {
            self.personal_pair(user, &mut emit);
        }
        if self.rule.is_target(node) {
            self.as_target(&mut emit);
        } else if self.reaches_itself(node) {
            match node.owner() {
                Some(user) => self.personal_pair(user, &mut emit),
                None => emit(&node.addresses, &self.rule.names),
            }
        }
    }

    fn as_target(&self, emit: &mut impl FnMut(&[IpAddr], &BTreeMap<String, String>)) {
        if self.rule.personal {
            for user in self.by_user.keys() {
                self.personal_pair(*user, emit);
            }
            emit(&self.tagged, &self.rule.names);
        } else {
            let people = self.by_user.values().flatten();
            let all: Vec<IpAddr> = people.chain(&self.tagged).copied().collect();
            emit(&all, &self.rule.names);
        }
    }

    /// The common names for one user's nodes, then the user's own name.
    fn personal_pair(
        &self,
        user: UserId,
        emit: &mut impl FnMut(&[IpAddr], &BTreeMap<String, String>),
    ) {
        let Some(addresses) = self.by_user.get(&user) else {
            return;
        };
        emit(addresses, &self.rule.names);
        if let Some(own) = self.rule.local_part(user) {
            emit(
                addresses,
                &BTreeMap::from([(own.to_owned(), own.to_owned())]),
            );
        }
    }

    fn rule_for(
        &self,
        addresses: &[IpAddr],
        names: &BTreeMap<String, String>,
        action: &SshAction,
    ) -> SshRule {
        let principal = |ip: &IpAddr| SshPrincipal {
            node_ip: Some(*ip),
            ..SshPrincipal::default()
        };
        SshRule {
            rule_expires: None,
            principals: addresses.iter().map(principal).collect(),
            ssh_users: names.clone(),
            action: action.clone(),
            accept_env: self.rule.accept_env.clone(),
        }
    }

    fn action(&self, delegate: &str) -> SshAction {
        let check = self.rule.is_check();
        let at = |ip: &IpAddr| SocketAddr::new(*ip, RECORDER_PORT);
        SshAction {
            accept: !check,
            allow_agent_forwarding: !check,
            allow_local_port_forwarding: !check,
            allow_remote_port_forwarding: !check,
            hold_and_delegate: if check {
                delegate.to_owned()
            } else {
                String::new()
            },
            recorders: self.recorders.iter().map(at).collect(),
            on_recording_failure: self.rule.enforces().then(|| SshRecordingFailure {
                reject_session_with_message: NOT_RECORDED.to_owned(),
                terminate_session_with_message: NOT_RECORDED.to_owned(),
            }),
            ..SshAction::default()
        }
    }
}
