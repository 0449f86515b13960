//! Runs of members, shared between snapshots that did not touch them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use wire::{NodeId, net::Prefix};

use crate::{
    eye::{Eye, Face},
    frame::{Form, Piece},
    member::Member,
    snapshot::Snapshot,
};

/// Members of a segment at most: one bit each.
const CAPACITY: usize = 128;
/// Blocks that a segment keeps at most.
const BLOCKS: usize = 16;

/// At most 128 members, by id.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) members: Vec<Arc<Member>>,
    /// Members that some class sees, as JSON.
    blocks: Mutex<BTreeMap<Shown, Arc<Piece>>>,
}

/// Some members of a segment, as somebody sees them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Shown {
    /// Which, by their bits.
    bits: u128,
    /// All of them without IPv4 addresses.
    v6_only: bool,
    /// By bit: the routes of those that have some.
    routes: Vec<(u8, Vec<Prefix>)>,
}

impl Shown {
    pub(crate) const fn is_empty(&self) -> bool {
        self.bits == 0
    }

    pub(crate) const fn has(&self, bit: u8) -> bool {
        self.bits >> bit & 1 == 1
    }

    /// Adds a member that comes after all others.
    pub(crate) fn add(&mut self, bit: u8, face: Face) {
        self.bits |= 1 << bit;
        self.v6_only = face.v6_only;
        if !face.routes.is_empty() {
            self.routes.push((bit, face.routes));
        }
    }

    fn without(&self, bit: u8) -> Self {
        let routes = self.routes.iter().filter(|(b, _)| *b != bit);
        Self {
            bits: self.bits & !(1 << bit),
            v6_only: self.v6_only,
            routes: routes.cloned().collect(),
        }
    }

    /// The members' faces, by bit.
    fn faces(&self) -> impl Iterator<Item = (u8, Face)> + '_ {
        let v6_only = self.v6_only;
        let mut routes = self.routes.iter().peekable();
        (0..=u8::MAX)
            .take(CAPACITY)
            .filter(|bit| self.has(*bit))
            .map(move |bit| {
                let own = routes.next_if(|(b, _)| *b == bit);
                let routes = own.map_or_else(Vec::new, |(_, r)| r.clone());
                (bit, Face { v6_only, routes })
            })
    }
}

impl Segment {
    fn new(members: Vec<Arc<Member>>) -> Arc<Self> {
        Arc::new(Self {
            members,
            blocks: Mutex::default(),
        })
    }

    fn place(&self, id: NodeId) -> Result<usize, usize> {
        self.members.binary_search_by_key(&id, |m| m.id())
    }

    /// The members that somebody sees.
    pub(crate) fn seen(&self, at: &Snapshot, viewer: &Eye) -> Shown {
        let mut shown = Shown::default();
        let v6_only = at.law().is_v6_only(viewer.class);
        for (bit, member) in (0..).zip(&self.members) {
            if at.sees(viewer.class, member.class()) {
                let routes = at.routes_seen(viewer, Some(member));
                shown.add(bit, Face { v6_only, routes });
            }
        }
        shown
    }

    /// These members as a list without its brackets, made once and kept.
    pub(crate) fn block(&self, shown: &Shown) -> Arc<Piece> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get(shown) {
            return Arc::clone(block);
        }
        let block = Arc::new(self.write(shown));
        if blocks.len() < BLOCKS {
            blocks.insert(shown.clone(), Arc::clone(&block));
        }
        block
    }

    /// As [`Self::block`] without one of the members: for that one node alone.
    pub(crate) fn block_without(&self, shown: &Shown, bit: u8) -> Option<Piece> {
        let others = shown.without(bit);
        (!others.is_empty()).then(|| self.write(&others))
    }

    fn write(&self, shown: &Shown) -> Piece {
        let mut json = Vec::new();
        for (bit, face) in shown.faces() {
            if !json.is_empty() {
                json.push(b',');
            }
            json.extend_from_slice(&self.members[usize::from(bit)].text(&face));
        }
        Piece::new(json)
    }
}

/// Where a member is: its segment, and its bit there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: usize,
    pub(crate) bit: u8,
}

/// Some of the members by segment, in order, none empty.
pub(crate) type Chosen = Vec<(usize, Shown)>;

/// All members of a snapshot, by id. A change copies one segment and the list of segments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Vec<Arc<Segment>>);

impl Members {
    pub(crate) fn from_sorted(members: &[Arc<Member>]) -> Self {
        let segments = members.chunks(CAPACITY);
        Self(segments.map(|s| Segment::new(s.to_vec())).collect())
    }

    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Member>> + Clone {
        self.0.iter().flat_map(|s| &s.members)
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Arc<Member>> {
        let segment = &self.0[self.segment_of(id)?];
        segment.place(id).ok().map(|i| &segment.members[i])
    }

    pub(crate) fn place(&self, id: NodeId) -> Option<Place> {
        let segment = self.segment_of(id)?;
        let bit = u8::try_from(self.0[segment].place(id).ok()?).ok()?;
        Some(Place { segment, bit })
    }

    /// The chosen members in one piece for each segment, without the one at
    /// `except`; shared but for that one's.
    pub(crate) fn blocks(&self, chosen: &Chosen, except: Option<Place>, form: Form) -> Vec<Bytes> {
        let mut blocks = Vec::with_capacity(chosen.len());
        for (segment, shown) in chosen {
            let at = except.filter(|p| p.segment == *segment && shown.has(p.bit));
            blocks.extend(match at {
                None => Some(self.0[*segment].block(shown).get(form)),
                Some(place) => {
                    let others = self.0[*segment].block_without(shown, place.bit);
                    others.map(|piece| piece.get(form))
                }
            });
        }
        blocks
    }

    /// Puts a member in its place, over the one with its id.
    pub(crate) fn set(&mut self, member: Arc<Member>) {
        let Some(at) = self.segment_of(member.id()) else {
            self.0.push(Segment::new(vec![member]));
            return;
        };
        let mut members = self.0[at].members.clone();
        match self.0[at].place(member.id()) {
            Ok(i) => members[i] = member,
            Err(i) => members.insert(i, member),
        }
        let split = (members.len() > CAPACITY).then(|| {
            // Ids grow: what comes at the end leaves full segments behind.
            let last = at + 1 == self.0.len();
            members.split_off(if last { CAPACITY } else { CAPACITY / 2 })
        });
        self.0[at] = Segment::new(members);
        if let Some(rest) = split {
            self.0.insert(at + 1, Segment::new(rest));
        }
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        let Some(at) = self.segment_of(id) else {
            return;
        };
        let Ok(i) = self.0[at].place(id) else {
            return;
        };
        let mut members = self.0[at].members.clone();
        members.remove(i);
        let next = self.0.get(at + 1).map_or(CAPACITY, |n| n.members.len());
        if members.is_empty() {
            self.0.remove(at);
        } else if members.len() + next <= CAPACITY / 2 {
            members.extend(self.0.remove(at + 1).members.iter().cloned());
            self.0[at] = Segment::new(members);
        } else {
            self.0[at] = Segment::new(members);
        }
    }

    /// The segment that holds `id` if any does; `None` when there is none at all.
    fn segment_of(&self, id: NodeId) -> Option<usize> {
        let after = self.0.partition_point(|s| s.members[0].id() <= id);
        (!self.0.is_empty()).then(|| after.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
