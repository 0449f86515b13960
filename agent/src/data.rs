//! The data thread: tunnels, TUN and UDP, synchronous and alone with its state.
//!
//! [`spawn`] opens the TUN and the sockets and starts the thread. The rest of
//! the agent speaks to it by [`Command`]s and hears from it by [`Notice`]s,
//! both through bounded queues. When the thread ends, by [`Command::Shutdown`]
//! or by a panic, the interface is gone: packets are never passed unfiltered.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use mesh::{
    event::{Endpoint, PathAddr, PingResult, Status},
    netcheck::Report,
    node::{Netmap, RelayState},
    offload::Offload,
};
use tokio::sync::{mpsc, oneshot};
use wire::{DiscoSecret, NodeId, NodeKey, NodeSecret, Timestamp, relay_map::RegionId};

use crate::io::doorbell::{Button, doorbell};

mod alarm;
mod budget;
mod commands;
pub mod counters;
mod outbox;
mod outputs;
mod relay_queue;
mod sleep;
mod thread;

use counters::Counters;
use thread::DataThread;

/// What the data thread starts with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The TUN's name; 15 bytes at most.
    pub interface: String,
    /// The TUN's MTU.
    pub mtu: u16,
    /// The UDP port; 0 lets the system choose.
    pub udp_port: u16,
    /// The WireGuard key.
    pub node: NodeSecret,
    /// The path-discovery key, new at each process start.
    pub disco: DiscoSecret,
    /// Addresses of this machine's interfaces (neither loopback nor the TUN's).
    pub addresses: Vec<IpAddr>,
    /// Mark of outgoing UDP packets, for policy routing; 0 for none.
    pub mark: u32,
}

/// What the kernel is asked to do for whole trains. Everything by default;
/// where it refuses, the agent does the work itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offloads {
    /// Superpackets of the TUN.
    pub tun: Offload,
    /// Cutting and joining of UDP trains.
    pub udp: bool,
}

impl Default for Offloads {
    fn default() -> Self {
        Self {
            tun: Offload::TcpUdp,
            udp: true,
        }
    }
}

/// What the data thread is told.
#[derive(Debug)]
pub enum Command {
    /// The netmap, whole; key expiries are compared with `wall`, the time now.
    SetNetmap {
        /// The netmap. Peers that did not change should be the same `Arc`s as before.
        netmap: Arc<Netmap>,
        /// The time now.
        wall: Timestamp,
    },
    /// Another node key; all tunnels end.
    SetIdentity(NodeSecret),
    /// A relay handed over a packet.
    RelayPacket {
        /// The relay's region.
        region: RegionId,
        /// Who sent it.
        from: NodeKey,
        /// The packet.
        bytes: Bytes,
    },
    /// A connection to a relay came up or went down.
    RelayState {
        /// The relay's region.
        region: RegionId,
        /// Whether it can be used.
        state: RelayState,
    },
    /// How far relays are over HTTPS: decides about the home relay where UDP says nothing.
    HttpsLatency(BTreeMap<RegionId, Duration>),
    /// The network under us changed; these are the interfaces' addresses now.
    LinkChanged {
        /// As in [`Config::addresses`].
        addresses: Vec<IpAddr>,
    },
    /// Ping a peer over every path.
    Ping {
        /// The peer.
        peer: NodeId,
        /// Gets what became of it.
        reply: oneshot::Sender<PingResult>,
    },
    /// Everything `status` shows.
    Status {
        /// Gets it.
        reply: oneshot::Sender<Status>,
    },
    /// Ask all STUN servers.
    Netcheck {
        /// Gets what they saw, after three seconds at most.
        reply: oneshot::Sender<Report>,
    },
    /// Take the interface down and end.
    Shutdown,
}

