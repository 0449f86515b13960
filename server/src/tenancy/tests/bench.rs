//! A hub on a database of its own.

use tempfile::TempDir;
use wire::{
    MachineKey,
    api::{Role, me::Actor},
};

use super::*;
use crate::{
    clock::ManualClock,
    db::{NewNode, Node, Store, Tenant, TenantRows, User, connect},
    rng::Rng,
    secret::Vault,
};

pub(super) struct Bench {
    pub(super) hub: Hub,
    pub(super) deps: Deps,
    pub(super) admission: Admission,
    pub(super) clock: Arc<ManualClock>,
    pub(super) tenant: Tenant,
    pub(super) user: User,
    relay_map: Arc<watch::Sender<Arc<RelayMap>>>,
    dir: Arc<TempDir>,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(
            1_800_000_000,
        )));
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("t.db").display());
        let as_clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let vault = Arc::new(Vault::new([7; 32]));
        let db = connect(&url, Arc::clone(&as_clock), Rng, vault)
            .await
            .unwrap();
        let relay_map = Arc::new(watch::Sender::new(Arc::default()));
        let deps = Deps {
            db: db.clone(),
            clock: as_clock,
            admission: Admission::new(),
            relay_map: relay_map.subscribe(),
            dns_suffix: "example.net".into(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let (tenant, user) = tenant(&db, "acme", "Acme").await;
        Self {
            hub: Hub::new(deps.clone()),
            admission: deps.admission.clone(),
            deps,
            clock,
            tenant,
            user,
            relay_map,
            dir,
        }
    }

    /// Another tenant of the same server.
    pub(super) async fn other(&self) -> Self {
        let (tenant, user) = tenant(&self.deps.db, "globex", "Globex").await;
        Self {
            hub: self.hub.clone(),
            deps: self.deps.clone(),
            admission: self.admission.clone(),
            clock: Arc::clone(&self.clock),
            tenant,
            user,
            relay_map: Arc::clone(&self.relay_map),
            dir: Arc::clone(&self.dir),
        }
    }

    /// The same server after a restart.
    pub(super) async fn restarted(self) -> Self {
        self.deps.stop.cancel();
        self.deps.tasks.close();
        self.deps.tasks.wait().await;
        let admission = Admission::new();
        let deps = Deps {
            admission: admission.clone(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            ..self.deps
        };
        let hub = Hub::new(deps.clone());
        hub.start().await.unwrap();
        Self {
            hub,
            deps,
            admission,
            ..self
        }
    }

    pub(super) async fn join(&self, name: &str) -> Node {
        self.join_as(name, |_| {}).await
    }

    pub(super) async fn join_as(&self, name: &str, how: impl FnOnce(&mut NewNode)) -> Node {
        let mut new = NewNode {
            name: name.parse().unwrap(),
            machine_key: MachineKey::from_bytes(Rng.bytes()),
            node_key: NodeKey::from_bytes(Rng.bytes()),
            owner: NodeOwner::User(self.user.id),
            key_expiry: None,
            approved: true,
            ephemeral: false,
            joined_by: Actor::Server,
            capability: CapabilityVersion(130),
            hostinfo: Hostinfo::default(),
        };
        how(&mut new);
        let node = self
            .write(move |rows| async move { rows.create_node(&new).await })
            .await;
        self.hub
            .changed(self.tenant.id, Changed::Node(node.id))
            .await;
        node
    }

    pub(super) async fn remove(&self, node: &Node) {
        let gone = node.clone();
        self.write(move |rows| async move { rows.delete_node(&gone).await })
            .await;
        let changed = Changed::NodeRemoved {
            node: node.id,
            key: node.node_key,
        };
        self.hub.changed(self.tenant.id, changed).await;
    }

    pub(super) async fn policy(&self, text: &'static str) {
        self.write(move |rows| async move {
            rows.create_policy_revision(&Actor::Server, "a test", text)
                .await
        })
        .await;
        self.hub.changed(self.tenant.id, Changed::Policy).await;
    }

    pub(super) async fn write<T, F, Fut>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(TenantRows) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        self.deps.db.write(self.tenant.id, work).await.unwrap()
    }

    pub(super) async fn attach(
        &self,
        node: NodeId,
        compress: Compression,
        fallback: Report,
    ) -> Result<MapStream> {
        let attach = Attach {
            compress,
            version: CapabilityVersion(130),
            fallback,
        };
        self.hub.attach(self.tenant.id, node, attach).await
    }

    pub(super) async fn presence(&self, node: NodeId) -> Presence {
        let all = self.hub.presence(self.tenant.id).await;
        all.get(&node).cloned().unwrap_or_default()
    }

    /// Lets time pass; the tenant's task has seen it when this returns.
    pub(super) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        // Each command makes it look at the clock: after the first one's answer
        // the second finds what followed.
        for _ in 0..2 {
            self.hub.presence(self.tenant.id).await;
        }
    }

    /// Waits until `holds`, or says what did not come about.
    pub(super) async fn eventually<Fut>(&self, what: &str, holds: impl Fn() -> Fut)
    where
        Fut: Future<Output = bool>,
    {
        let waited = tokio::time::timeout(Duration::from_secs(10), async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(waited.await.is_ok(), "not within 10 s: {what}");
    }

    pub(super) fn relays(&self, map: RelayMap) {
        self.relay_map.send_replace(Arc::new(map));
    }
}

async fn tenant(db: &Store, slug: &str, name: &'static str) -> (Tenant, User) {
    let slug: wire::name::TenantSlug = slug.parse().unwrap();
    db.write_system(Reason::Setup, move |rows| async move {
        let tenant = rows.create_tenant(&slug, name).await?;
        let email = format!("ada@{slug}.example").parse().unwrap();
        let account = rows.ensure_account(&email, "Ada").await?;
        let scoped = rows.enter(tenant.id).await?;
        let user = scoped.create_user(account.id, Role::Owner).await?;
        scoped
            .create_policy_revision(&Actor::Server, "the first", policy::STARTER)
            .await?;
        Ok((tenant, user))
    })
    .await
    .unwrap()
}
