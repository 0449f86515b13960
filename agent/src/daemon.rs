//! The daemon: one task owns everything and hears everybody.
//!
//! The data thread, the control session, a login and the local API each speak
//! to it through a queue of their own; what a part says after it was replaced
//! is not heard, for its queue is gone with it.

use std::{future::pending, time::Duration};

use anyhow::Context as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use wire::Timestamp;

use crate::{
    clock::Clock,
    config::{Config, Environment},
    control::{NetMap, Presence, session},
    local_api::{
        Reply,
        server::{Call, Server},
    },
    state::{StateDir, Stored, our_uid},
    telemetry::Recent,
    tls::Tls,
};

mod answers;
mod engine;
mod entry;
mod host;
mod keeper;
mod membership;
mod notices;
mod plan;
mod ready;
mod report;
mod serve;
mod status;
mod told;
mod waiting;

use engine::Engine;
use entry::Entry;
use keeper::Keeper;
use plan::Standing;

/// Calls and session events that wait to be handled.
const QUEUE: usize = 64;
/// Changes of paths are reported together.
const PATHS: Duration = Duration::from_secs(1);

/// The control session and its queue.
#[derive(Debug)]
struct Session {
    events: mpsc::Receiver<session::Event>,
    handle: session::Handle,
    _task: AbortOnDropHandle<()>,
}

/// Everything.
#[derive(Debug)]
struct Daemon {
    config: Config,
    tls: Tls,
    clock: Clock,
    recent: Recent,
    dir: StateDir,
    stored: Stored,
    keeper: Keeper,
    presence: watch::Sender<Presence>,
    engine: Option<Engine>,
    session: Option<Session>,
    entry: Option<Entry>,
    map: Option<NetMap>,
    standing: Standing,
    /// The server's clock minus ours, in microseconds.
    skew: i64,
    connected: bool,
    trouble: Option<String>,
    sign_in: Option<String>,
    /// Callers of `up` who wait.
    waiting: Vec<mpsc::Sender<Reply>>,
    paths_due: Option<Instant>,
}

/// Why the loop ends.
enum End {
    Signal,
    DataThread,
}

/// Runs the daemon until it is told to stop.
pub fn run(config: Config, environment: &Environment, recent: Recent) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(main(config, environment, recent));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn main(config: Config, environment: &Environment, recent: Recent) -> anyhow::Result<()> {
    let dir = StateDir::open(&config.state_dir)?;
    let stored = dir.load(Stored::new)?;
    let server = Server::bind(&config.socket, our_uid()?)?;
    let tls = Tls::new(environment.ca_file.as_deref());
    let mut daemon = Daemon::new(config, tls, recent, dir, stored);
    let (calls, call_queue) = mpsc::channel(QUEUE);
    let _api = AbortOnDropHandle::new(tokio::spawn(server.run(calls)));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "warren daemon started");
    if daemon.stored.want_up {
        daemon.resume().await;
    }
    ready::tell(environment.notify_socket.as_deref(), "READY=1");
    let end = daemon.run(call_queue).await?;
    ready::tell(environment.notify_socket.as_deref(), "STOPPING=1");
    daemon.shut_down().await;
    match end {
        End::Signal => Ok(()),
        End::DataThread => anyhow::bail!("the data thread has ended; the interface is down"),
    }
}

impl Daemon {
    fn new(config: Config, tls: Tls, recent: Recent, dir: StateDir, stored: Stored) -> Self {
        Self {
            keeper: Keeper::new(dir.netmap_file()),
            config,
            tls,
            clock: Clock::system(),
            recent,
            dir,
            stored,
            presence: watch::Sender::new(Presence::default()),
            engine: None,
            session: None,
            entry: None,
            map: None,
            standing: Standing::Good,
            skew: 0,
            connected: false,
            trouble: None,
            sign_in: None,
            waiting: Vec::new(),
            paths_due: None,
        }
    }

    async fn run(&mut self, mut calls: mpsc::Receiver<Call>) -> anyhow::Result<End> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        loop {
            tokio::select! {
                _ = terminate.recv() => return Ok(End::Signal),
                _ = interrupt.recv() => return Ok(End::Signal),
                Some(call) = calls.recv() => self.handle_call(call).await,
                heard = engine_news(self.engine.as_mut()) => match heard {
                    EngineNews::Notice(notice) => self.handle_notice(notice).await,
                    EngineNews::Network(network) => self.handle_network(network).await,
                    EngineNews::Name(name, addresses) => self.handle_name(name, addresses).await,
                    EngineNews::Ended => return Ok(End::DataThread),
                },
                event = session_event(self.session.as_mut()) => self.handle_session(event).await,
                news = entry_news(self.entry.as_mut()) => self.handle_entry(news).await,
                () = at(self.keeper.due()) => self.keep().await,
                () = at(self.paths_due) => self.report_paths().await,
            }
        }
    }

    /// What time it is by the server's clock, as far as it is known.
    fn wall(&self) -> Timestamp {
        let own = self.clock.wall().unix_micros();
        Timestamp::from_unix_micros(own.saturating_add(self.skew))
    }

    /// Writes the netmap, if it has changed, without holding up the loop.
    async fn keep(&mut self) {
        self.keeper.save(self.map.as_ref()).await;
    }

    async fn shut_down(mut self) {
        self.session = None;
        self.entry = None;
        if let Some(engine) = self.engine.take() {
            engine.stop().await;
        }
        self.keep().await;
        self.keeper.finish().await;
        tracing::info!("warren daemon stopped");
    }
}

enum EngineNews {
    Notice(crate::data::Notice),
    Network(crate::io::monitor::Network),
    Name(String, Vec<std::net::IpAddr>),
    Ended,
}

async fn engine_news(engine: Option<&mut Engine>) -> EngineNews {
    let Some(engine) = engine else {
        return pending().await;
    };
    tokio::select! {
        notice = engine.notices.recv() => notice.map_or(EngineNews::Ended, EngineNews::Notice),
        Some(network) = engine.network.recv() => EngineNews::Network(network),
        Some((name, addresses)) = engine.names.recv() => EngineNews::Name(name, addresses),
    }
}

/// `None`: the session's task is gone.
async fn session_event(session: Option<&mut Session>) -> Option<session::Event> {
    match session {
        Some(session) => session.events.recv().await,
        None => pending().await,
    }
}

async fn entry_news(entry: Option<&mut Entry>) -> entry::News {
    match entry {
        Some(entry) => entry.news().await,
        None => pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
