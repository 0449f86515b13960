//! The data thread with what belongs to it: relays, addresses, routes, names of relays.

use std::{collections::BTreeMap, io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use wire::{DiscoKey, DiscoSecret, NodeSecret, Timestamp, relay_map::RelayMap};

use crate::{
    config::{self, Config},
    control::NetMap,
    data::{self, Command, Commands, Notice},
    dial,
    io::{
        monitor::{self, Network},
        route::{self, RouteError},
    },
    relay::{self, Relays, connect::literals},
    state::profile::random,
    tls::{Tls, Trust},
};

/// How long the data thread may take to end.
const END: Duration = Duration::from_secs(3);
/// Answers that wait to be read.
const ANSWERS: usize = 16;
/// Before a name that was not found is asked for again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// It grows to this.
const LAST_PAUSE: Duration = Duration::from_mins(1);

/// Everything that carries packets.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) commands: Commands,
    pub(super) notices: mpsc::Receiver<Notice>,
    pub(super) network: mpsc::Receiver<Network>,
    pub(super) names: mpsc::Receiver<(String, Vec<IpAddr>)>,
    pub(super) interface: String,
    pub(super) udp_port: u16,
    pub(super) counters: Arc<data::counters::Counters>,
    /// The path-discovery key.
    pub(super) disco: DiscoKey,
    pub(super) relays: Relays,
    tunnel: route::Interface,
    resolved: BTreeMap<String, Option<Vec<IpAddr>>>,
    name_answers: mpsc::Sender<(String, Vec<IpAddr>)>,
    /// Tells those who ask for a name that the network has changed.
    changes: watch::Sender<()>,
    _monitor: AbortOnDropHandle<()>,
}

impl Engine {
    /// Makes the interface and starts the data thread.
    pub(super) fn start(
        config: &Config,
        node: NodeSecret,
        tls: Tls,
        trust: Trust,
    ) -> io::Result<Self> {
        let disco = DiscoSecret::from_bytes(random());
        let disco_key = disco.public();
        let monitor = monitor::Monitor::new(&config.interface)?;
        let wanted = data::Config {
            interface: config.interface.clone(),
            mtu: config::MTU,
            udp_port: config.port,
            node: node.clone(),
            disco,
            addresses: monitor.network().addresses.clone(),
            mark: 0,
        };
        let handle = spawn(wanted)?;
        let tunnel = route::Interface::open(&handle.interface)?;
        let setup = relay::Setup {
            tls,
            trust,
            node,
            commands: handle.commands.clone(),
        };
        let (name_answers, names) = mpsc::channel(ANSWERS);
        let (network_news, network) = mpsc::channel(1);
        let watch = tokio::spawn(watch(monitor, network_news));
        tracing::info!(
            interface = %handle.interface,
            port = handle.udp_port,
            "data thread started"
        );
        Ok(Self {
            commands: handle.commands,
            notices: handle.notices,
            network,
            names,
            interface: handle.interface,
            udp_port: handle.udp_port,
            counters: handle.counters,
            disco: disco_key,
            relays: Relays::start(setup, handle.relay),
            tunnel,
            resolved: BTreeMap::new(),
            name_answers,
            changes: watch::Sender::new(()),
            _monitor: AbortOnDropHandle::new(watch),
        })
    }

    /// Another node key; tunnels and relay connections are made anew.
    pub(super) async fn set_identity(&mut self, node: NodeSecret, trust: Trust) {
        self.relays.set_identity(node.clone(), trust).await;
        let _ = self.commands.send(Command::SetIdentity(node)).await;
    }

    /// Brings addresses, routes, relays and the data thread in line with the netmap.
    pub(super) async fn set_netmap(
        &mut self,
        map: &NetMap,
        wall: Timestamp,
    ) -> Result<(), RouteError> {
        let relay_map = self.with_addresses(map.relay_map());
        self.relays.set_map(Arc::new(relay_map.clone()));
        let netmap = map.to_data(relay_map);
        // Packets may come as soon as there are addresses: the filter is there before.
        let addresses = netmap.addresses.clone();
        let netmap = Arc::new(netmap);
        let _ = self
            .commands
            .send(Command::SetNetmap { netmap, wall })
            .await;
        self.tunnel.set_addresses(&addresses)
    }

    /// Takes the addresses of a relay's name.
    pub(super) fn note_name(&mut self, name: String, addresses: Vec<IpAddr>) {
        if addresses.is_empty() {
            self.resolved.remove(&name);
        } else {
            self.resolved.insert(name, Some(addresses));
        }
    }

    /// The map with the addresses of every name that is known; asks for the others.
    fn with_addresses(&mut self, map: &RelayMap) -> RelayMap {
        let mut map = map.clone();
        let hosts = map.regions.values_mut().flat_map(|r| &mut r.nodes);
        for host in hosts.filter(|h| literals(h).is_empty()) {
            let Some(known) = self.resolved.get(&host.host_name) else {
                self.resolved.insert(host.host_name.clone(), None);
                let (name, answers) = (host.host_name.clone(), self.name_answers.clone());
                tokio::spawn(resolve(name, answers, self.changes.subscribe()));
                continue;
            };
            for address in known.iter().flatten() {
                let family = match address {
                    IpAddr::V4(_) => &mut host.ipv4,
                    IpAddr::V6(_) => &mut host.ipv6,
                };
                if family.is_empty() {
                    *family = address.to_string();
                }
            }
        }
        map
    }

    /// The network under us has changed.
    pub(super) async fn set_network(&self, network: Network) {
        let addresses = network.addresses;
        let _ = self.commands.send(Command::LinkChanged { addresses }).await;
        self.check().await;
    }

    /// What waits for the network is tried again, and what is connected proves that it lives.
    pub(super) async fn check(&self) {
        self.changes.send_replace(());
        self.relays.check().await;
    }

    /// Ends the data thread; when it returns, the interface is gone.
    pub(super) async fn stop(mut self) {
        let ended = async {
            let _ = self.commands.send(Command::Shutdown).await;
            while self.notices.recv().await.is_some() {}
        };
        if timeout(END, ended).await.is_err() {
            tracing::error!("the data thread does not end");
        }
    }
}

/// Starts the data thread; a port that is in use is replaced by another one.
fn spawn(wanted: data::Config) -> io::Result<data::DataHandle> {
    let any_port = data::Config {
        udp_port: 0,
        ..wanted.clone()
    };
    match data::spawn(wanted) {
        Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(error = %e, "the UDP port is in use; another one is taken");
            data::spawn(any_port)
        }
        other => other,
    }
}

async fn watch(mut monitor: monitor::Monitor, news: mpsc::Sender<Network>) {
    loop {
        match monitor.changed().await {
            Ok(network) => {
                if news.send(network.clone()).await.is_err() {
                    return;
                }
            }
            Err(why) => {
                tracing::warn!(error = %why, "the network cannot be watched");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}

/// Asks until the name has an address, or the engine is gone; `changes` of the
/// network are followed by another question at once.
async fn resolve(
    name: String,
    answers: mpsc::Sender<(String, Vec<IpAddr>)>,
    mut changes: watch::Receiver<()>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let found = dial::resolve(&name, 443, &[]).await;
        if let Ok(found) = found {
            let addresses = found.iter().map(std::net::SocketAddr::ip).collect();
            let _ = answers.send((name, addresses)).await;
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
            changed = changes.changed() => match changed {
                Ok(()) => pause = FIRST_PAUSE,
                Err(_) => return,
            },
        }
    }
}
