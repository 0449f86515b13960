//! The server under test: the real router on a real database, a clock that
//! tests set, and people who use it.
//!
//! ```text
//! let app = TestApp::new().await;
//! let acme = app.tenant("acme").await;
//! let ada = app.member(acme, "ada", Role::Owner).await;
//! ada.gets(&NodesPath { tenant: acme }.to_path()).await.ok::<Vec<Node>>();
//! ```

use std::{
    panic::panic_any,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use axum::Router;
use tempfile::TempDir;
use wire::{
    CapabilityVersion, MachineKey, NodeId, NodeKey, TenantId, Timestamp,
    api::{Role, me::Actor, session::RedeemLink},
    control::Hostinfo,
};

use crate::{
    act,
    app::App,
    clock::{Clock, ManualClock, SystemClock},
    config::Config,
    db::{self, NewNode, Node, NodeOwner, dump},
    http::router,
    login,
    tenancy::{Changed, Report},
};

mod answer;
pub(crate) mod log;
pub(crate) mod pebble;
mod persona;
pub(crate) mod postgres;

pub(crate) use answer::Answer;
pub(crate) use persona::Persona;
use postgres::database;

/// The server of one test.
pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) router: Router,
    keys: AtomicU32,
    log: log::Guard,
    dir: TempDir,
    database: Option<postgres::Database>,
}

/// Who acts at the server's own shell in tests.
pub(crate) fn operator() -> Actor {
    Actor::LocalAdmin {
        login: "root".to_owned(),
    }
}

/// When tests start.
const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

