//! SSH rules as a node's SSH server receives them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use wire::{
    UserId,
    control::{SshAction, SshPrincipal, SshRecordingFailure, SshRule},
};

use super::table::{Resolved, SshTable, addresses};
use crate::directory::NodeFacts;

/// The port on which a recorder takes sessions (`tailcfg.SSHAction.Recorders`).
const RECORDER_PORT: u16 = 80;
const NOT_RECORDED: &str = "This session must be recorded, and no recorder can be reached.";
const NOT_CHECKED: &str =
    "The policy asks for a check of who you are, which this server cannot make yet.";

type Names = BTreeMap<String, String>;

impl SshTable {
    /// The rules for connections to `node`, in the order in which they are tried.
    /// `delegate` is the address that answers for rules with `check`; clients fill
    /// in `$SRC_NODE_ID`, `$DST_NODE_ID`, `$SSH_USER` and `$LOCAL_USER`. Without
    /// it those rules turn everybody away whom they match.
    pub fn policy_for(&self, node: &NodeFacts, delegate: Option<&str>) -> Vec<SshRule> {
        let mut out = Vec::new();
        for rule in self.rules.iter().filter(|r| r.is_open()) {
            rule.push(node, delegate, &mut out);
        }
        out
    }
}

impl Resolved {
    fn push(&self, node: &NodeFacts, delegate: Option<&str>, out: &mut Vec<SshRule>) {
        let action = self.action(delegate);
        let mut emit = |principals: Vec<SshPrincipal>, names: &Names| {
            if !principals.is_empty() {
                out.push(SshRule {
                    rule_expires: None,
                    principals,
                    ssh_users: names.clone(),
                    action: action.clone(),
                    accept_env: self.rule.accept_env.clone(),
                });
            }
        };
        if self.rule.to_self
            && let Some(user) = node.owner()
        {
            self.personal_pair(user, &mut emit);
        }
        if self.rule.is_target(node) {
            self.as_target(&mut emit);
        } else if self.rule.reaches_itself(node) {
            match node.owner() {
                Some(user) => self.personal_pair(user, &mut emit),
                None if self.rule.is_source(node) => {
                    emit(addresses(node).collect(), &self.rule.names);
                }
                None => {}
            }
        }
    }

    fn as_target(&self, emit: &mut impl FnMut(Vec<SshPrincipal>, &Names)) {
        let tagged = self.tagged.iter();
        if self.rule.personal {
            for user in self.by_user.keys() {
                self.personal_pair(*user, emit);
            }
            emit(tagged.cloned().collect(), &self.rule.names);
        } else {
            let people = self.by_user.values().flatten();
            emit(people.chain(tagged).cloned().collect(), &self.rule.names);
        }
    }

    /// The common names for one user's nodes, then the user's own name.
    fn personal_pair(&self, user: UserId, emit: &mut impl FnMut(Vec<SshPrincipal>, &Names)) {
        let Some(devices) = self.by_user.get(&user) else {
            return;
        };
        let all = |devices: &BTreeSet<SshPrincipal>| devices.iter().cloned().collect();
        emit(all(devices), &self.rule.names);
        if let Some(own) = self.rule.local_part(user) {
            emit(
                all(devices),
                &Names::from([(own.to_owned(), own.to_owned())]),
            );
        }
    }

    fn action(&self, delegate: Option<&str>) -> SshAction {
        let check = self.rule.is_check();
        if check && delegate.is_none() {
            return SshAction {
                reject: true,
                message: NOT_CHECKED.to_owned(),
                ..SshAction::default()
            };
        }
        let at = |ip: &IpAddr| SocketAddr::new(*ip, RECORDER_PORT);
        SshAction {
            accept: !check,
            allow_agent_forwarding: !check,
            allow_local_port_forwarding: !check,
            allow_remote_port_forwarding: !check,
            hold_and_delegate: delegate.filter(|_| check).unwrap_or_default().to_owned(),
            recorders: self.recorders.iter().map(at).collect(),
            on_recording_failure: self.rule.enforces().then(|| SshRecordingFailure {
                reject_session_with_message: NOT_RECORDED.to_owned(),
                terminate_session_with_message: NOT_RECORDED.to_owned(),
            }),
            ..SshAction::default()
        }
    }
}
