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
    eye::{Eye, Face},
    frame::Form,
    member::Member,
    segment::{Chosen, Shown},
    snapshot::{Snapshot, base_filter},
};

mod difference;
mod tale;

use difference::{Difference, Differences, How, changed, differences};
use tale::{Frames, Tale, some};

/// A step from one snapshot to a later one of the same tenant. What a node is
/// told depends on its eye before and after; it is written when the first
/// node of that eye asks, and shared with the others.
#[derive(Debug)]
pub struct Step {
    before: Snapshot,
    after: Snapshot,
    /// Of nodes in segments that the two do not share.
    few: OnceLock<Differences>,
    /// Of all nodes: for classes that see others than before.
    all: OnceLock<Differences>,
    tales: Mutex<BTreeMap<Eyes, Arc<Tale>>>,
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

/// A node's eye before and after.
type Eyes = (Eye, Eye);

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
        let tale = self.tale(was, is);
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

    fn tale(&self, was: &Member, is: &Member) -> Arc<Tale> {
        let mut tales = self.tales.lock().unwrap_or_else(PoisonError::into_inner);
        let tale = tales
            .entry((was.eye.clone(), is.eye.clone()))
            .or_insert_with(|| Arc::new(self.write(was, is)));
        Arc::clone(tale)
    }

    /// What only the node itself is told; `None`: what its class is told is enough.
    fn about_itself(&self, was: &Arc<Member>, is: &Arc<Member>) -> Option<Own> {
        let same = Arc::ptr_eq(was, is) && self.before.shares_tenant(&self.after);
        let (law, law_after) = (self.before.law(), self.after.law());
        let by_itself = was.node.offers_routes() || is.node.offers_routes();
        let same_law = law.is_same(law_after) && self.before.shares_sources(&self.after);
        if same && (same_law || (self.numbers_alike() && !by_itself)) {
            return None;
        }
        let (old, new) = (self.before.tenant(), self.after.tenant());
        let node = Some(self.after.as_self(is)).filter(|n| *n != self.before.as_self(was));
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

    fn numbers_alike(&self) -> bool {
        self.before.law().numbers_alike(self.after.law())
    }

    fn differences(&self, was: &Eye, is: &Eye) -> &Differences {
        // Whose routes change turns up among the few with all who serve them too.
        let all = !self.numbers_alike() || was.class != is.class;
        let kept = if all { &self.all } else { &self.few };
        kept.get_or_init(|| differences(&self.before, &self.after, all))
    }

    fn write(&self, was: &Member, is: &Member) -> Tale {
        let mut peers = Peers::default();
        let (law, law_after) = (self.before.law(), self.after.law());
        let v6_only = law_after.is_v6_only(is.class());
        let same_families = v6_only == law.is_v6_only(was.class());
        for difference in &self.differences(&was.eye, &is.eye).each {
            let saw = self.before.sees(was.class(), difference.was);
            let sees = self.after.sees(is.class(), difference.is);
            if !sees {
                peers.removed.extend(saw.then_some(difference.id));
                continue;
            }
            let looks = difference.looks.as_deref();
            let (then, routes) = looks.map_or_else(Default::default, |looks| {
                (
                    self.before.routes_seen(&was.eye, looks.then.as_deref()),
                    self.after.routes_seen(&is.eye, looks.now.as_deref()),
                )
            });
            let same = saw && same_families && then == routes;
            match &difference.how {
                How::Same if same => {}
                How::Patch(patch) if same => peers.patches.push((**patch).clone()),
                How::Same | How::Patch(_) | How::Whole => {
                    peers.add(difference, Face { v6_only, routes });
                }
            }
        }
        Tale::new(self.head(was, is, &peers), peers.whole, &self.frames)
    }

    fn head(&self, was: &Member, is: &Member, peers: &Peers) -> MapResponse {
        let (old, new) = (self.before.tenant(), self.after.tenant());
        let (was_in, is_in) = (was.class(), is.class());
        let same_filter = self.before.has_same_filter(&self.after, was_in, is_in);
        let filter = || base_filter(self.after.class_filter(is_in));
        let mut owners = peers.owners.clone();
        if !self.before.shares_tenant(&self.after) && old.people != new.people {
            let seen = self.after.members().iter();
            let seen = seen.filter(|m| self.after.sees(is.class(), m.class()));
            owners.extend(seen.map(|m| new.user_of(&m.node.owner)));
        }
        MapResponse {
            relay_map: changed(&old.relay_map, &new.relay_map).map(|m| (*m).clone()),
            domain: changed(&self.before.domain(), &self.after.domain()).or_else(|| {
                self.shows_strangers(was, is, peers)
                    .then(|| self.after.domain())
            }),
            packet_filters: (!same_filter).then(filter),
            ssh_policy: self.after.ssh_since(is, &self.before, was),
            user_profiles: some(new.profiles(owners)),
            peers_removed: some(peers.removed.clone()),
            peers_changed_patch: some(peers.patches.clone()),
            ..MapResponse::default()
        }
    }

    /// Whether an owner comes into view of whom the class saw nothing before. Official
    /// clients take peers and owners piece by piece, but list owners as they were at the
    /// last response that they could not take so (1.102: `tailscale status` shows
    /// `userid:7`). A domain in the response, the same as ever, makes it one of those.
    fn shows_strangers(&self, was: &Member, is: &Member, peers: &Peers) -> bool {
        let differences = self.differences(&was.eye, &is.eye);
        let knew = |owner: &UserId| differences.knew(*owner, was.class(), &self.before);
        !peers.owners.iter().all(knew)
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
    fn add(&mut self, peer: &Difference, face: Face) {
        let Some(place) = peer.place else {
            return;
        };
        match self.whole.last_mut() {
            Some((segment, shown)) if *segment == place.segment => shown.add(place.bit, face),
            _ => {
                let mut shown = Shown::default();
                shown.add(place.bit, face);
                self.whole.push((place.segment, shown));
            }
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
