//! Routes: what the policy approves by itself.

use wire::{api::me::Actor, net::Prefix};

use super::*;
use crate::db::{Decision, Node, TenantRows};

/// Routers may serve 10.1.0.0/16 and what lies in it, and be exit nodes.
const APPROVING: &str = r#"{"acls": [], "tagOwners": {"tag:router": [], "tag:exit": []}, "autoApprovers": {
    "routes": {"10.1.0.0/16": ["tag:router"]}, "exitNode": ["tag:exit"]}}"#;
/// Everybody reaches everything.
const OPEN: &str = r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#;
const NOT_APPROVING: &str = r#"{"acls": [], "tagOwners": {"tag:router": [], "tag:exit": []}}"#;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn offer(routes: &[&str]) -> Report {
    Report {
        hostinfo: Some(Hostinfo {
            routable_ips: routes.iter().map(|r| prefix(r)).collect(),
            ..Hostinfo::default()
        }),
        ..report(1)
    }
}

impl Bench {
    async fn router(&self, name: &str, tag: &str) -> Node {
        let owner = NodeOwner::Tags(vec![tag.parse().unwrap()]);
        self.join_as(name, |new| new.owner = owner).await
    }

    async fn offers(&self, node: &Node, routes: &[&str]) {
        let told = self.hub.report(self.tenant.id, node.id, offer(routes));
        told.await.unwrap();
    }

    async fn decisions(&self, node: &Node) -> Vec<Decision> {
        let rows = self.deps.db.tenant(self.tenant.id).await.unwrap();
        rows.routes_of(node.id).await.unwrap()
    }

    async fn approved(&self, node: &Node) -> Vec<String> {
        let all = self.decisions(node).await.into_iter();
        let mut approved: Vec<_> = all.filter(|d| d.approved).map(|d| d.prefix).collect();
        approved.sort();
        approved.iter().map(ToString::to_string).collect()
    }

    async fn comes_to(&self, node: &Node, routes: &[&str]) {
        let what = format!("{routes:?} are approved");
        self.eventually(&what, || async { self.approved(node).await == routes })
            .await;
    }

