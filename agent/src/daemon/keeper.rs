//! Keeping the last netmap on disk: soon after a change, not at each one, and never in the way.

use std::time::Duration;

use tokio::{task::JoinHandle, time::Instant};

use crate::{control::NetMap, state::NetmapFile};

/// Changes that come close together are written together.
const SETTLE: Duration = Duration::from_secs(1);

/// When to write, and what is being written.
#[derive(Debug)]
pub(super) struct Keeper {
    file: NetmapFile,
    due: Option<Instant>,
    writing: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn new(file: NetmapFile) -> Self {
        Self {
            file,
            due: None,
            writing: None,
        }
    }

    /// The netmap has changed.
    pub(super) fn changed(&mut self) {
        self.due.get_or_insert_with(|| Instant::now() + SETTLE);
    }

    /// A whole netmap has come: it is written now.
    pub(super) fn renewed(&mut self) {
        self.due = Some(Instant::now());
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Writes `map` on another thread, if it has changed.
    pub(super) async fn save(&mut self, map: Option<&NetMap>) {
        let changed = self.due.take().is_some();
        let Some(map) = map.filter(|_| changed).map(NetMap::to_message) else {
            return;
        };
        self.finish().await;
        let file = self.file.clone();
        self.writing = Some(tokio::task::spawn_blocking(move || {
            if let Err(why) = file.save(&map) {
                tracing::warn!(
                    error = &why as &dyn std::error::Error,
                    "the netmap is not kept"
                );
            }
        }));
    }

    /// Waits for what is being written.
    pub(super) async fn finish(&mut self) {
        if let Some(writing) = self.writing.take() {
            let _ = writing.await;
        }
    }

    /// Nothing is to be kept any more.
    pub(super) async fn forget(&mut self) {
        self.due = None;
        self.finish().await;
    }
}
