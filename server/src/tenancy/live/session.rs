//! Streams: the newest of a node wins, and a node is online while it holds one.

use std::{collections::VecDeque, time::Duration};

use netmap::Reach;
use wire::NodeId;

use super::{
    presence::{is_unknown, reported},
    state::{Live, Open, Urgency},
};
use crate::{
    error::{Error, Result},
    tenancy::{Attach, Changed, MapStream, deadline::Due, stream::Session},
};

/// How long a node whose stream ended counts as online: most come back at once.
pub(super) const GRACE: Duration = Duration::from_secs(3);

impl Live {
    /// Opens a stream.
    pub(super) async fn attach(&mut self, id: NodeId, attach: Attach) -> Result<MapStream> {
        if self.at.node(id).is_none() {
            self.reload(vec![Changed::Node(id)]).await;
        }
        let Some(node) = self.at.node(id) else {
            return Err(Error::NotFound);
        };
        let before = node.reach.clone();
        if !self.is_published(id) {
            self.publish();
        }
        let known = if is_unknown(&before) {
            reported(&before, attach.fallback)
        } else {
            before.clone()
        };
        let reach = Reach {
            online: true,
            last_seen: Some(self.deps.clock.now()),
            ..known
        };
        self.deadlines.set(id, Due::Offline, None);
        self.set_reach(id, &before, reach, Urgency::Soon);
        self.opened += 1;
        let open = Open {
            number: self.opened,
            end: self.deps.stop.child_token(),
        };
        let stream = MapStream {
            node: id,
            compress: attach.compress,
            log: self.log.subscribe(),
            at: None,
            rest: VecDeque::new(),
            clock: self.deps.clock.clone(),
            end: open.end.clone(),
            _session: Session {
                node: id,
                number: self.opened,
                gone: self.gone.clone(),
            },
        };
        if let Some(older) = self.sessions.insert(id, open) {
            older.end.cancel();
        }
        Ok(stream)
    }

    /// A stream was dropped.
    pub(super) fn detached(&mut self, id: NodeId, number: u64) {
        if self.sessions.get(&id).is_some_and(|s| s.number == number) {
            self.sessions.remove(&id);
            let at = self.deps.clock.now().plus(GRACE);
            self.deadlines.set(id, Due::Offline, Some(at));
        }
    }

    /// Ends a node's stream.
    pub(super) fn expel(&mut self, id: NodeId) {
        if let Some(open) = self.sessions.remove(&id) {
            open.end.cancel();
        }
        self.paths.remove(&id);
        self.ephemeral.remove(&id);
        self.deadlines.forget(id);
        self.store.forget(id);
        self.decisions.remove(&id);
        self.approvals.forget(id);
    }
}
