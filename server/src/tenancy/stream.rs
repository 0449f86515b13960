//! A node's map stream: a cursor into its tenant's log.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use netmap::{Log, Snapshot, Told};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use wire::NodeId;

use super::{Compression, pack};
use crate::clock::Clock;

/// Snapshots that a reader may be behind. One that never reads is let go: it
/// keeps the snapshot it is at in memory.
const PATIENCE: u64 = 16_384;

/// A node's map stream; dropping it takes the node offline after a short grace.
#[derive(Debug)]
pub struct MapStream {
    pub(super) node: NodeId,
    pub(super) compress: Compression,
    pub(super) log: watch::Receiver<Option<Arc<Log>>>,
    /// The snapshot that the node has been told of; `None` before the first frame.
    pub(super) at: Option<Snapshot>,
    /// The rest of a large frame.
    pub(super) rest: VecDeque<Bytes>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) end: CancellationToken,
    pub(super) _session: Session,
}

/// Tells the tenant's task when the stream is dropped.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) node: NodeId,
    /// Counts the streams of a tenant.
    pub(super) number: u64,
    /// Unbounded, yet each stream says one word.
    pub(super) gone: mpsc::UnboundedSender<(NodeId, u64)>,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.gone.send((self.node, self.number));
    }
}

impl MapStream {
    /// The next frame, with its length before it. A large one comes in several
    /// pieces, and the next piece is there at once: nothing may be sent between
    /// them. `None`: a newer stream took over, the node is gone, or the server
    /// stops. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.end.is_cancelled() {
                return None;
            }
            if let Some(piece) = self.rest.pop_front() {
                return Some(piece);
            }
            match self.advance() {
                Told::Frame(pieces) => {
                    self.rest = pieces.into();
                    continue;
                }
                Told::Gone => return None,
                Told::Nothing => {}
            }
            tokio::select! {
                biased;
                () = self.end.cancelled() => return None,
                changed = self.log.changed() => changed.ok()?,
            }
        }
    }

    /// Goes to the newest snapshot, over all that was missed in one step.
    fn advance(&mut self) -> Told {
        let Some(log) = self.log.borrow_and_update().clone() else {
            return Told::Nothing;
        };
        let newest = log.newest();
        let form = pack::form(self.compress);
        let Some(at) = self.at.replace(newest.clone()) else {
            let full = newest.full(self.node, form, self.clock.now());
            return full.map_or(Told::Gone, Told::Frame);
        };
        if newest.seq().saturating_sub(at.seq()) > PATIENCE {
            return Told::Gone;
        }
        match log.step_from(&at) {
            Some(step) => step.told(self.node, form),
            None => Told::Nothing,
        }
    }
}
