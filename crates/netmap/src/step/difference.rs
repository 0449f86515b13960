//! What became of each node in a step, before anybody asks who may know.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use wire::{NodeId, UserId, control::PeerChange, relay_map::RegionId};

use crate::{
    class::ClassId,
    diff::{Pair, walk},
    member::{Member, hostinfo_for_peers},
    segment::Place,
    snapshot::Snapshot,
};

/// What became of one node.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) id: NodeId,
    /// Its class before; `None` when it took no part or was not there.
    pub(super) was: Option<ClassId>,
    /// Its class after, likewise.
    pub(super) is: Option<ClassId>,
    /// Where it is afterwards.
    pub(super) place: Option<Place>,
    /// Who owns it afterwards.
    pub(super) user: UserId,
    pub(super) how: How,
    /// The node before and after, where what is told of it depends on who looks.
    pub(super) looks: Option<Box<Looks>>,
}

/// A node before and after.
#[derive(Debug)]
pub(super) struct Looks {
    pub(super) then: Option<Arc<Member>>,
    pub(super) now: Option<Arc<Member>>,
}

/// What those are told who saw it before and see it after.
#[derive(Debug)]
pub(super) enum How {
    Same,
    Patch(Box<PeerChange>),
    Whole,
}

/// What became of several nodes.
#[derive(Debug)]
pub(super) struct Differences {
    pub(super) each: Vec<Difference>,
    /// The classes that nodes of their owners were in before; found when it is needed.
    classes: OnceLock<BTreeMap<UserId, BTreeSet<ClassId>>>,
}

impl Differences {
    /// Whether a node of this class saw something before that belonged to an
    /// owner of one of these nodes.
    pub(super) fn knew(&self, owner: UserId, class: Option<ClassId>, before: &Snapshot) -> bool {
        let classes = self.classes.get_or_init(|| self.find_classes(before));
        let mut of_owner = classes.get(&owner).into_iter().flatten();
        of_owner.any(|c| before.sees(class, Some(*c)))
    }

    fn find_classes(&self, before: &Snapshot) -> BTreeMap<UserId, BTreeSet<ClassId>> {
        let owners = self.each.iter().map(|d| (d.user, BTreeSet::new()));
        let mut classes: BTreeMap<_, BTreeSet<_>> = owners.collect();
        for member in before.members().iter() {
            let owner = before.tenant().user_of(&member.node.owner);
            if let Some(found) = classes.get_mut(&owner) {
                found.extend(member.class());
            }
        }
        classes
    }
}

/// What became of nodes; of those in segments that both share only with `all`.
pub(super) fn differences(before: &Snapshot, after: &Snapshot, all: bool) -> Differences {
    let mut found = Vec::new();
    walk(before.members(), after.members(), !all, |pair| {
        let same = matches!((pair.before, pair.after), (Some(b), Some(a)) if Arc::ptr_eq(b, a));
        if all || !same {
            found.push(difference(before, after, &pair));
        }
    });
    Differences {
        each: found,
        classes: OnceLock::new(),
    }
}

fn difference(before: &Snapshot, after: &Snapshot, pair: &Pair<'_>) -> Difference {
    let owner = pair.after.map(|m| &m.node.owner);
    let is_router = |m: Option<&Arc<Member>>| m.is_some_and(|m| m.node.is_router());
    let looks = || {
        Box::new(Looks {
            then: pair.before.cloned(),
            now: pair.after.cloned(),
        })
    };
    Difference {
        id: pair.id(),
        was: pair.before.and_then(|m| m.class()),
        is: pair.after.and_then(|m| m.class()),
        place: pair.after.and_then(|m| after.members().place(m.id())),
        user: owner.map_or_else(UserId::default, |o| after.tenant().user_of(o)),
        how: match (pair.before, pair.after) {
            (Some(then), Some(now)) if Arc::ptr_eq(then, now) || then.json == now.json => How::Same,
            (Some(then), Some(now)) => {
                let same = then.is_same_to_peers(before.law(), now.class(), after.law());
                let patch = same.then(|| patch(then, now)).flatten();
                patch.map_or(How::Whole, |p| How::Patch(Box::new(p)))
            }
            (None, _) | (_, None) => How::Whole,
        },
        looks: (is_router(pair.before) || is_router(pair.after)).then(looks),
    }
}

/// The change of a peer as a patch; `None` when a patch cannot say it.
fn patch(then: &Member, now: &Member) -> Option<PeerChange> {
    let (old, new) = (&then.node, &now.node);
    let mut as_before = new.clone();
    as_before.key_expiry = old.key_expiry;
    as_before.reach = old.reach.clone();
    let sayable = *old == as_before
        && hostinfo_for_peers(&old.reach.hostinfo) == hostinfo_for_peers(&new.reach.hostinfo)
        && (new.key_expiry.is_some() || old.key_expiry.is_none())
        && (new.reach.last_seen.is_some() || old.reach.last_seen.is_none())
        && (new.reach.home_relay != RegionId(0) || old.reach.home_relay == RegionId(0));
    let (from, to) = (&old.reach, &new.reach);
    sayable.then(|| PeerChange {
        node_id: new.id,
        home_relay: changed(&from.home_relay, &to.home_relay),
        endpoints: changed(&from.endpoints, &to.endpoints),
        key: None,
        disco_key: changed(&from.disco_key, &to.disco_key),
        online: changed(&from.online, &to.online),
        last_seen: changed(&from.last_seen, &to.last_seen).flatten(),
        key_expiry: changed(&old.key_expiry, &new.key_expiry).flatten(),
    })
}

/// The new value, if it differs.
pub(super) fn changed<T: PartialEq + Clone>(old: &T, new: &T) -> Option<T> {
    (old != new).then(|| new.clone())
}
