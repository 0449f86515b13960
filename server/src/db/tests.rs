//! The repositories, on every database there is here.

use std::time::Duration;

use tempfile::TempDir;
use wire::{
    CapabilityVersion, MachineKey, NodeKey, Timestamp,
    api::{Role, me::Actor},
    control::Hostinfo,
};

use super::*;
use crate::{
    audit::AuditEvent,
    clock::ManualClock,
    testing::postgres::{Database, database},
};

mod cut;
mod routes;
mod walls;

/// A store and what keeps it alive.
struct Bench {
    store: Store,
    clock: Arc<ManualClock>,
    _dir: TempDir,
    _database: Option<Database>,
}

async fn open(url: &str, dir: TempDir, database: Option<Database>) -> Bench {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(
        1_800_000_000,
    )));
    let vault = Arc::new(Vault::new([7; 32]));
    let as_clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let store = connect(url, as_clock, Rng, vault).await.unwrap();
    Bench {
        store,
        clock,
        _dir: dir,
        _database: database,
    }
}

async fn sqlite() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("t.db").display());
    open(&url, dir, None).await
}

/// Each database there is here.
async fn benches() -> Vec<Bench> {
    let mut all = vec![sqlite().await];
    if let Some(database) = database() {
        let url = database.url();
        all.push(open(&url, tempfile::tempdir().unwrap(), Some(database)).await);
    }
    all
}

/// A tenant with an owner.
async fn tenant(store: &Store, slug: &str) -> (Tenant, User) {
    let slug: wire::name::TenantSlug = slug.parse().unwrap();
    store
        .write_system(Reason::Setup, move |rows| async move {
            let tenant = rows.create_tenant(&slug, "A tenant").await?;
            let email = format!("ada@{slug}.example").parse().unwrap();
            let account = rows.ensure_account(&email, "Ada").await?;
            let user = rows
                .enter(tenant.id)
                .await?
                .create_user(account.id, Role::Owner)
                .await?;
            Ok((tenant, user))
        })
        .await
        .unwrap()
}

fn new_node(n: u8, owner: NodeOwner) -> NewNode {
    NewNode {
        name: "web".parse().unwrap(),
        machine_key: MachineKey::from_bytes([n; 32]),
        node_key: NodeKey::from_bytes([n; 32]),
        owner,
        key_expiry: None,
        approved: true,
        ephemeral: false,
        joined_by: Actor::Server,
        capability: CapabilityVersion(130),
        hostinfo: Hostinfo {
            os: "linux".into(),
            ..Hostinfo::default()
        },
    }
}

