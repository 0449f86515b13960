//! From one snapshot to a later one: what each class is told, made once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use wire::{
    NodeId,
    control::{MapResponse, PeerChange},
    relay_map::RegionId,
};

use crate::{
    class::ClassId,
    diff::{Pair, walk},
    frame::{Form, Piece, join},
    member::{Member, as_self},
    segment::list,
    snapshot::{Snapshot, base_filter, to_json},
};

/// Whole peers that travel in one piece.
const CHUNK: usize = 128;

/// A step from one snapshot to a later one of the same tenant. What a node is
/// told depends on its class before and after; it is written when the first
/// node of that class asks, and shared with the others.
#[derive(Debug)]
pub struct Step {
    before: Snapshot,
    after: Snapshot,
    tales: Mutex<BTreeMap<Classes, Arc<Tale>>>,
}

/// What a step means for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing that it may know has changed.
    Nothing,
    /// The frame that brings it up to date.
    Frame(Bytes),
    /// It is no longer there.
    Gone,
}

/// A node's class before and after.
type Classes = (Option<ClassId>, Option<ClassId>);

/// What nodes of a class are told.
#[derive(Debug)]
struct Tale {
    /// Everything but whole peers.
    head: MapResponse,
    /// Peers that are new, or changed in more than a patch can say; by id.
    whole: Vec<Arc<Member>>,
    /// [`Self::whole`] as JSON, in chunks.
    chunks: Vec<Piece>,
    /// Peers that `head` and `whole` speak of; by id.
    mentioned: Vec<NodeId>,
    plain: OnceLock<Bytes>,
    packed: OnceLock<Bytes>,
}

impl Step {
    /// The step between two snapshots of one tenant.
    pub fn between(before: Snapshot, after: Snapshot) -> Self {
        Self {
            before,
            after,
            tales: Mutex::default(),
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
        let alone = self.about_itself(was, is);
        let frame = match alone {
            None if tale.mentioned.binary_search(&id).is_err() => tale.shared(form),
            None => tale.without(id, tale.head.clone(), form),
            Some(own) => tale.without(id, own.over(tale.head.clone()), form),
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
        let same_law = self.before.law().is_same(self.after.law());
        let same = Arc::ptr_eq(was, is) && self.before.shares_tenant(&self.after);
        if same && same_law {
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

    fn write(&self, classes: Classes) -> Tale {
        let mut peers = Peers::default();
        let same_law = self.before.law().is_same(self.after.law());
        let skip_equal = same_law && classes.0 == classes.1;
        walk(
            self.before.members(),
            self.after.members(),
            skip_equal,
            |pair| self.note(pair, classes, &mut peers),
        );
        let chunks = peers.whole.chunks(CHUNK).map(list).collect();
        let mut mentioned: Vec<NodeId> = peers.whole.iter().map(|m| m.id()).collect();
        mentioned.extend(&peers.removed);
        mentioned.extend(peers.patches.iter().map(|p| p.node_id));
        mentioned.sort_unstable();
        Tale {
            head: self.head(classes, &peers),
            whole: peers.whole,
            chunks,
            mentioned,
            plain: OnceLock::new(),
            packed: OnceLock::new(),
        }
    }

    fn note(&self, pair: Pair<'_>, (was, is): Classes, peers: &mut Peers) {
        let before = pair.before.filter(|m| self.before.sees(was, m.class));
        let after = pair.after.filter(|m| self.after.sees(is, m.class));
        match (before, after) {
            (None, None) => {}
            (Some(_), None) => peers.removed.push(pair.id()),
            (None, Some(now)) => peers.whole.push(Arc::clone(now)),
            (Some(then), Some(now)) if Arc::ptr_eq(then, now) || then.json == now.json => {}
            (Some(then), Some(now)) => match self.patch(then, now) {
                Some(patch) => peers.patches.push(patch),
                None => peers.whole.push(Arc::clone(now)),
            },
        }
    }

    /// The change of a peer as a patch; `None` when a patch cannot say it.
    fn patch(&self, then: &Member, now: &Member) -> Option<PeerChange> {
        let (old, new) = (&then.node, &now.node);
        let mut as_before = new.clone();
        as_before.key_expiry = old.key_expiry;
        as_before.reach = crate::node::Reach {
            hostinfo: new.reach.hostinfo.clone(),
            ..old.reach.clone()
        };
        let sayable = *old == as_before
            && then.caps(self.before.law()) == now.caps(self.after.law())
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

    fn head(&self, classes: Classes, peers: &Peers) -> MapResponse {
        let (old, new) = (self.before.tenant(), self.after.tenant());
        let filter = |s: &Snapshot, class: Option<ClassId>| {
            class.map_or_else(Vec::new, |id| s.law().class(id).filter.clone())
        };
        let filters = changed(
            &filter(&self.before, classes.0),
            &filter(&self.after, classes.1),
        );
        let mut owners: Vec<_> = peers
            .whole
            .iter()
            .map(|m| new.user_of(&m.node.owner))
            .collect();
        if old.people != new.people {
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
    whole: Vec<Arc<Member>>,
    patches: Vec<PeerChange>,
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

impl Tale {
    /// The frame of all who are not mentioned.
    fn shared(&self, form: Form) -> Bytes {
        let kept = match form {
            Form::Plain => &self.plain,
            Form::Packed(_) => &self.packed,
        };
        let make = || {
            let chunks = self.chunks.iter().map(|c| c.get(form)).collect();
            splice(&self.head, chunks, form)
        };
        kept.get_or_init(make).clone()
    }

    /// The frame of one node: nothing in it is about `id` as a peer.
    fn without(&self, id: NodeId, mut head: MapResponse, form: Form) -> Bytes {
        head.peers_removed = head.peers_removed.and_then(|mut all| {
            all.retain(|other| *other != id);
            some(all)
        });
        head.peers_changed_patch = head.peers_changed_patch.and_then(|mut all| {
            all.retain(|patch| patch.node_id != id);
            some(all)
        });
        let mut chunks = Vec::with_capacity(self.chunks.len());
        for (piece, members) in self.chunks.iter().zip(self.whole.chunks(CHUNK)) {
            if members.iter().all(|m| m.id() != id) {
                chunks.push(piece.get(form));
            } else if members.len() > 1 {
                let others = members.iter().filter(|m| m.id() != id);
                chunks.push(list(others).get(form));
            }
        }
        splice(&head, chunks, form)
    }
}

/// A frame of a head and whole peers; empty when there is nothing to say.
fn splice(head: &MapResponse, chunks: Vec<Bytes>, form: Form) -> Bytes {
    let mut json = to_json(head);
    let silent = json == b"{}";
    if chunks.is_empty() {
        return if silent {
            Bytes::new()
        } else {
            crate::frame::frame(form, &json)
        };
    }
    json.pop();
    json.extend_from_slice(if silent {
        b"\"PeersChanged\":["
    } else {
        b",\"PeersChanged\":["
    });
    let mut pieces = vec![Piece::new(json).get(form)];
    for (i, chunk) in chunks.into_iter().enumerate() {
        if i > 0 {
            pieces.push(Piece::new(&b","[..]).get(form));
        }
        pieces.push(chunk);
    }
    pieces.push(Piece::new(&b"]}"[..]).get(form));
    join(&pieces)
}

/// The new value, if it differs.
fn changed<T: PartialEq + Clone>(old: &T, new: &T) -> Option<T> {
    (old != new).then(|| new.clone())
}

/// The list, unless it is empty.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
