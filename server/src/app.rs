//! The composition root: everything that is shared, made once.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use tokio::{sync::watch, task::JoinError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;
use wire::{MachineSecret, relay_map::RelayMap};
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    config::Config,
    control::pending::Pending,
    db::{Reason, Store, connect, holds_secrets},
    error::Error,
    http::{install::Download, scope},
    lifecycle::DirLock,
    relay::{Admission, Relay, stun},
    rng::Rng,
    secret::Vault,
    telemetry::Metrics,
    tenancy::{Deps, Hub},
    tls::Certificates,
};

/// What every part of the server shares.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub config: Config,
    /// The database.
    pub db: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Rng,
    /// Hashes and seals credentials.
    pub vault: Arc<Vault>,
    /// The server's own keys.
    pub keys: ServerKeys,
    /// Live tenants.
    pub hub: Hub,
    /// Machines that wait for a person.
    pub pending: Pending,
    /// Who may use the relay.
    pub admission: Admission,
    /// The relays that nodes are told of; empty until the relay's place is known.
    pub relay_map: watch::Sender<Arc<RelayMap>>,
    /// The relay of this process; `None`: it is switched off.
    pub relay: Option<Arc<Relay>>,
    /// What the STUN service did so far.
    pub stun: stun::Counters,
    /// The certificates of the listeners, and what others are told of them.
    pub certificates: Certificates,
    /// The agent that machines install; `None`: there is none to give.
    pub install: Option<Download>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What runs in the background.
    pub tasks: TaskTracker,
    /// Ends what runs in the background.
    pub stop: CancellationToken,
    _lock: DirLock,
}

/// The server's own keys.
#[derive(Debug)]
pub struct ServerKeys {
    /// What nodes know the server by.
    pub noise: MachineSecret,
}

impl App {
    /// Takes the data directory for this process, opens key file and database,
    /// and makes what is missing. Nothing listens yet.
    pub async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        let dir = config.data_dir();
        crate::lifecycle::prepare_data_dir(&dir)?;
        let lock = DirLock::take(&dir)?;
        let rng = Rng;
        let vault = Arc::new(open_vault(&config, &dir.join(KEY_FILE), rng).await?);
        let db = connect(
            &config.database_url(),
            Arc::clone(&clock),
            rng,
            Arc::clone(&vault),
        )
        .await?;
        let (keys, relay_secret) = server_keys(&db, &dir).await?;
        let certificates =
            Certificates::prepare(&config, clock.now()).context("preparing the certificates")?;
        let (admission, tasks, stop) = (
            Admission::new(),
            TaskTracker::new(),
            CancellationToken::new(),
        );
        let relay_map = watch::Sender::new(Arc::new(RelayMap::default()));
        let hub = Hub::new(Deps {
            db: db.clone(),
            clock: Arc::clone(&clock),
            admission: admission.clone(),
            relay_map: relay_map.subscribe(),
            dns_suffix: config.tenancy.dns_suffix.clone(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let relay = config
            .relay
            .enabled
            .then(|| start_relay(&relay_secret, admission.clone(), &config, rng));
        Ok(Arc::new(Self {
            install: agent_to_give(&config),
            config,
            db,
            clock,
            rng,
            vault,
            keys,
            hub,
            pending: Pending::default(),
            admission,
            relay_map,
            relay,
            stun: stun::Counters::default(),
            certificates,
            metrics: Arc::default(),
            tasks,
            stop,
            _lock: lock,
        }))
    }
}

impl App {
    /// Does `work` to its end, also when whoever asked for it goes away
    /// meanwhile: what is committed must be told to the tenant's nodes.
    pub async fn finish<F>(&self, work: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let work = scope::carried(work).in_current_span();
        match self
            .tasks
            .spawn(work)
            .await
            .map_err(JoinError::try_into_panic)
        {
            Ok(done) => done,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is going down, and this task with it.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

/// A key file is made for a new database only.
async fn open_vault(config: &Config, key_file: &Path, rng: Rng) -> Result<Vault> {
    let in_use = match config.sqlite_file() {
        _ if key_file.exists() => true,
        Some(file) => file.exists(),
        None => holds_secrets(&config.database_url()).await?,
    };
    Vault::open(key_file, in_use, rng)
}

fn start_relay(secret: &[u8; 32], admission: Admission, config: &Config, rng: Rng) -> Arc<Relay> {
    let host = config.relay_host();
    let bootstrap = host.parse().map(|ip| (host.clone(), vec![ip]));
    Relay::start(
        *secret,
        admission,
        bootstrap.into_iter().collect(),
        Box::new(move |bytes| rng.fill(bytes)),
    )
}

fn agent_to_give(config: &Config) -> Option<Download> {
    let install = &config.install;
    match (&install.agent, &install.agent_url, &install.agent_sha256) {
        (Some(file), _, _) => Some(Download::file(file.clone())),
        (None, Some(url), Some(sha256)) => Some(Download::elsewhere(url.clone(), sha256.clone())),
        _ => Download::found(),
    }
}

/// The key of everything secret in the database, in the data directory.
pub const KEY_FILE: &str = "vault.key";

async fn server_keys(db: &Store, dir: &Path) -> Result<(ServerKeys, Zeroizing<[u8; 32]>)> {
    let load = |name: &'static str| {
        db.write_system(Reason::Start, move |rows| async move {
            rows.ensure_secret(name).await
        })
    };
    let context = || {
        format!(
            "the server's keys cannot be opened with {}",
            dir.join(KEY_FILE).display()
        )
    };
    let noise = load("noise").await.map_err(cause).with_context(context)?;
    let relay = load("relay").await.map_err(cause).with_context(context)?;
    let keys = ServerKeys {
        noise: MachineSecret::from_bytes(*noise),
    };
    Ok((keys, relay))
}

/// The private side of an error, for the operator.
fn cause(e: Error) -> anyhow::Error {
    if let Error::Internal(cause) | Error::Unavailable(cause) = e {
        cause
    } else {
        e.into()
    }
}