    /// Nothing is under way any more.
    async fn settles(&self) {
        self.pass(Duration::ZERO).await;
        self.write(|_| async { Ok(()) }).await;
        self.pass(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_approves_is_approved_when_it_is_offered() {
    let bench = Bench::new().await;
    bench.policy(APPROVING).await;
    let router = bench.router("router", "tag:router").await;
    let exit = bench.router("exit", "tag:exit").await;
    let mine = bench.join("laptop").await;
    let all = ["10.1.2.0/24", "10.2.0.0/16", "0.0.0.0/0", "::/0"];
    bench.offers(&mine, &all).await;
    bench.offers(&router, &all).await;
    bench.offers(&exit, &all).await;
    bench.comes_to(&router, &["10.1.2.0/24"]).await;
    bench.comes_to(&exit, &["0.0.0.0/0", "::/0"]).await;
    bench.settles().await;
    assert!(bench.decisions(&mine).await.is_empty());
    let decisions = bench.decisions(&router).await;
    assert_eq!(decisions[0].by, Actor::Server);
    let rows = bench.deps.db.tenant(bench.tenant.id).await.unwrap();
    let page = rows.audit_page(None).await.unwrap();
    let of_routes = page.items.iter();
    let of_routes: Vec<_> = of_routes
        .filter(|r| r.event == "node.routes_approved")
        .map(|r| (r.target.as_str(), r.actor == Actor::Server))
        .collect();
    assert_eq!(of_routes, [("exit", true), ("router", true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_with_routes_needs_no_further_word() {
    let bench = Bench::new().await;
    bench.policy(APPROVING).await;
    let owner = NodeOwner::Tags(vec!["tag:router".parse().unwrap()]);
    let joined = bench.join_as("router", |new| {
        new.owner = owner;
        new.hostinfo.routable_ips = vec![prefix("10.1.0.0/16")];
    });
    let router = joined.await;
    bench.comes_to(&router, &["10.1.0.0/16"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_approves_what_waits_and_takes_nothing_away() {
    let bench = Bench::new().await;
    bench.policy(NOT_APPROVING).await;
    let router = bench.router("router", "tag:router").await;
    let exit = bench.router("exit", "tag:exit").await;
    bench.offers(&router, &["10.1.0.0/16"]).await;
    bench.offers(&exit, &["::/0"]).await;
    bench.settles().await;
    assert!(bench.decisions(&router).await.is_empty());
    bench.policy(APPROVING).await;
    bench.comes_to(&router, &["10.1.0.0/16"]).await;
    bench.comes_to(&exit, &["0.0.0.0/0", "::/0"]).await;
    bench.policy(NOT_APPROVING).await;
    bench.settles().await;
    assert_eq!(bench.approved(&router).await, ["10.1.0.0/16"]);
    bench.offers(&router, &[]).await;
    bench.offers(&router, &["10.1.0.0/16"]).await;
    bench.settles().await;
    assert_eq!(bench.approved(&router).await, ["10.1.0.0/16"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_withdrawn_the_policy_does_not_give_back() {
    let bench = Bench::new().await;
    bench.policy(APPROVING).await;
    let router = bench.router("router", "tag:router").await;
    bench.offers(&router, &["10.1.0.0/16"]).await;
    bench.comes_to(&router, &["10.1.0.0/16"]).await;
    let (id, route) = (router.id, prefix("10.1.0.0/16"));
    let ada = Actor::User {
        email: "ada@acme.example".to_owned(),
    };
    bench
        .write(move |rows| async move { rows.decide_route(id, &route, false, &ada).await })
        .await;
    let changed = Changed::Node(router.id);
    bench.hub.changed(bench.tenant.id, changed).await;
    bench.policy(NOT_APPROVING).await;
    bench.policy(APPROVING).await;
    bench.offers(&router, &["10.1.0.0/16", "10.1.7.0/24"]).await;
    bench.comes_to(&router, &["10.1.7.0/24"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_changes_hands_is_looked_at_again() {
    let bench = Bench::new().await;
    bench.policy(APPROVING).await;
    let node = bench.join("node").await;
    bench.offers(&node, &["10.1.0.0/16"]).await;
    bench.settles().await;
    assert!(bench.decisions(&node).await.is_empty());
    let owner = NodeOwner::Tags(vec!["tag:router".parse().unwrap()]);
    bench
        .write(move |rows| async move { rows.set_node_owner(node.id, &owner, None).await })
        .await;
    let changed = Changed::Node(node.id);
    bench.hub.changed(bench.tenant.id, changed).await;
    bench.comes_to(&node, &["10.1.0.0/16"]).await;
}

/// As after a crash between the offer, or the policy, and the approval.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_is_approved_after_the_next_start() {
    let bench = Bench::new().await;
    let router = bench.router("router", "tag:router").await;
    bench.offers(&router, &["10.1.0.0/16"]).await;
    // Ending stores what is reported; the policy is saved behind the hub's back.
    let store = bench.deps.db.clone();
    let tenant = bench.tenant.id;
    bench.deps.stop.cancel();
    let save = |rows: TenantRows| async move {
        rows.create_policy_revision(&Actor::Server, "a test", APPROVING)
            .await
    };
    store.write(tenant, save).await.unwrap();
    let bench = bench.restarted().await;
    bench.comes_to(&router, &["10.1.0.0/16"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_tenants_policy_approves_nothing_here() {
    let bench = Bench::new().await;
    let other = bench.other().await;
    bench.policy(NOT_APPROVING).await;
    other.policy(APPROVING).await;
    let here = bench.router("router", "tag:router").await;
    let there = other.router("router", "tag:router").await;
    bench.offers(&here, &["10.1.0.0/16"]).await;
    other.offers(&there, &["10.1.0.0/16"]).await;
    other.comes_to(&there, &["10.1.0.0/16"]).await;
    bench.settles().await;
    assert!(bench.decisions(&here).await.is_empty());
    assert!(other.decisions(&here).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_offers_ever_other_routes_is_held_to_a_pace_and_a_size() {
    let bench = Bench::new().await;
    bench.policy(APPROVING).await;
    let router = bench.router("router", "tag:router").await;
    let block = |n: u32| -> Vec<String> {
        let net = |i: u32| format!("10.1.{}.{}/32", i / 256, i % 256);
        (n * 100..n * 100 + 100).map(net).collect()
    };
    let offer_all = |blocks: std::ops::Range<u32>| async {
        for n in blocks {
            let routes = block(n);
            let routes: Vec<_> = routes.iter().map(String::as_str).collect();
            bench.offers(&router, &routes).await;
            bench.settles().await;
        }
    };
    // More routes than are kept: what it offers last is not forgotten.
    offer_all(0..15).await;
    bench
        .eventually("the last block is approved", || async {
            let approved = bench.approved(&router).await;
            block(14).iter().all(|route| approved.contains(route))
        })
        .await;
    assert!(bench.decisions(&router).await.len() <= crate::route::MOST_DECISIONS);
    offer_all(15..45).await;
    let rows = bench.deps.db.tenant(bench.tenant.id).await.unwrap();
    let page = rows.audit_page(None).await.unwrap();
    let records = page.items.iter();
    let records = records
        .filter(|r| r.event == "node.routes_approved")
        .count();
    assert!(
        (10..=20).contains(&records),
        "{records} records, one for each offer at most 20 times"
    );
    assert!(bench.decisions(&router).await.len() <= crate::route::MOST_DECISIONS);
}

/// What `viewer` is told that packets into `route` go to.
fn way(map: &wire::control::NetMap, route: &str) -> Vec<NodeId> {
    let route = prefix(route);
    let through = |peer: &&wire::control::Node| {
        let ips = peer.allowed_ips.as_deref().unwrap_or_default();
        ips.contains(&route)
    };
    map.peers.values().filter(through).map(|p| p.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_told_of_routes_when_they_are_decided_and_when_they_are_offered() {
    let bench = Bench::new().await;
    bench.policy(OPEN).await;
    let (router, viewer) = (bench.join("router").await, bench.join("viewer").await);
    let mut at = Client::open(&bench, viewer.id, Compression::Zstd, Report::default()).await;
    let stream = bench.attach(
        router.id,
        Compression::Plain,
        offer(&["10.9.0.0/16", "0.0.0.0/0", "::/0"]),
    );
    let stream = stream.await.unwrap();
    at.until("the router", |m| m.peers.len() == 1).await;
    bench.settles().await;
    assert!(way(&at.map, "10.9.0.0/16").is_empty());

    let decide = async |approved: bool| {
        let id = router.id;
        bench
            .write(move |rows| async move {
                for route in ["10.9.0.0/16", "0.0.0.0/0", "::/0"] {
                    let route = prefix(route);
                    rows.decide_route(id, &route, approved, &Actor::Server)
                        .await?;
                }
                Ok(())
            })
            .await;
        let changed = Changed::Node(router.id);
        bench.hub.changed(bench.tenant.id, changed).await;
    };
    decide(true).await;
    at.frame_now("the approval").await;
    for route in ["10.9.0.0/16", "0.0.0.0/0", "::/0"] {
        assert_eq!(way(&at.map, route), [router.id], "{route}");
    }
    assert_eq!(
        at.map.peers[&router.id].primary_routes,
        [prefix("10.9.0.0/16")]
    );
    assert_eq!(
        bench.presence(router.id).await.primary,
        [prefix("10.9.0.0/16")]
    );

    bench.offers(&router, &["0.0.0.0/0", "::/0"]).await;
    at.until("no route", |m| way(m, "10.9.0.0/16").is_empty())
        .await;
    bench.offers(&router, &["10.9.0.0/16"]).await;
    at.until("the route again", |m| !way(m, "10.9.0.0/16").is_empty())
        .await;
    assert!(way(&at.map, "0.0.0.0/0").is_empty());
    decide(false).await;
    at.frame_now("the withdrawal").await;
    assert!(way(&at.map, "10.9.0.0/16").is_empty());
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_router_takes_over_when_the_first_goes_and_after_a_restart() {
    let bench = Bench::new().await;
    bench.policy(OPEN).await;
    let (first, second) = (bench.join("first").await, bench.join("second").await);
    for id in [first.id, second.id] {
        bench
            .write(move |rows| async move {
                rows.decide_route(id, &prefix("10.9.0.0/16"), true, &Actor::Server)
                    .await
            })
            .await;
        bench.hub.changed(bench.tenant.id, Changed::Node(id)).await;
    }
    let viewer = bench.join("viewer").await;
    let mut at = Client::open(&bench, viewer.id, Compression::Zstd, Report::default()).await;
    let on = |id| bench.attach(id, Compression::Plain, offer(&["10.9.0.0/16"]));
    let (one, two) = (on(first.id).await.unwrap(), on(second.id).await.unwrap());
    let by = |id| move |m: &wire::control::NetMap| way(m, "10.9.0.0/16") == [id];
    at.until("the first", by(first.id)).await;
    drop(one);
    bench
        .eventually("it is offline", || async {
            bench.pass(Duration::from_secs(4)).await;
            !bench.presence(first.id).await.online
        })
        .await;
    bench.pass(Duration::from_secs(2)).await;
    at.until("the second", by(second.id)).await;
    let again = on(first.id).await.unwrap();
    bench.pass(Duration::from_secs(2)).await;
    at.until("the first again", by(first.id)).await;
    bench.remove(&first).await;
    at.until("the second for good", by(second.id)).await;
    drop((at, two, again));
    let bench = bench.restarted().await;
    let _on = bench
        .attach(second.id, Compression::Plain, Report::default())
        .await
        .unwrap();
    let mut at = Client::open(&bench, viewer.id, Compression::Zstd, Report::default()).await;
    at.until("the second", by(second.id)).await;
}
