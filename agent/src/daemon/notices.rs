//! What the data thread and the network tell, and what follows from it.

use std::net::IpAddr;

use mesh::event::{PathAddr, Status};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};
use wire::control::map::PathReport;

use super::{Daemon, PATHS};
use crate::{
    data::{Command, Commands, Notice},
    io::monitor::Network,
    relay::probe,
    state::Profile,
    tls::Trust,
};

/// The data thread answers at once, or is stuck.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(2);

impl Daemon {
    pub(super) async fn handle_notice(&mut self, notice: Notice) {
        let Some(engine) = &self.engine else { return };
        match notice {
            Notice::RelayWanted(region) => engine.relays.want(region).await,
            Notice::RelayUnwanted(region) => engine.relays.unwant(region).await,
            Notice::HomeRelay(region) => {
                engine.relays.set_home(region);
                self.presence.send_modify(|p| p.home_relay = region);
            }
            Notice::Endpoints(endpoints) => {
                self.presence.send_if_modified(|p| {
                    let changed = p.endpoints != endpoints;
                    p.endpoints = endpoints;
                    changed
                });
            }
            Notice::NetInfo(report) => {
                if report.udp == Some(false) {
                    self.measure_relays();
                }
                self.presence.send_if_modified(|p| {
                    // Latencies change all the time; they travel with the next report.
                    let kind = |r: &mesh::netcheck::Report| (r.udp, r.ipv6, r.nat);
                    let changed = kind(&p.network) != kind(&report);
                    p.network = report;
                    changed
                });
            }
            Notice::PathChanged { peer, from, to } => {
                tracing::debug!(peer.id = %peer, ?from, ?to, "path changed");
                self.paths_due.get_or_insert_with(|| Instant::now() + PATHS);
            }
            Notice::SelfExpired => {
                tracing::warn!("this machine's key has expired: nothing passes any more");
            }
            Notice::Awake => {
                engine.check().await;
                self.check_server();
            }
        }
    }

    /// Without UDP the nearest of several relays is found over HTTPS.
    fn measure_relays(&self) {
        let (Some(engine), Some(map)) = (&self.engine, &self.map) else {
            return;
        };
        if map.relay_map().regions.len() < 2 {
            return;
        }
        let profile = self.stored.profile.as_ref();
        let trust = profile.and_then(Profile::trust).unwrap_or(Trust::Public);
        let (map, tls) = (map.relay_map().clone(), self.tls.clone());
        let commands = engine.commands.clone();
        tokio::spawn(async move {
            let latency = probe::latencies(&map, &tls, &trust).await;
            let _ = commands.send(Command::HttpsLatency(latency)).await;
        });
    }

    pub(super) async fn handle_network(&mut self, network: Network) {
        tracing::info!(
            addresses = network.addresses.len(),
            "the network has changed"
        );
        if let Some(engine) = &self.engine {
            engine.set_network(network).await;
        }
        self.check_server();
    }

    /// Connections with the server prove that they live, or are made anew.
    fn check_server(&self) {
        if let Some(session) = &self.session {
            session.handle.nudge();
        }
        if let Some(entry) = &self.entry {
            entry.nudge();
        }
    }

    pub(super) async fn handle_name(&mut self, name: String, addresses: Vec<IpAddr>) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        engine.note_name(name, addresses);
        self.hand_over_again().await;
    }

    /// Reports to the server how active peers are reached.
    pub(super) async fn report_paths(&mut self) {
        self.paths_due = None;
        let Some(engine) = &self.engine else { return };
        let Some(status) = ask_status(&engine.commands).await else {
            return;
        };
        let paths = paths(&status);
        self.presence.send_if_modified(|p| {
            let changed = p.paths != paths;
            p.paths = paths;
            changed
        });
    }
}

/// What the data thread says of itself.
pub(super) async fn ask_status(commands: &Commands) -> Option<Status> {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        commands.send(Command::Status { reply }).await.ok()?;
        answer.await.ok()
    };
    timeout(ANSWER, asked).await.ok()?
}

fn paths(status: &Status) -> Vec<PathReport> {
    let active = status.peers.iter().filter(|p| p.active);
    active
        .filter_map(|peer| {
            let (direct, relay) = split(peer.path?);
            let rtt = peer.rtt.and_then(|rtt| u32::try_from(rtt.as_micros()).ok());
            Some(PathReport {
                peer: peer.id,
                direct,
                relay,
                rtt_us: rtt,
            })
        })
        .collect()
}

/// A path as two options, one of which is something.
pub(super) fn split(
    path: PathAddr,
) -> (
    Option<std::net::SocketAddr>,
    Option<wire::relay_map::RegionId>,
) {
    match path {
        PathAddr::Direct(addr) => (Some(addr), None),
        PathAddr::Relay(region) => (None, Some(region)),
    }
}