/// What the data thread tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// Connect to this region's relay, keep trying, and report by [`Command::RelayState`].
    RelayWanted(RegionId),
    /// Nothing needs this region's relay.
    RelayUnwanted(RegionId),
    /// The relay to be reachable through; report it to the server.
    HomeRelay(RegionId),
    /// The endpoints to announce to the server.
    Endpoints(Vec<Endpoint>),
    /// What is known about the network; report it to the server.
    NetInfo(Report),
    /// A peer with traffic is reached another way, or (`None`) not at all.
    PathChanged {
        /// The peer.
        peer: NodeId,
        /// The path before.
        from: Option<PathAddr>,
        /// The path from now on.
        to: Option<PathAddr>,
    },
    /// The own key has expired: nothing passes until a netmap with a valid one comes.
    SelfExpired,
    /// The machine is awake after a sleep that connections may not have survived.
    Awake,
}

/// Packets for a client of a relay. When the queue is full the newest are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelaySend {
    /// The relay's region.
    pub region: RegionId,
    /// The client.
    pub to: NodeKey,
    /// The length of every packet but the last.
    pub segment_size: usize,
    /// Packets back to back, each to be sent in a frame of its own.
    pub bytes: Bytes,
}

/// The data thread as the rest of the agent sees it.
#[derive(Debug)]
pub struct DataHandle {
    /// Takes commands.
    pub commands: Commands,
    /// State changes; closed when the thread has ended.
    pub notices: mpsc::Receiver<Notice>,
    /// Packets for relays; closed when the thread has ended.
    pub relay: mpsc::Receiver<RelaySend>,
    /// The TUN's name.
    pub interface: String,
    /// The port that the UDP sockets are bound to.
    pub udp_port: u16,
    /// What the sockets and the TUN have carried and lost.
    pub counters: Arc<Counters>,
}

/// The way to the data thread; clones lead to the same thread. It ends when the last is dropped.
#[derive(Debug, Clone)]
pub struct Commands {
    // Dropped before the button, so that the last ring finds the queue closed.
    queue: mpsc::Sender<Command>,
    button: Button,
}

/// The data thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data thread has ended")]
pub struct Ended;

impl Commands {
    /// Hands over a command, waiting for room in the queue.
    pub async fn send(&self, command: Command) -> Result<(), Ended> {
        self.queue.send(command).await.map_err(|_| Ended)?;
        self.button.ring();
        Ok(())
    }

    /// Hands over a packet from a relay, or drops it when the queue is full.
    pub fn offer_packet(&self, region: RegionId, from: NodeKey, bytes: Bytes) {
        let packet = Command::RelayPacket {
            region,
            from,
            bytes,
        };
        if self.queue.try_send(packet).is_ok() {
            self.button.ring();
        }
    }
}

#[cfg(test)]
impl Commands {
    /// A way that leads to no thread, and its end.
    pub(crate) fn loose() -> (Self, mpsc::Receiver<Command>) {
        let (button, _bell) = doorbell().expect("an eventfd");
        let (queue, commands) = mpsc::channel(budget::QUEUED_COMMANDS);
        (Self { queue, button }, commands)
    }
}

/// Opens the TUN and the UDP sockets and starts the thread. When it returns,
/// the interface exists and is up, without addresses.
pub fn spawn(config: Config) -> std::io::Result<DataHandle> {
    spawn_with(config, Offloads::default())
}

/// As [`spawn`], with less help of the kernel.
pub fn spawn_with(config: Config, offloads: Offloads) -> std::io::Result<DataHandle> {
    let (button, bell) = doorbell()?;
    let (queue, commands) = mpsc::channel(budget::QUEUED_COMMANDS);
    let (notices, notices_out) = mpsc::channel(budget::QUEUED_NOTICES);
    let (relay, relay_out) = mpsc::channel(budget::QUEUED_TRAINS);
    let counters = Arc::new(Counters::default());
    let inputs = thread::Channels {
        bell,
        commands,
        notices,
        relay,
        counters: Arc::clone(&counters),
    };
    let thread = DataThread::open(config, offloads, inputs)?;
    let handle = DataHandle {
        commands: Commands { queue, button },
        notices: notices_out,
        relay: relay_out,
        interface: thread.interface().to_owned(),
        udp_port: thread.udp_port(),
        counters,
    };
    std::thread::Builder::new()
        .name("data".into())
        .spawn(move || thread.run())?;
    Ok(handle)
}
