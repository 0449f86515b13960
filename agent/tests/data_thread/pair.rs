//! Two nodes on one wire, and the netmap they share.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use agent::{
    clock::Clock,
    data::{Command, Config, DataHandle, Offloads, spawn_with},
};
use mesh::{
    event::Status,
    node::{Netmap, Peer},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot},
    time::timeout,
};
use wire::{
    DiscoSecret, NodeId, NodeSecret,
    filter::{DstPorts, FilterRule},
    net::{PortRange, Prefix},
    relay_map::{Region, RegionId, RelayHost, RelayMap},
};

use crate::namespace::Namespace;

pub(crate) const REGION: RegionId = RegionId(900);
pub(crate) const INTERFACE: &str = "warren0";
/// Long for a busy machine; nothing is awaited that takes it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One node.
pub(crate) struct Side {
    pub(crate) data: DataHandle,
    pub(crate) id: NodeId,
    pub(crate) v4: IpAddr,
    pub(crate) v6: IpAddr,
    outer: IpAddr,
    node: NodeSecret,
    disco: DiscoSecret,
    // Last, so that sockets close before their namespace goes.
    pub(crate) ns: Namespace,
}

/// Both.
pub(crate) struct Pair {
    pub(crate) a: Side,
    pub(crate) b: Side,
    pub(crate) runtime: Runtime,
}

/// Whether peers are told each other's addresses, or their relay alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Direct,
    Relay,
}

impl Side {
    fn new(n: u8, ns: Namespace, offloads: Offloads) -> Self {
        let node = NodeSecret::from_bytes([n; 32]);
        let disco = DiscoSecret::from_bytes([n + 100; 32]);
        let outer = IpAddr::from([192, 0, 2, n]);
        let v4 = IpAddr::from([100, 64, 0, n]);
        let v6 = IpAddr::from([0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, n.into()]);
        let data = start(&ns, &node, &disco, outer, offloads);
        let side = Self {
            data,
            id: NodeId(n.into()),
            v4,
            v6,
            outer,
            node,
            disco,
            ns,
        };
        side.set_addresses();
        side
    }

    /// As the agent does it after each start.
    fn set_addresses(&self) {
        let (v4, v6) = (self.v4, self.v6);
        self.ns.sh(&format!(
            "ip addr add {v4}/32 dev {INTERFACE}; ip route add 100.64.0.0/10 dev {INTERFACE}
             ip addr add {v6}/128 dev {INTERFACE} nodad; ip route add fd7a:115c:a1e0::/48 dev {INTERFACE}"
        ));
    }

    fn addresses(&self) -> Vec<Prefix> {
        vec![Prefix::host(self.v4), Prefix::host(self.v6)]
    }

    fn as_peer(&self, reach: Reach) -> Peer {
        let endpoint = SocketAddr::new(self.outer, self.data.udp_port);
        Peer {
            id: self.id,
            name: format!("node{}", self.id.0),
            key: self.node.public(),
            disco: self.disco.public(),
            addresses: self.addresses(),
            allowed_ips: self.addresses(),
            endpoints: match reach {
                Reach::Direct => vec![endpoint],
                Reach::Relay => Vec::new(),
            },
            home_relay: match reach {
                Reach::Direct => RegionId(0),
                Reach::Relay => REGION,
            },
            cap_map: std::collections::BTreeMap::default(),
            expired: false,
            key_expiry: None,
        }
    }
}

impl Pair {
    /// Two nodes that know each other and allow everything.
    pub(crate) fn new(a: Offloads, b: Offloads, reach: Reach) -> Option<Self> {
        let (near, far) = (Namespace::new()?, Namespace::new()?);
        near.sh(&format!(
            "ip link add eth0 type veth peer name eth0 netns {}
             ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up",
            far.task
        ));
        far.sh("ip addr add 192.0.2.2/24 dev eth0; ip link set eth0 up");
        let pair = Self {
            a: Side::new(1, near, a),
            b: Side::new(2, far, b),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
        };
        pair.publish(reach, &[allow_all()]);
        Some(pair)
    }