async fn join(store: &Store, tenant: TenantId, new: NewNode) -> Node {
    store
        .write(
            tenant,
            move |rows| async move { rows.create_node(&new).await },
        )
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_back() {
    for bench in benches().await {
        let store = &bench.store;
        let (t, owner) = tenant(store, "acme").await;
        let a = join(store, t.id, new_node(1, NodeOwner::User(owner.id))).await;
        let tags = vec!["tag:web".parse().unwrap()];
        let b = join(store, t.id, new_node(2, NodeOwner::Tags(tags))).await;
        assert_eq!((a.name.as_str(), b.name.as_str()), ("web", "web-1"));
        assert_ne!(a.ipv4, b.ipv4);
        let rows = store.tenant(t.id).await.unwrap();
        assert_eq!(rows.nodes().await.unwrap(), [a.clone(), b.clone()]);
        assert_eq!(rows.users().await.unwrap()[0].nodes, 1);
        let found = store.system(Reason::Directory).await.unwrap();
        assert_eq!(
            found.find_node_by_key(&a.node_key).await.unwrap(),
            Some((t.id, a.id))
        );

        let seen = PresenceRow {
            home_relay: wire::relay_map::RegionId(900),
            ..a.presence.clone()
        };
        let update = vec![(a.id, seen.clone())];
        store
            .write(t.id, move |rows| async move {
                rows.store_presence(&update).await
            })
            .await
            .unwrap();
        let rows = store.tenant(t.id).await.unwrap();
        assert_eq!(rows.node(a.id).await.unwrap().presence, seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_share_a_name_are_numbered() {
    for bench in benches().await {
        let (t, owner) = tenant(&bench.store, "acme").await;
        let long = "x".repeat(63);
        let mut names = Vec::new();
        for n in 0..12 {
            let new = NewNode {
                name: long.parse().unwrap(),
                ..new_node(n, NodeOwner::User(owner.id))
            };
            names.push(join(&bench.store, t.id, new).await.name.to_string());
        }
        let stem = "x".repeat(61);
        assert_eq!(names[0], long);
        for (n, name) in names.iter().enumerate().take(10).skip(1) {
            assert_eq!(*name, format!("{stem}-{n}"));
        }
        assert_eq!(names[11], format!("{}-11", "x".repeat(60)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_off_key_lets_one_of_many_through() {
    for bench in benches().await {
        let (t, owner) = tenant(&bench.store, "acme").await;
        let new = NewAuthKey {
            description: String::new(),
            prefix: "warren_auth_x".into(),
            secret_hash: "hash".into(),
            user: owner.id,
            reusable: false,
            ephemeral: false,
            preapproved: true,
            tags: vec![],
            expires: bench.clock.now().plus(Duration::from_mins(1)),
        };
        let key = bench
            .store
            .write(
                t.id,
                move |rows| async move { rows.create_auth_key(&new).await },
            )
            .await
            .unwrap();
        let tries = (0..32).map(|_| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                store
                    .write(
                        t.id,
                        move |rows| async move { rows.use_auth_key(key.id).await },
                    )
                    .await
            })
        });
        let mut winners = 0;
        for attempt in tries {
            winners += u32::from(attempt.await.unwrap().unwrap());
        }
        assert_eq!(winners, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_unique_under_concurrency_and_rest_for_a_day() {
    for bench in benches().await {
        let (t, owner) = tenant(&bench.store, "acme").await;
        let (other, boss) = tenant(&bench.store, "globex").await;
        let joins = (1..=60_u8).map(|n| {
            let store = bench.store.clone();
            let (tenant, user) = if n % 2 == 0 {
                (t.id, owner.id)
            } else {
                (other.id, boss.id)
            };
            tokio::spawn(
                async move { join(&store, tenant, new_node(n, NodeOwner::User(user))).await },
            )
        });
        let mut nodes = Vec::new();
        for joined in joins {
            nodes.push(joined.await.unwrap());
        }
        let addresses: std::collections::BTreeSet<_> = nodes.iter().map(|n| n.ipv4).collect();
        let ids: std::collections::BTreeSet<_> = nodes.iter().map(|n| n.id).collect();
        assert_eq!((addresses.len(), ids.len()), (60, 60));

        let gone = nodes
            .into_iter()
            .find(|n| n.owner == NodeOwner::User(owner.id))
            .unwrap();
        let removed = gone.clone();
        bench
            .store
            .write(
                t.id,
                move |rows| async move { rows.delete_node(&removed).await },
            )
            .await
            .unwrap();
        let next = join(&bench.store, t.id, new_node(99, NodeOwner::User(owner.id))).await;
        assert!(!addresses.contains(&next.ipv4) && !ids.contains(&next.id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_act_leaves_nothing_and_spares_its_neighbours() {
    for bench in benches().await {
        let (t, owner) = tenant(&bench.store, "acme").await;
        let good = {
            let store = bench.store.clone();
            tokio::spawn(
                async move { join(&store, t.id, new_node(1, NodeOwner::User(owner.id))).await },
            )
        };
        let failed: Result<()> = bench
            .store
            .write(t.id, move |rows| async move {
                rows.create_node(&new_node(2, NodeOwner::User(owner.id)))
                    .await?;
                Err(Error::Forbidden)
            })
            .await;
        assert!(matches!(failed, Err(Error::Forbidden)));
        good.await.unwrap();
        let rows = bench.store.tenant(t.id).await.unwrap();
        assert_eq!(rows.nodes().await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_chain_verifies_and_refuses_edits() {
    for bench in benches().await {
        let (t, _) = tenant(&bench.store, "acme").await;
        for n in 0..5_u64 {
            let event = AuditEvent::PolicySaved {
                number: n,
                reason: "why".into(),
            };
            bench
                .store
                .write(t.id, move |rows| async move {
                    rows.record(&Actor::Server, &event).await
                })
                .await
                .unwrap();
        }
        let rows = bench.store.tenant(t.id).await.unwrap();
        assert!(matches!(rows.verify_audit().await.unwrap(), Ok(5)));
        assert_eq!(rows.audit_page(None).await.unwrap().items.len(), 5);
        drop(rows);
        let edit = bench
            .store
            .write(t.id, move |rows| async move {
                rows.conn
                    .run(
                        "UPDATE audit SET event = 'x' WHERE tenant_id = $1",
                        rows.scoped([]),
                    )
                    .await
            })
            .await;
        assert!(edit.is_err(), "an audit record was changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_works_once_and_ends() {
    for bench in benches().await {
        let expires = bench.clock.now().plus(Duration::from_mins(15));
        let make = |hash: &'static str| {
            bench
                .store
                .write_system(Reason::SignIn, move |rows| async move {
                    rows.create_link(LinkKind::Setup, hash, expires).await
                })
        };
        let used = |hash: &'static str| {
            bench
                .store
                .write_system(Reason::SignIn, move |rows| async move {
                    rows.use_link(hash).await
                })
        };
        make("one").await.unwrap();
        make("two").await.unwrap();
        assert!(
            used("one").await.is_err(),
            "a newer set-up link ends the older one"
        );
        assert!(used("two").await.is_ok());
        assert!(used("two").await.is_err());
        make("three").await.unwrap();
        bench.clock.advance(Duration::from_secs(901));
        assert!(used("three").await.is_err());
    }
}
