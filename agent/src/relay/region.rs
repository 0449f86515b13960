//! Keeping one region's connection.

use std::{sync::Arc, time::Duration};

use mesh::node::RelayState;
use rand::rngs::OsRng;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use wire::relay_map::{RegionId, RelayMap};

use super::{
    Setup,
    connect::{self, RelayError},
    session::{self, CHECK},
};
use crate::{
    control::backoff::Backoff,
    data::{Command, RelaySend},
    nudge::heeding,
};

/// A connection that held for so long is followed by a quick attempt.
const STEADY: Duration = Duration::from_secs(10);

/// Connects, again and again, until it is dropped.
pub(super) struct Keeper {
    pub(super) region: RegionId,
    pub(super) setup: Setup,
    pub(super) map: watch::Receiver<Arc<RelayMap>>,
    pub(super) home: watch::Receiver<Option<RegionId>>,
    pub(super) check: Arc<Notify>,
}

impl Keeper {
    pub(super) async fn run(mut self, mut packets: mpsc::Receiver<RelaySend>) {
        let mut backoff = Backoff::default();
        // A connection that this one replaces is gone.
        self.tell(RelayState::Disconnected).await;
        loop {
            let Some((why, held)) = self.connect_once(&mut packets).await else {
                backoff.reset();
                continue;
            };
            if held > STEADY {
                backoff.reset();
            }
            tracing::info!(
                region = %self.region,
                error = &why as &dyn std::error::Error,
                "relay connection is down"
            );
            self.tell(RelayState::Disconnected).await;
            tokio::select! {
                () = tokio::time::sleep(backoff.next(&mut OsRng)) => {}
                // What failed over the old network says nothing of the new one.
                () = self.check.notified() => backoff.reset(),
                changed = self.map.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Why there is no connection any more, and how long it held. `None`: the network
    /// changed before there was one, and the new one is worth a try at once.
    async fn connect_once(
        &mut self,
        packets: &mut mpsc::Receiver<RelaySend>,
    ) -> Option<(RelayError, Duration)> {
        let map = Arc::clone(&self.map.borrow_and_update());
        let Some(region) = map.regions.get(&self.region) else {
            return Some((RelayError::NoHost, Duration::ZERO));
        };
        let setup = &self.setup;
        let greeted = connect::region(region, &setup.tls, &setup.trust, &setup.node);
        let greeted = match heeding(greeted, CHECK, &self.check).await? {
            Ok(greeted) => greeted,
            Err(why) => return Some((why, Duration::ZERO)),
        };
        tracing::info!(region = %self.region, "relay connected");
        self.tell(RelayState::Connected).await;
        let begun = Instant::now();
        let ends = session::Ends {
            region: self.region,
            commands: &self.setup.commands,
            home: &mut self.home,
            check: &self.check,
            packets,
        };
        Some((session::run(greeted, ends).await, begun.elapsed()))
    }

    async fn tell(&self, state: RelayState) {
        let region = self.region;
        let news = Command::RelayState { region, state };
        let _ = self.setup.commands.send(news).await;
    }
}