impl TestApp {
    /// On `SQLite`, plain HTTP on loopback.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// As [`Self::new`], with another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build("info", None, change).await
    }

    /// One on `SQLite`; everything is logged, down to the last detail.
    pub(crate) async fn talkative() -> Self {
        Self::build("trace", None, |_| {}).await
    }

    /// As [`Self::talkative`], on PostgreSQL where it is installed.
    pub(crate) async fn talkative_on_postgres() -> Option<Self> {
        Some(Self::build("trace", Some(database()?), |_| {}).await)
    }

    /// One on each database there is here.
    pub(crate) async fn on_each_database() -> Vec<Self> {
        let mut all = vec![Self::new().await];
        if let Some(database) = database() {
            all.push(Self::build("info", Some(database), |_| {}).await);
        }
        all
    }

    async fn build(
        filter: &str,
        database: Option<postgres::Database>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let log = log::Guard::install(filter);
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config {
            data_dir: Some(dir.path().join("data")),
            ..Config::default()
        };
        config.database.url = database.as_ref().map(postgres::Database::url);
        change(&mut config);
        let clock = Arc::new(TestClock::new());
        let as_clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
        let app = App::build(config, as_clock).await.unwrap();
        app.hub.start().await.unwrap();
        Self {
            router: router::main(&app),
            app,
            clock,
            keys: AtomicU32::new(1),
            log,
            dir,
            database,
        }
    }

    /// A tenant without members.
    pub(crate) async fn tenant(&self, slug: &str) -> TenantId {
        let name = format!("{slug} incorporated");
        let slug = slug.parse().unwrap();
        act::tenant::create(&self.app, &operator(), &slug, &name)
            .await
            .unwrap()
            .id
    }

    /// Somebody without a session.
    pub(crate) fn visitor(&self) -> Persona {
        Persona::new(self.router.clone())
    }

    /// A member `name@TENANT.example`, signed in.
    pub(crate) async fn member(&self, tenant: TenantId, name: &str, role: Role) -> Persona {
        let slug = act::tenant::get(&self.app, tenant).await.unwrap().slug;
        let email = format!("{name}@{slug}.example");
        self.member_called(tenant, &email, role).await
    }

    /// A member with this e-mail address, signed in.
    pub(crate) async fn member_called(&self, tenant: TenantId, email: &str, role: Role) -> Persona {
        let email = email.parse().unwrap();
        let user = act::user::create(&self.app, &operator(), tenant, &email, "", role)
            .await
            .unwrap();
        let mut persona = self.visitor();
        persona.user = user.id;
        persona.email = user.email;
        let link = login::login_link(&self.app, &operator(), &email)
            .await
            .unwrap();
        persona.redeems(token_of(&link.url)).await.done();
        persona
    }

    /// A machine that has joined.
    pub(crate) async fn node(&self, tenant: TenantId, name: &str, owner: NodeOwner) -> Node {
        self.node_that(tenant, name, owner, |_| {}).await
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// All rows of a tenant, as text.
    pub(crate) async fn dump(&self, tenant: TenantId) -> String {
        let rows = self.app.db.tenant(tenant).await.unwrap();
        let mut audit = Vec::new();
        let mut cursor = None;
        loop {
            let page = rows.audit_page(cursor.as_deref()).await.unwrap();
            audit.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let nodes = rows.nodes().await.unwrap();
        let nodes: Vec<_> = nodes
            .into_iter()
            .map(|node| Node {
                presence: db::PresenceRow::default(),
                ..node
            })
            .collect();
        format!(
            "{:#?}",
            (
                rows.tenant().await.unwrap(),
                rows.users().await.unwrap(),
                rows.auth_keys().await.unwrap(),
                rows.policy_revisions().await.unwrap(),
                rows.invites().await.unwrap(),
                nodes,
                rows.routes().await.unwrap(),
                audit,
            )
        )
    }

    /// All that the database holds: the files of `SQLite`, with what is not
    /// checkpointed yet, or every row of PostgreSQL as its owner sees it.
    pub(crate) async fn stored(&self) -> Vec<u8> {
        if let Some(database) = &self.database {
            return dump::rows_of(&database.url()).await.into_bytes();
        }
        let data = self.dir.path().join("data");
        let parts = ["warren.db", "warren.db-wal"].map(|file| data.join(file));
        let parts = parts.map(|file| std::fs::read(file).unwrap_or_default());
        assert!(!parts[0].is_empty());
        parts.concat()
    }

    /// What a machine reports of itself.
    pub(crate) async fn reports(&self, tenant: TenantId, node: NodeId, report: Report) {
        self.app.hub.report(tenant, node, report).await.unwrap();
    }

    /// A machine that has joined, with something else about it.
    pub(crate) async fn node_that(
        &self,
        tenant: TenantId,
        name: &str,
        owner: NodeOwner,
        change: impl FnOnce(&mut NewNode),
    ) -> Node {
        let mut key = [0; 32];
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        key[..4].copy_from_slice(&number.to_be_bytes());
        let mut new = NewNode {
            name: name.parse().unwrap(),
            machine_key: MachineKey::from_bytes(key),
            node_key: NodeKey::from_bytes(key),
            key_expiry: matches!(owner, NodeOwner::User(_))
                .then(|| self.clock.now().plus(Duration::from_hours(24 * 180))),
            owner,
            approved: true,
            ephemeral: false,
            joined_by: Actor::Server,
            capability: CapabilityVersion::MINIMUM,
            hostinfo: Hostinfo {
                os: "linux".to_owned(),
                ..Hostinfo::default()
            },
        };
        change(&mut new);
        let write = self.app.db.write(
            tenant,
            move |rows| async move { rows.create_node(&new).await },
        );
        let node = write.await.unwrap();
        self.app.hub.changed(tenant, Changed::Node(node.id)).await;
        node
    }
}

/// One second less.
pub(crate) fn almost(time: Duration) -> Duration {
    time.saturating_sub(Duration::from_secs(1))
}

/// The secret at the end of a one-time link.
pub(crate) fn token_of(url: &str) -> RedeemLink {
    let (_, token) = url.split_once('#').unwrap();
    RedeemLink {
        token: token.to_owned(),
        display_name: None,
        email: None,
        tenant_name: None,
    }
}

/// A clock that tests set, and that can be made to fail whoever asks it: the
/// way to a panic in the middle of real code.
#[derive(Debug)]
pub(crate) struct TestClock {
    wall: ManualClock,
    start: Instant,
    /// How many more may ask before the trap springs; `u32::MAX`: no trap is set.
    asks_left: AtomicU32,
}

impl TestClock {
    fn new() -> Self {
        Self {
            wall: ManualClock::new(START),
            start: SystemClock.instant(),
            asks_left: AtomicU32::new(u32::MAX),
        }
    }

    pub(crate) fn wall_now(&self) -> Timestamp {
        self.wall.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.wall.advance(by);
    }

    /// Lets `asks` more through, then panics once.
    pub(crate) fn panic_after(&self, asks: u32) {
        self.asks_left.store(asks, Ordering::SeqCst);
    }

    /// Takes the trap away; whether it had sprung.
    pub(crate) fn disarm(&self) -> bool {
        self.asks_left.swap(u32::MAX, Ordering::SeqCst) == u32::MAX
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        match self.asks_left.load(Ordering::SeqCst) {
            u32::MAX => {}
            0 => {
                self.asks_left.store(u32::MAX, Ordering::SeqCst);
                panic_any("injected");
            }
            left => self.asks_left.store(left - 1, Ordering::SeqCst),
        }
        self.wall.now()
    }

    fn instant(&self) -> Instant {
        self.start + self.wall.now().since(START)
    }
}
