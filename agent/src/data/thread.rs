//! The loop: wait, take what is ready in bounded portions, drain the core, wait again.
//!
//! The kernel says again what was left over, so no source starves another and
//! none is forgotten.

use std::{io, sync::Arc};

use mesh::{
    event::{PingId, PingResult},
    netcheck::Report,
    node::{Config as NodeConfig, Node},
};
use rand::RngCore as _;
use tokio::sync::{mpsc, oneshot};

use super::{
    Command, Config, Notice, Offloads, RelaySend, alarm::Alarm, counters::Counters, outbox::Outbox,
    outputs::Outputs, relay_queue::RelayQueue, sleep::Sleep,
};
use crate::{
    clock::Clock,
    io::{
        doorbell::Bell,
        epoll::Epoll,
        tun::{MAX_FRAME, Tun, Wanted},
        udp::{Options, Sockets},
    },
};

const TOKEN_BELL: u64 = 0;
const TOKEN_ALARM: u64 = 1;
const TOKEN_TUN: u64 = 2;
const TOKEN_UDP_V4: u64 = 3;
const TOKEN_UDP_V6: u64 = 4;

/// The longest train there is.
const MAX_TRAIN: usize = 65_536;

mod drain;
mod inputs;

use inputs::Family;

/// The thread's ends of the queues.
#[derive(Debug)]
pub(super) struct Channels {
    pub(super) bell: Bell,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) notices: mpsc::Sender<Notice>,
    pub(super) relay: mpsc::Sender<RelaySend>,
    pub(super) counters: Arc<Counters>,
}

/// Everything that the thread owns.
#[derive(Debug)]
pub(super) struct DataThread {
    // Dropped first: when the closed queues tell of the thread's end, the interface is gone.
    outputs: Outputs,
    pub(super) node: Node,
    pub(super) clock: Clock,
    sleep: Sleep,
    epoll: Epoll,
    alarm: Alarm,
    pub(super) bell: Bell,
    pub(super) commands: mpsc::Receiver<Command>,
    outbox: Outbox,
    pub(super) pings: Vec<(PingId, oneshot::Sender<PingResult>)>,
    pub(super) netchecks: Vec<oneshot::Sender<Report>>,
    frame: Box<[u8]>,
    train: Box<[u8]>,
}

/// Whether the thread goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    End,
}

impl DataThread {
    pub(super) fn open(config: Config, offloads: Offloads, channels: Channels) -> io::Result<Self> {
        let clock = Clock::system();
        let tun = Tun::open(Wanted {
            name: &config.interface,
            mtu: config.mtu,
            offload: offloads.tun,
        })?;
        let sockets = Sockets::bind(Options {
            port: config.udp_port,
            mark: config.mark,
            offload: offloads.udp,
        })?;
        let alarm = Alarm::new()?;
        let epoll = Epoll::new()?;
        epoll.add(&channels.bell, TOKEN_BELL)?;
        epoll.add(alarm.file(), TOKEN_ALARM)?;
        epoll.add(&tun, TOKEN_TUN)?;
        epoll.add(&sockets.v4, TOKEN_UDP_V4)?;
        if let Some(v6) = &sockets.v6 {
            epoll.add(v6, TOKEN_UDP_V6)?;
        }
        let mut seed = [0; 32];
        rand::rngs::OsRng.fill_bytes(&mut seed);
        let mut node = NodeConfig::new(config.node, config.disco);
        node.tun_offload = tun.offload();
        let mut thread = Self {
            node: Node::new(node, seed, clock.now()),
            outputs: Outputs {
                tun,
                sockets,
                relays: RelayQueue::new(channels.relay),
                counters: channels.counters,
            },
            clock,
            sleep: Sleep::new(clock.slept()),
            epoll,
            alarm,
            bell: channels.bell,
            commands: channels.commands,
            outbox: Outbox::new(channels.notices),
            pings: Vec::new(),
            netchecks: Vec::new(),
            frame: vec![0; MAX_FRAME].into(),
            train: vec![0; MAX_TRAIN].into(),
        };
        thread.set_addresses(&config.addresses);
        Ok(thread)
    }

    pub(super) fn interface(&self) -> &str {
        self.outputs.tun.name()
    }

    pub(super) const fn udp_port(&self) -> u16 {
        self.outputs.sockets.port()
    }

    /// The whole life of the thread.
    pub(super) fn run(mut self) {
        self.drain();
        let ended = self.turn_until_the_end();
        let counters = self.outputs.counters.all();
        match ended {
            Ok(()) => tracing::debug!(?counters, "data thread ends"),
            Err(error) => tracing::error!(
                ?counters,
                interface = self.interface(),
                %error,
                "the data thread cannot go on: the TUN or the wait for it failed"
            ),
        }
    }

    fn turn_until_the_end(&mut self) -> io::Result<()> {
        loop {
            let deadlines = [
                self.node.poll_timeout().map(|(at, _)| at),
                self.outbox.poll_timeout(),
            ];
            let next = deadlines.into_iter().flatten().min();
            self.alarm.ring_by(next, self.clock)?;
            if self.turn()? == Next::End {
                return Ok(());
            }
        }
    }

    /// One wake: a portion of everything that is ready.
    fn turn(&mut self) -> io::Result<Next> {
        let ready = self.epoll.wait()?;
        self.notice_sleep();
        if ready.contains(TOKEN_ALARM) {
            self.alarm.clear();
        }
        if ready.contains(TOKEN_BELL) && self.take_commands() == Next::End {
            return Ok(Next::End);
        }
        if ready.contains(TOKEN_UDP_V4) {
            self.receive(Family::V4);
        }
        if ready.contains(TOKEN_UDP_V6) {
            self.receive(Family::V6);
        }
        if ready.contains(TOKEN_TUN) {
            self.read_tun()?;
        }
        self.handle_timeout();
        Ok(Next::GoOn)
    }

    fn handle_timeout(&mut self) {
        let now = self.clock.now();
        if self.node.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.node.handle_timeout(now);
            self.drain();
        }
        self.outbox.handle_timeout(now);
    }

    /// After a sleep of the machine nothing is known about the network.
    fn notice_sleep(&mut self) {
        let Some(slept) = self.sleep.ended(self.clock.slept()) else {
            return;
        };
        tracing::info!(?slept, "awake again");
        let now = self.clock.now();
        self.node.link_changed(now);
        self.outbox.push(Notice::Awake, now);
        self.drain();
    }
}
