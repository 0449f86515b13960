//! When readers are told: at once while it is calm, together when changes pile up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use netmap::Log;
use tokio::sync::oneshot;

use super::state::{Live, Urgency};

/// How long a broadcast takes for each reader, about: the next one waits for it.
const PER_READER: Duration = Duration::from_micros(20);
/// The longest wait for the last broadcast.
const MAX_PACE: Duration = Duration::from_secs(1);
/// How long [`Urgency::Soon`] waits for company: among many there is more of it.
const SOON: Duration = Duration::from_millis(100);
/// Added to [`SOON`] for each reader, up to [`MAX_PACE`] in all.
const SOON_PER_READER: Duration = Duration::from_millis(1);

impl Live {
    pub(super) fn publish_by(&mut self, urgency: Urgency) {
        let now = self.deps.clock.instant();
        let by = match urgency {
            Urgency::Now => now,
            Urgency::Soon => {
                let company = SOON_PER_READER.saturating_mul(self.readers());
                now + SOON.saturating_add(company).min(MAX_PACE)
            }
        };
        self.publish_by = Some(self.publish_by.map_or(by, |old| old.min(by)));
    }

    /// When the next broadcast is due.
    pub(super) fn publish_at(&self) -> Option<Instant> {
        self.publish_by.map(|by| by.max(self.paced_until))
    }

    pub(super) fn publish_if_due(&mut self) {
        let now = self.deps.clock.instant();
        if self.publish_at().is_some_and(|at| at <= now) {
            self.publish();
        }
    }

    /// Tells readers of the present.
    pub(super) fn publish(&mut self) {
        self.publish_by = None;
        let log = Arc::new(Log::new(self.at.clone()));
        self.log.send_replace(Some(log));
        let pace = PER_READER.saturating_mul(self.readers()).min(MAX_PACE);
        self.paced_until = self.deps.clock.instant() + pace;
        for done in self.waiting.drain(..) {
            let _ = done.send(());
        }
    }

    fn readers(&self) -> u32 {
        u32::try_from(self.sessions.len()).unwrap_or(u32::MAX)
    }

    /// Answers when all that is urgent so far has been published.
    pub(super) fn tell_when_published(&mut self, done: oneshot::Sender<()>) {
        let now = self.deps.clock.instant();
        if self.publish_by.is_some_and(|by| by <= now) {
            self.waiting.push(done);
        } else {
            let _ = done.send(());
        }
    }

    /// Whether readers are told of this node already.
    pub(super) fn is_published(&self, node: wire::NodeId) -> bool {
        let log = self.log.borrow();
        log.as_ref()
            .is_some_and(|log| log.newest().node(node).is_some())
    }
}
