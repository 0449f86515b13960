//! How far a relay is over HTTPS, where UDP says nothing.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::{Instant, timeout};
use wire::relay_map::{RegionId, RelayHost, RelayMap};

use super::connect;
use crate::{
    dial::http1,
    tls::{Tls, Trust},
};

/// How long one relay may take.
const PATIENCE: Duration = Duration::from_secs(5);
const PATH: &str = "/derp/latency-check";

/// The round trip to every region whose relay answers.
pub async fn latencies(map: &RelayMap, tls: &Tls, trust: &Trust) -> BTreeMap<RegionId, Duration> {
    let hosts = map.regions.iter().filter_map(|(id, region)| {
        let host = region.nodes.iter().find(|h| !h.stun_only)?;
        Some((*id, host))
    });
    let mut probes: FuturesUnordered<_> = hosts
        .map(|(id, host)| async move {
            let rtt = timeout(PATIENCE, latency(host, tls, trust)).await.ok()??;
            Some((id, rtt))
        })
        .collect();
    let mut found = BTreeMap::new();
    while let Some(probe) = probes.next().await {
        found.extend(probe);
    }
    found
}

/// The second request on a connection is timed: the first carries its set-up.
async fn latency(host: &RelayHost, tls: &Tls, trust: &Trust) -> Option<Duration> {
    let stream = connect::open(host, tls, trust).await.ok()?;
    let mut client = http1::Client::new(stream, host.host_name.clone())
        .await
        .ok()?;
    client.get(PATH, 4096).await.ok()?;
    let start = Instant::now();
    client.get(PATH, 4096).await.ok()?;
    Some(start.elapsed())
}
