//! The composition root: everything that is shared, made once.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use link::relay::RelaySecret;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{MachineSecret, relay_map::RelayMap};

use crate::{
    clock::Clock,
    config::Config,
    db::{Reason, Store, connect},
    error::Error,
    relay::Admission,
    rng::Rng,
    secret::Vault,
    tenancy::{Deps, Hub},
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
    /// Who may use the relay.
    pub admission: Admission,
    /// The relays that nodes are told of; empty until the relay's place is known.
    pub relay_map: watch::Sender<Arc<RelayMap>>,
    /// What runs in the background.
    pub tasks: TaskTracker,
    /// Ends what runs in the background.
    pub stop: CancellationToken,
}

/// The server's own keys.
#[derive(Debug)]
pub struct ServerKeys {
    /// What nodes know the server by.
    pub noise: MachineSecret,
    /// What nodes know the relay by.
    pub relay: RelaySecret,
}

impl App {
    /// Opens the data directory's key file and the database, and makes what is missing.
    pub async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        let dir = config.data_dir();
        crate::lifecycle::prepare_data_dir(&dir)?;
        let rng = Rng;
        let exists = config.sqlite_file().is_some_and(|file| file.exists());
        let vault = Arc::new(Vault::open(&dir.join(KEY_FILE), exists, rng)?);
        let db = connect(
            &config.database_url(),
            Arc::clone(&clock),
            rng,
            Arc::clone(&vault),
        )
        .await?;
        let keys = server_keys(&db, &dir).await?;
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
        Ok(Arc::new(Self {
            config,
            db,
            clock,
            rng,
            vault,
            keys,
            hub,
            admission,
            relay_map,
            tasks,
            stop,
        }))
    }
}

/// The key of everything secret in the database, in the data directory.
pub const KEY_FILE: &str = "vault.key";

async fn server_keys(db: &Store, dir: &Path) -> Result<ServerKeys> {
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
    Ok(ServerKeys {
        noise: MachineSecret::from_bytes(*noise),
        relay: RelaySecret::from_bytes(*relay),
    })
}

/// The private side of an error, for the operator.
fn cause(e: Error) -> anyhow::Error {
    if let Error::Internal(cause) | Error::Unavailable(cause) = e {
        cause
    } else {
        e.into()
    }
}