    /// The first node's process starts anew; nobody tells the second.
    pub(crate) fn restart_first(&mut self, reach: Reach) {
        self.send(&self.a, Command::Shutdown);
        Self::until_closed(&self.runtime, &mut self.a.data.notices);
        let a = &mut self.a;
        a.disco = DiscoSecret::from_bytes([77; 32]);
        a.data = start(&a.ns, &a.node, &a.disco, a.outer, Offloads::default());
        a.set_addresses();
        self.tell(&self.a, &self.b, reach, &[allow_all()]);
    }

    pub(crate) fn with_all_offloads(reach: Reach) -> Option<Self> {
        Self::new(Offloads::default(), Offloads::default(), reach)
    }

    /// Gives both a netmap with this filter.
    pub(crate) fn publish(&self, reach: Reach, filter: &[FilterRule]) {
        self.tell(&self.a, &self.b, reach, filter);
        self.tell(&self.b, &self.a, reach, filter);
    }

    fn tell(&self, own: &Side, peer: &Side, reach: Reach, filter: &[FilterRule]) {
        let netmap = Arc::new(Netmap {
            addresses: own.addresses(),
            key_expiry: None,
            expired: false,
            peers: [(peer.id, Arc::new(peer.as_peer(reach)))].into(),
            filter: filter.to_owned(),
            relay_map: relay_map(reach),
        });
        let wall = Clock::system().wall();
        self.send(own, Command::SetNetmap { netmap, wall });
    }

    pub(crate) fn send(&self, side: &Side, command: Command) {
        let sent = self.runtime.block_on(side.data.commands.send(command));
        sent.expect("the data thread runs");
    }

    /// Asks one side something and waits for the answer.
    pub(crate) fn ask<T>(
        &self,
        side: &Side,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> T {
        let (reply, answer) = oneshot::channel();
        self.send(side, command(reply));
        self.runtime
            .block_on(async { timeout(PATIENCE, answer).await })
            .expect("an answer in time")
            .expect("an answer")
    }

    pub(crate) fn status(&self, side: &Side) -> Status {
        self.ask(side, |reply| Command::Status { reply })
    }

    /// Everything that arrives until the queue is closed.
    pub(crate) fn until_closed<T>(runtime: &Runtime, queue: &mut mpsc::Receiver<T>) -> Vec<T> {
        let all = async {
            let mut all = Vec::new();
            while let Some(one) = queue.recv().await {
                all.push(one);
            }
            all
        };
        runtime
            .block_on(async { timeout(PATIENCE, all).await })
            .expect("the data thread ends in time")
    }
}

fn start(
    ns: &Namespace,
    node: &NodeSecret,
    disco: &DiscoSecret,
    outer: IpAddr,
    offloads: Offloads,
) -> DataHandle {
    let clock = Clock::system();
    let until = clock.now() + PATIENCE;
    loop {
        let config = Config {
            interface: INTERFACE.into(),
            mtu: 1280,
            udp_port: 41641,
            node: node.clone(),
            disco: disco.clone(),
            addresses: vec![outer],
            mark: 0,
        };
        match ns.run(move || spawn_with(config, offloads)) {
            // A child that another test starts holds every descriptor until it runs its program.
            Err(e) if e.kind() == ErrorKind::ResourceBusy && clock.now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            started => return started.unwrap(),
        }
    }
}

pub(crate) fn allow_all() -> FilterRule {
    FilterRule {
        src_ips: vec!["*".into()],
        dst_ports: vec![DstPorts {
            ip: "*".into(),
            ports: PortRange::ANY,
        }],
        ..FilterRule::default()
    }
}

fn relay_map(reach: Reach) -> RelayMap {
    let region = Region {
        region_id: REGION,
        nodes: vec![RelayHost {
            name: "900a".into(),
            region_id: REGION,
            host_name: "relay.test".into(),
            ..RelayHost::default()
        }],
        ..Region::default()
    };
    RelayMap {
        regions: match reach {
            Reach::Direct => std::collections::BTreeMap::default(),
            Reach::Relay => [(REGION, region)].into(),
        },
        ..RelayMap::default()
    }
}
