//! From one snapshot to a later one: what each class is told, made once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use wire::{
    NodeId, UserId,
    control::{MapResponse, PeerChange},
};

use crate::{
    class::ClassId,
    frame::Form,
    member::{Member, as_self},
    segment::Chosen,
    snapshot::{Snapshot, base_filter},
};

mod difference;
mod tale;

use difference::{Difference, How, changed, differences};
use tale::{Frames, Tale, some};

/// A step from one snapshot to a later one of the same tenant. What a node is
/// told depends on its class before and after; it is written when the first
/// node of that class asks, and shared with the others.
#[derive(Debug)]
pub struct Step {
    before: Snapshot,
    after: Snapshot,
    /// Of nodes in segments that the two do not share.
    few: OnceLock<Vec<Difference>>,
    /// Of all nodes: for classes that see others than before.
    all: OnceLock<Vec<Difference>>,
    tales: Mutex<BTreeMap<Classes, Arc<Tale>>>,
    frames: Frames,
}

/// What a step means for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing that it may know has changed.
    Nothing,
    /// The frame that brings it up to date, in several pieces when it is large.
    Frame(Vec<Bytes>),
    /// It is no longer there.
    Gone,
}

/// A node's class before and after.
type Classes = (Option<ClassId>, Option<ClassId>);

impl Step {
    /// The step between two snapshots of one tenant.
    pub fn between(before: Snapshot, after: Snapshot) -> Self {
        Self {
            before,
            after,
            few: OnceLock::new(),
            all: OnceLock::new(),
            tales: Mutex::default(),
            frames: Frames::default(),
        }
    }

    /// What brings `id` from the earlier snapshot to the later one.
    pub fn told(&self, id: NodeId, form: Form) -> Told {
        let Some(is) = self.after.members().get(id) else {
            return Told::Gone;
        };
        let Some(was) = self.before.members().get(id) else {
            // Nobody is at a snapshot that he is not in.
            return Told::Gone;
        };
        if self.before.is_same(&self.after) {
            return Told::Nothing;
        }
        let tale = self.tale((was.class, is.class));
        let members = self.after.members();
        let itself = (id, members.place(id));
        let frame = match self.about_itself(was, is) {
            None if !tale.mentions(itself.0, itself.1) => tale.shared(members, form),
            None => tale.without(itself, tale.head.clone(), members, form),
            Some(own) => tale.without(itself, own.over(tale.head.clone()), members, form),
        };
        if frame.is_empty() {
            Told::Nothing
        } else {
            Told::Frame(frame)
        }
    }

    fn tale(&self, classes: Classes) -> Arc<Tale> {
        let mut tales = self.tales.lock().unwrap_or_else(PoisonError::into_inner);
        let tale = tales
            .entry(classes)
            .or_insert_with(|| Arc::new(self.write(classes)));
        Arc::clone(tale)
    }

    /// What only the node itself is told; `None`: what its class is told is enough.
    fn about_itself(&self, was: &Arc<Member>, is: &Arc<Member>) -> Option<Own> {
        let same = Arc::ptr_eq(was, is) && self.before.shares_tenant(&self.after);
        if same && self.same_law() {
            return None;
        }
        let (old, new) = (self.before.tenant(), self.after.tenant());
        let node = Some(as_self(&is.node, new)).filter(|n| *n != as_self(&was.node, old));
        let by_itself = was.node.offers_routes() || is.node.offers_routes();
        let filter = if by_itself {
            let (old, new) = (self.before.filter_of(was), self.after.filter_of(is));
            OwnFilter::Own(changed(&old, &new))
        } else {
            OwnFilter::Classes
        };
        let profile = new.profiles([new.user_of(&is.node.owner)]);
        let profile_before = old.profiles([old.user_of(&was.node.owner)]);
        let own = Own {
            filter,
            profiles: if profile == profile_before {
                Vec::new()
            } else {
                profile
            },
            node: node.map(Box::new),
        };
        own.says_something().then_some(own)
    }

