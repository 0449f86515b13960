//! SSH rules by login against the service's, which name every device by address.

use std::collections::BTreeSet;

use netmap::Owner;
use serde_json::Value;
use wire::control::{SshAction, SshPolicy, SshPrincipal, SshRule};

use crate::tenant::World;

/// The first difference.
pub(crate) fn compare(world: &World<'_>, ours: &SshPolicy, theirs: &Value) -> Result<(), String> {
    let theirs: Option<Vec<SshRule>> =
        serde_json::from_value(theirs.clone()).map_err(|e| e.to_string())?;
    let theirs: Vec<_> = theirs.unwrap_or_default().iter().map(comparable).collect();
    let by_address = ours.rules.iter().map(|rule| SshRule {
        principals: rule
            .principals
            .iter()
            .flat_map(|p| devices(world, p))
            .collect(),
        ..rule.clone()
    });
    // The service says nothing of people without a device.
    let named = by_address.filter(|rule| !rule.principals.is_empty());
    let ours: Vec<_> = named.map(|rule| comparable(&rule)).collect();
    (ours == theirs)
        .then_some(())
        .ok_or_else(|| format!("SSH rules {ours:?}, not {theirs:?}"))
}

/// A person's own devices, each by its addresses.
fn devices(world: &World<'_>, principal: &SshPrincipal) -> Vec<SshPrincipal> {
    let Some(login) = &principal.user_login else {
        return vec![principal.clone()];
    };
    let people = &world.snapshot.tenant().people;
    let person = people.iter().find(|p| p.email == *login).unwrap();
    let own = world
        .snapshot
        .nodes()
        .filter(|n| n.owner == Owner::User(person.id));
    let addresses = own.flat_map(|n| [n.ipv4.into(), n.ipv6.into()]);
    let at = |address| SshPrincipal {
        node_ip: Some(address),
        ..SshPrincipal::default()
    };
    addresses.map(at).collect()
}

/// Without what does not count: the order of principals. A check, which this server
/// cannot make, is a refusal with a message.
fn comparable(rule: &SshRule) -> SshRule {
    let principals: BTreeSet<SshPrincipal> = rule.principals.iter().cloned().collect();
    let action = &rule.action;
    let is_refused = action.reject && !action.message.is_empty();
    SshRule {
        principals: principals.into_iter().collect(),
        action: if is_refused || !action.hold_and_delegate.is_empty() {
            SshAction {
                reject: true,
                ..SshAction::default()
            }
        } else {
            action.clone()
        },
        ..rule.clone()
    }
}
