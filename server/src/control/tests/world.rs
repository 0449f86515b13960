//! A server on loopback, its clock, and tenants.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use wire::{
    AuthKeyId, NodeKey, TenantId, Timestamp, UserId,
    api::{Role, audit::AuditRecord, me::Actor, tenant::Settings},
};

use crate::{
    app::App,
    clock::{Clock, ManualClock},
    config::{Config, load_from},
    control,
    db::{self, NewAuthKey, Reason},
    http::{
        accept::{Door, Patience},
        gate::{Caps, Gate},
        layers::{Observer, observe},
    },
    secret::token,
};

/// A running server.
pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) address: SocketAddr,
    dir: TempDir,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

/// A tenant and its owner.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) user: UserId,
    pub(super) email: String,
}

impl Tenant {
    pub(super) fn owner(&self) -> Actor {
        Actor::User {
            email: self.email.clone(),
        }
    }
}

/// What an auth key is made with.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyTerms {
    pub(super) reusable: bool,
    pub(super) ephemeral: bool,
    pub(super) preapproved: bool,
    pub(super) tags: Vec<&'static str>,
}

impl World {
    pub(super) async fn start() -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        Self::open(tempfile::tempdir().unwrap(), Arc::new(clock), None).await
    }

    /// As [`Self::start`], on the database of this URL.
    pub(super) async fn start_on(url: String) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        Self::open(tempfile::tempdir().unwrap(), Arc::new(clock), Some(url)).await
    }

    async fn open(dir: TempDir, clock: Arc<ManualClock>, database: Option<String>) -> Self {
        let as_clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let mut config = config(&dir);
        config.database.url = database;
        let app = App::build(config, as_clock).await.unwrap();
        app.hub.start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let observer = Observer {
            metrics: Arc::clone(&app.metrics),
            trusted: Vec::new().into(),
        };
        let layer = axum::middleware::from_fn_with_state(observer, observe);
        let door = Door {
            listener,
            tls: None,
            router: control::router(Arc::clone(&app)).layer(layer),
            gate: Gate::new(Caps {
                total: 1000,
                per_network: 1000,
                trusted: Vec::new(),
            }),
            patience: Patience::default(),
        };
        let stop = CancellationToken::new();
        Self {
            served: tokio::spawn(door.serve(stop.clone())),
            app,
            clock,
            address,
            dir,
            stop,
        }
    }

    /// Ends the server and starts it again on the same data.
    pub(super) async fn restart(self) -> Self {
        let Self {
            app,
            clock,
            dir,
            stop,
            served,
            ..
        } = self;
        app.stop.cancel();
        stop.cancel();
        served.await.unwrap();
        app.tasks.close();
        let ended = tokio::time::timeout(Duration::from_secs(10), app.tasks.wait());
        ended.await.expect("everything ends when told to");
        let (alive, end) = (Arc::downgrade(&app), Duration::from_secs(10));
        let database = app.config.database.url.clone();
        drop(app);
        let gone = async {
            while alive.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = tokio::time::timeout(end, gone);
        ended.await.expect("nobody keeps the server's state");
        Self::open(dir, clock, database).await
    }

    pub(super) async fn tenant(&self, slug: &str) -> Tenant {
        let name: wire::name::TenantSlug = slug.parse().unwrap();
        let email = format!("ada@{slug}.example");
        let (id, user) = self
            .app
            .db
            .write_system(Reason::Setup, {
                let email = email.parse().unwrap();
                move |rows| async move {
                    let tenant = rows.create_tenant(&name, "A tenant").await?;
                    let account = rows.ensure_account(&email, "Ada \"Lovelace\"").await?;
                    let scoped = rows.enter(tenant.id).await?;
                    let user = scoped.create_user(account.id, Role::Owner).await?;
                    let by = Actor::Server;
                    scoped
                        .create_policy_revision(&by, "start", policy::STARTER)
                        .await?;
                    Ok((tenant.id, user.id))
                }
            })
            .await
            .unwrap();
        Tenant { id, user, email }
    }

    /// One more member.
    pub(super) async fn member(&self, tenant: &Tenant, email: &str, role: Role) -> Tenant {
        let (id, address) = (tenant.id, email.parse().unwrap());
        let user = self
            .app
            .db
            .write_system(Reason::Setup, move |rows| async move {
                let account = rows.ensure_account(&address, "Bob").await?;
                rows.enter(id).await?.create_user(account.id, role).await
            })
            .await
            .unwrap();
        Tenant {
            id,
            user: user.id,
            email: email.to_owned(),
        }
    }

    /// The secret of a new auth key, and its id.
    pub(super) async fn key(&self, tenant: &Tenant, terms: KeyTerms) -> (String, AuthKeyId) {
        let secret = token::generate(token::Kind::Auth, self.app.rng);
        let new = NewAuthKey {
            description: String::new(),
            prefix: token::shown_prefix(&secret),
            secret_hash: self.app.vault.hash(&secret),
            user: tenant.user,
            reusable: terms.reusable,
            ephemeral: terms.ephemeral,
            preapproved: terms.preapproved,
            tags: terms.tags.iter().map(|t| t.parse().unwrap()).collect(),
            expires: self.clock.now().plus(Duration::from_hours(24)),
        };
        let made = self
            .app
            .db
            .write(tenant.id, move |rows| async move {
                rows.create_auth_key(&new).await
            })
            .await
            .unwrap();
        (secret, made.id)
    }

    pub(super) async fn uses(&self, tenant: &Tenant, key: AuthKeyId) -> u64 {
        let rows = self.app.db.tenant(tenant.id).await.unwrap();
        rows.auth_key(key).await.unwrap().uses
    }

    pub(super) async fn set(&self, tenant: &Tenant, settings: Settings) {
        self.app
            .db
            .write(tenant.id, move |rows| async move {
                rows.update_tenant("A tenant", &settings).await
            })
            .await
            .unwrap();
    }

    pub(super) async fn policy(&self, tenant: &Tenant, document: &'static str) {
        self.app
            .db
            .write(tenant.id, move |rows| async move {
                let by = Actor::Server;
                rows.create_policy_revision(&by, "test", document).await
            })
            .await
            .unwrap();
    }

    pub(super) async fn nodes(&self, tenant: &Tenant) -> Vec<db::Node> {
        let rows = self.app.db.tenant(tenant.id).await.unwrap();
        rows.nodes().await.unwrap()
    }

    /// The node with this key, wherever it is.
    pub(super) async fn node(&self, key: NodeKey) -> Option<db::Node> {
        let rows = self.app.db.system(Reason::Directory).await.unwrap();
        let (tenant, id) = rows.find_node_by_key(&key).await.unwrap()?;
        rows.enter(tenant)
            .await
            .unwrap()
            .find_node(id)
            .await
            .unwrap()
    }

    /// The names of a tenant's audit records, oldest first.
    pub(super) async fn audit(&self, tenant: &Tenant) -> Vec<AuditRecord> {
        let rows = self.app.db.tenant(tenant.id).await.unwrap();
        let mut items = rows.audit_page(None).await.unwrap().items;
        items.reverse();
        items
    }
}

fn config(dir: &TempDir) -> Config {
    let text = format!("data_dir = {:?}", dir.path().join("data"));
    load_from(&text, []).unwrap()
}
