//! Connections with relays: those that the data thread wants, for as long as it wants them.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use wire::{
    NodeSecret,
    relay_map::{RegionId, RelayMap},
};

use crate::{
    data::{Commands, RelaySend},
    tls::{Tls, Trust},
};

pub mod connect;
pub mod probe;
mod region;
mod session;

/// Trains that wait for one relay's connection.
const QUEUE: usize = 256;
/// Orders that wait for the hub.
const ORDERS: usize = 64;

/// What all connections need.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Whom TLS trusts.
    pub tls: Tls,
    /// How a relay without a pin of its own is judged.
    pub trust: Trust,
    /// The node key, which relays know us by.
    pub node: NodeSecret,
    /// Where packets and news go.
    pub commands: Commands,
}

/// What the hub is told.
#[derive(Debug)]
enum Order {
    Want(RegionId),
    Unwant(RegionId),
    Identity(NodeSecret, Trust),
    Check,
}

/// The way to the hub, which ends with it.
#[derive(Debug)]
pub struct Relays {
    orders: mpsc::Sender<Order>,
    map: watch::Sender<Arc<RelayMap>>,
    home: watch::Sender<Option<RegionId>>,
    _task: AbortOnDropHandle<()>,
}

impl Relays {
    /// Starts the hub; `packets` are sent through what is connected.
    pub fn start(setup: Setup, packets: mpsc::Receiver<RelaySend>) -> Self {
        let (orders, order_queue) = mpsc::channel(ORDERS);
        let (map, map_seen) = watch::channel(Arc::default());
        let (home, home_seen) = watch::channel(None);
        let hub = Hub {
            setup,
            map: map_seen,
            home: home_seen,
            links: BTreeMap::new(),
        };
        let task = tokio::spawn(hub.run(order_queue, packets));
        Self {
            orders,
            map,
            home,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Where the relays are.
    pub fn set_map(&self, map: Arc<RelayMap>) {
        self.map.send_if_modified(|old| {
            let changed = **old != *map;
            *old = map;
            changed
        });
    }

    /// Which relay is home.
    pub fn set_home(&self, region: RegionId) {
        self.home.send_replace(Some(region));
    }

    /// Connects, and keeps trying.
    pub async fn want(&self, region: RegionId) {
        let _ = self.orders.send(Order::Want(region)).await;
    }

    /// Closes the connection.
    pub async fn unwant(&self, region: RegionId) {
        let _ = self.orders.send(Order::Unwant(region)).await;
    }

    /// Another node key: every connection is made anew.
    pub async fn set_identity(&self, node: NodeSecret, trust: Trust) {
        let _ = self.orders.send(Order::Identity(node, trust)).await;
    }

    /// The network has changed: connections prove that they live, or are made anew.
    pub async fn check(&self) {
        let _ = self.orders.send(Order::Check).await;
    }
}

struct Hub {
    setup: Setup,
    map: watch::Receiver<Arc<RelayMap>>,
    home: watch::Receiver<Option<RegionId>>,
    links: BTreeMap<RegionId, Link>,
}

#[cfg(test)]
mod tests;

struct Link {
    packets: mpsc::Sender<RelaySend>,
    check: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Hub {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut packets: mpsc::Receiver<RelaySend>,
    ) {
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                packet = packets.recv() => match packet {
                    // A full queue drops: a relay that buffers turns loss into delay.
                    Some(packet) => if let Some(link) = self.links.get(&packet.region) {
                        let _ = link.packets.try_send(packet);
                    },
                    None => return,
                },
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Want(region) => {
                if !self.links.contains_key(&region) {
                    let link = self.open(region);
                    self.links.insert(region, link);
                }
            }
            Order::Unwant(region) => {
                self.links.remove(&region);
            }
            Order::Identity(node, trust) => {
                self.setup.node = node;
                self.setup.trust = trust;
                let regions: Vec<_> = self.links.keys().copied().collect();
                for region in regions {
                    let link = self.open(region);
                    self.links.insert(region, link);
                }
            }
            Order::Check => {
                for link in self.links.values() {
                    link.check.notify_one();
                }
            }
        }
    }

    fn open(&self, region: RegionId) -> Link {
        let (packets, queue) = mpsc::channel(QUEUE);
        let check = Arc::new(Notify::new());
        let keeper = region::Keeper {
            region,
            setup: self.setup.clone(),
            map: self.map.clone(),
            home: self.home.clone(),
            check: Arc::clone(&check),
        };
        let task = tokio::spawn(keeper.run(queue));
        Link {
            packets,
            check,
            _task: AbortOnDropHandle::new(task),
        }
    }
}
