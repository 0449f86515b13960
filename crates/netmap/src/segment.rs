//! Runs of members, shared between snapshots that did not touch them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use wire::NodeId;

use crate::{
    class::{ClassId, Law},
    frame::{Form, Piece},
    member::Member,
};

/// Members of a segment at most: one bit each.
const CAPACITY: usize = 128;
/// Blocks that a segment keeps at most.
const BLOCKS: usize = 16;

/// At most 128 members, by id.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) members: Vec<Arc<Member>>,
    /// Members that some class sees, as JSON: by the members' bits.
    blocks: Mutex<BTreeMap<u128, Arc<Piece>>>,
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

    /// The members that a class sees, by their bits.
    pub(crate) fn seen(&self, law: &Law, viewer: Option<ClassId>) -> u128 {
        let sees = |m: &Arc<Member>| u128::from(law.sees(viewer, m.class));
        let members = self.members.iter().enumerate();
        members.fold(0, |bits, (i, m)| bits | sees(m) << i)
    }

    /// These members as a list without its brackets, made once and kept.
    pub(crate) fn block(&self, bits: u128) -> Arc<Piece> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get(&bits) {
            return Arc::clone(block);
        }
        let block = Arc::new(self.write(bits));
        if blocks.len() < BLOCKS {
            blocks.insert(bits, Arc::clone(&block));
        }
        block
    }

    /// As [`Self::block`] without one of the members: for that one node alone.
    pub(crate) fn block_without(&self, bits: u128, bit: u8) -> Option<Piece> {
        let others = bits & !(1 << bit);
        (others != 0).then(|| self.write(others))
    }

    fn write(&self, bits: u128) -> Piece {
        let mut json = Vec::new();
        for (i, member) in self.members.iter().enumerate() {
            if bits >> i & 1 == 1 {
                if !json.is_empty() {
                    json.push(b',');
                }
                json.extend_from_slice(&member.json);
            }
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

/// Some of the members: bits by segment, in order, none empty.
pub(crate) type Chosen = Vec<(usize, u128)>;

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

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Member>> {
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
        for (segment, bits) in chosen {
            let at = except.filter(|p| p.segment == *segment && bits >> p.bit & 1 == 1);
            blocks.extend(match at {
                None => Some(self.0[*segment].block(*bits).get(form)),
                Some(place) => {
                    let others = self.0[*segment].block_without(*bits, place.bit);
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
