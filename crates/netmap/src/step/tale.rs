//! What a step tells the nodes of a class.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use wire::{NodeId, control::MapResponse};

use crate::{
    frame::{Form, frame, with_peers},
    segment::{Chosen, Members, Place},
    snapshot::to_json,
};

/// What nodes of a class are told.
#[derive(Debug)]
pub(super) struct Tale {
    /// Everything but whole peers; what it lists is sorted by id.
    pub(super) head: MapResponse,
    /// Peers that are new, or changed in more than a patch can say.
    pub(super) whole: Chosen,
    /// The frame, shared with every class that is told the same.
    pub(super) frame: Arc<Shared>,
}

/// A frame in both forms, each written once.
#[derive(Debug, Default)]
pub(super) struct Shared {
    plain: OnceLock<Vec<Bytes>>,
    packed: OnceLock<Vec<Bytes>>,
}

/// Frames by what they say: classes that are told the same share one.
#[derive(Debug, Default)]
pub(super) struct Frames(Mutex<BTreeMap<Saying, Arc<Shared>>>);

/// A head as JSON, and whole peers.
type Saying = (Vec<u8>, Chosen);

/// Heads up to this size are compared to find classes that are told the same.
const COMPARED: usize = 4096;

impl Frames {
    fn find(&self, head: &MapResponse, whole: &Chosen) -> Arc<Shared> {
        let json = to_json(head);
        if json.len() > COMPARED {
            return Arc::default();
        }
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(frames.entry((json, whole.clone())).or_default())
    }
}

impl Tale {
    pub(super) fn new(head: MapResponse, whole: Chosen, frames: &Frames) -> Self {
        Self {
            frame: frames.find(&head, &whole),
            head,
            whole,
        }
    }

    /// Whether it speaks of this node, which is at `place` now.
    pub(super) fn mentions(&self, id: NodeId, place: Option<Place>) -> bool {
        let removed = self.head.peers_removed.as_deref().unwrap_or_default();
        let patches = self.head.peers_changed_patch.as_deref().unwrap_or_default();
        let whole = place.and_then(|p| {
            let at = self.whole.binary_search_by_key(&p.segment, |(s, _)| *s);
            Some(self.whole[at.ok()?].1.has(p.bit))
        });
        whole == Some(true)
            || removed.binary_search(&id).is_ok()
            || patches.binary_search_by_key(&id, |p| p.node_id).is_ok()
    }

    /// The frame of all of whom it does not speak; empty: nothing to say.
    pub(super) fn shared(&self, members: &Members, form: Form) -> Vec<Bytes> {
        let kept = match form {
            Form::Plain => &self.frame.plain,
            Form::Packed(_) => &self.frame.packed,
        };
        let frame = kept.get_or_init(|| write(&self.head, &self.whole, None, members, form));
        frame.clone()
    }

    /// The frame of one node with a head of its own: nothing in it is about the
    /// node as a peer.
    pub(super) fn without(
        &self,
        (id, place): (NodeId, Option<Place>),
        mut head: MapResponse,
        members: &Members,
        form: Form,
    ) -> Vec<Bytes> {
        head.peers_removed = head.peers_removed.and_then(|mut all| {
            all.retain(|other| *other != id);
            some(all)
        });
        head.peers_changed_patch = head.peers_changed_patch.and_then(|mut all| {
            all.retain(|patch| patch.node_id != id);
            some(all)
        });
        write(&head, &self.whole, place, members, form)
    }
}

fn write(
    head: &MapResponse,
    whole: &Chosen,
    except: Option<Place>,
    members: &Members,
    form: Form,
) -> Vec<Bytes> {
    let json = to_json(head);
    let blocks = members.blocks(whole, except, form);
    if !blocks.is_empty() {
        with_peers(json, "PeersChanged", blocks, form)
    } else if json == b"{}" {
        Vec::new()
    } else {
        vec![frame(form, &json)]
    }
}

/// The list, unless it is empty.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