    fn same_law(&self) -> bool {
        self.before.law().is_same(self.after.law())
    }

    fn differences(&self, classes: Classes) -> &[Difference] {
        let all = !self.same_law() || classes.0 != classes.1;
        let kept = if all { &self.all } else { &self.few };
        kept.get_or_init(|| differences(&self.before, &self.after, all))
    }

    fn write(&self, classes: Classes) -> Tale {
        let mut peers = Peers::default();
        for difference in self.differences(classes) {
            let saw = self.before.sees(classes.0, difference.was);
            let sees = self.after.sees(classes.1, difference.is);
            match (saw, sees, &difference.how) {
                (false, false, _) | (true, true, How::Same) => {}
                (true, false, _) => peers.removed.push(difference.id),
                (true, true, How::Patch(patch)) => peers.patches.push((**patch).clone()),
                (true, true, How::Whole) | (false, true, _) => peers.add(difference),
            }
        }
        Tale::new(self.head(classes, &peers), peers.whole, &self.frames)
    }

    fn head(&self, classes: Classes, peers: &Peers) -> MapResponse {
        let (old, new) = (self.before.tenant(), self.after.tenant());
        let filter = |s: &Snapshot, class: Option<ClassId>| {
            class.map_or_else(Vec::new, |id| s.law().class(id).filter.clone())
        };
        let filters = changed(
            &filter(&self.before, classes.0),
            &filter(&self.after, classes.1),
        );
        let mut owners = peers.owners.clone();
        if !self.before.shares_tenant(&self.after) && old.people != new.people {
            let seen = self.after.members().iter();
            let seen = seen.filter(|m| self.after.sees(classes.1, m.class));
            owners.extend(seen.map(|m| new.user_of(&m.node.owner)));
        }
        MapResponse {
            relay_map: changed(&old.relay_map, &new.relay_map).map(|m| (*m).clone()),
            domain: changed(&self.before.domain(), &self.after.domain()),
            packet_filters: filters.map(base_filter),
            user_profiles: some(new.profiles(owners)),
            peers_removed: some(peers.removed.clone()),
            peers_changed_patch: some(peers.patches.clone()),
            ..MapResponse::default()
        }
    }
}

/// What a class is told of its peers.
#[derive(Debug, Default)]
struct Peers {
    removed: Vec<NodeId>,
    patches: Vec<PeerChange>,
    whole: Chosen,
    /// Of [`Self::whole`].
    owners: BTreeSet<UserId>,
}

impl Peers {
    fn add(&mut self, peer: &Difference) {
        let Some(place) = peer.place else {
            return;
        };
        match self.whole.last_mut() {
            Some((segment, bits)) if *segment == place.segment => *bits |= 1 << place.bit,
            _ => self.whole.push((place.segment, 1 << place.bit)),
        }
        self.owners.insert(peer.user);
    }
}

/// What only one node is told.
#[derive(Debug)]
struct Own {
    node: Option<Box<wire::control::Node>>,
    filter: OwnFilter,
    profiles: Vec<wire::control::UserProfile>,
}

/// The filter of a node that offers routes is its own.
#[derive(Debug)]
enum OwnFilter {
    /// It has that of its class.
    Classes,
    /// In place of its class's: its own, if that has changed.
    Own(Option<Vec<wire::filter::FilterRule>>),
}

impl Own {
    fn says_something(&self) -> bool {
        self.node.is_some() || matches!(self.filter, OwnFilter::Own(_)) || !self.profiles.is_empty()
    }

    fn over(self, mut head: MapResponse) -> MapResponse {
        head.node = self.node.map(|n| *n);
        if let OwnFilter::Own(filter) = self.filter {
            head.packet_filters = filter.map(base_filter);
        }
        if !self.profiles.is_empty() {
            let mut all = head.user_profiles.unwrap_or_default();
            all.retain(|p| self.profiles.iter().all(|own| own.id != p.id));
            all.extend(self.profiles);
            head.user_profiles = Some(all);
        }
        head
    }
}
