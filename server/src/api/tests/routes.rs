//! Routes of machines: offered, decided, shown.

use wire::{
    NodeId,
    api::{
        audit::AuditRecord,
        me::Actor,
        node::{Node, NodeDetail, Route, RouteStanding},
    },
    control::Hostinfo,
    net::Prefix,
};

use super::*;
use crate::{db::NodeOwner, tenancy::Report};

fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

/// The machine says what it would route.
async fn offers(app: &TestApp, tenant: TenantId, node: NodeId, routes: &[&str]) {
    let report = Report {
        hostinfo: Some(Hostinfo {
            os: "linux".to_owned(),
            routable_ips: prefixes(routes),
            ..Hostinfo::default()
        }),
        ..Report::default()
    };
    app.reports(tenant, node, report).await;
}

async fn shown(reader: &Persona, tenant: TenantId, node: NodeId) -> Vec<Route> {
    let path = NodePath { tenant, node }.to_path();
    reader.gets(&path).await.ok::<NodeDetail>().routes_detail
}

async fn listed(reader: &Persona, tenant: TenantId, node: NodeId) -> Node {
    let all = reader.gets(&NodesPath { tenant }.to_path()).await;
    let mut all = all.ok::<Vec<Node>>().into_iter();
    all.find(|n| n.id == node).unwrap()
}

/// `+` approved, `-` withdrawn, `?` waiting, `!` unusable; then `*` if it is offered.
fn told(routes: &[Route]) -> Vec<String> {
    let mark = |standing: &RouteStanding| match standing {
        RouteStanding::Waiting => '?',
        RouteStanding::Approved { .. } => '+',
        RouteStanding::Withdrawn { .. } => '-',
        RouteStanding::Unusable { .. } => '!',
    };
    let line = |route: &Route| {
        let offered = if route.advertised { "*" } else { "" };
        format!("{}{offered} {}", mark(&route.standing), route.prefix)
    };
    routes.iter().map(line).collect()
}

#[tokio::test]
async fn an_administrator_decides_about_the_routes_that_a_machine_offers() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let node = app.node(tenant, "router", NodeOwner::User(ada.user)).await;
        let path = NodeRoutesPath {
            tenant,
            node: node.id,
        }
        .to_path();
        let offer = [
            "10.1.0.0/16",
            "10.2.0.0/16",
            "100.64.0.0/24",
            "0.0.0.0/0",
            "::/0",
        ];
        offers(&app, tenant, node.id, &offer).await;
        assert_eq!(
            told(&shown(&ada, tenant, node.id).await),
            [
                "?* 0.0.0.0/0",
                "?* 10.1.0.0/16",
                "?* 10.2.0.0/16",
                "!* 100.64.0.0/24",
                "?* ::/0"
            ]
        );
        let sum = listed(&ada, tenant, node.id).await.routes;
        assert_eq!((sum.subnets, sum.exit_node, sum.waiting), (0, false, 3));

        let body = json!({ "approve": ["10.1.0.0/16", "::/0"], "withdraw": ["10.2.0.0/16"] });
        ada.patches(&path, &body).await.done();
        let after = shown(&ada, tenant, node.id).await;
        assert_eq!(
            told(&after),
            [
                "+* 0.0.0.0/0",
                "+* 10.1.0.0/16",
                "-* 10.2.0.0/16",
                "!* 100.64.0.0/24",
                "+* ::/0"
            ]
        );
        let RouteStanding::Approved { by, at } = &after[1].standing else {
            panic!("{after:?}");
        };
        assert!(matches!(by, Actor::User { email } if *email == ada.email));
        assert_eq!(*at, app.clock.wall_now());
        let sum = listed(&ada, tenant, node.id).await.routes;
        assert_eq!((sum.subnets, sum.exit_node, sum.waiting), (1, true, 0));
        let records = [
            record("node.routes_withdrawn", "router"),
            record("node.routes_approved", "router"),
        ];
        assert_eq!(audited(&ada, tenant, 2).await, records);

        // As it is: nothing happens, and nothing is recorded.
        ada.patches(&path, &body).await.done();
        assert_eq!(audited(&ada, tenant, 2).await, records);
        // What is offered no longer is not served, and stays approved.
        offers(&app, tenant, node.id, &["10.2.0.0/16"]).await;
        assert_eq!(
            told(&shown(&ada, tenant, node.id).await),
            ["+ 0.0.0.0/0", "+ 10.1.0.0/16", "-* 10.2.0.0/16", "+ ::/0"]
        );
        let sum = listed(&ada, tenant, node.id).await.routes;
        assert_eq!((sum.subnets, sum.exit_node, sum.waiting), (0, false, 0));
    }
}

#[tokio::test]
async fn the_record_of_a_decision_names_the_routes() {
    let (app, tenant, ada) = acme().await;
    let node = app.node(tenant, "router", NodeOwner::User(ada.user)).await;
    let path = NodeRoutesPath {
        tenant,
        node: node.id,
    };
    let body = json!({ "approve": ["0.0.0.0/0", "10.1.0.0/16"] });
    ada.patches(&path.to_path(), &body).await.done();
    let page = ada.gets(&AuditPath { tenant }.to_path()).await;
    let newest = &page.ok::<wire::api::Page<AuditRecord>>().items[0];
    let routes = json!(["0.0.0.0/0", "10.1.0.0/16", "::/0"]);
    assert_eq!(newest.detail, json!({ "node": node.id, "routes": routes }));
}

#[tokio::test]
async fn routes_that_are_none_are_refused_by_their_place() {
    let (app, tenant, ada) = acme().await;
    let node = app.node(tenant, "router", NodeOwner::User(ada.user)).await;
    let path = NodeRoutesPath {
        tenant,
        node: node.id,
    }
    .to_path();
    for bad in [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "100.64.0.0/16",
        "127.0.0.0/8",
        "ff02::/16",
    ] {
        for field in ["approve", "withdraw"] {
            let answer = ada
                .patches(&path, &json!({ field: ["10.1.0.0/16", bad] }))
                .await;
            let problem = answer.problem(Code::Invalid);
            assert_eq!(problem.errors[0].pointer, format!("/{field}/1"), "{bad}");
        }
    }
    let both = json!({ "approve": ["0.0.0.0/0"], "withdraw": ["::/0"] });
    let answer = ada.patches(&path, &both).await;
    assert_eq!(answer.problem(Code::Invalid).errors[0].pointer, "/withdraw");
    let many: Vec<_> = (0..257)
        .map(|n| format!("10.{}.{}.0/24", n / 256, n % 256))
        .collect();
    let answer = ada.patches(&path, &json!({ "approve": many })).await;
    assert_eq!(answer.problem(Code::Invalid).errors[0].pointer, "/approve");
    let unknown = json!({ "routes": ["10.1.0.0/16"] });
    ada.patches(&path, &unknown).await.problem(Code::Malformed);
    assert!(shown(&ada, tenant, node.id).await.is_empty());
}

#[tokio::test]
async fn decisions_about_one_machine_have_a_bound() {
    let (app, tenant, ada) = acme().await;
    let node = app.node(tenant, "router", NodeOwner::User(ada.user)).await;
    let path = NodeRoutesPath {
        tenant,
        node: node.id,
    }
    .to_path();
    let block = |first: u32| -> Vec<String> {
        let net = |n: u32| format!("10.{}.{}.0/24", n / 256, n % 256);
        (first..first + 256).map(net).collect()
    };
    for first in [0, 256, 512, 768] {
        let body = json!({ "approve": block(first) });
        ada.patches(&path, &body).await.done();
    }
    let answer = ada
        .patches(&path, &json!({ "approve": ["10.200.0.0/24"] }))
        .await;
    answer.problem(Code::Invalid);
    // What is decided already may be decided anew.
    ada.patches(&path, &json!({ "withdraw": ["10.0.1.0/24"] }))
        .await
        .done();
}

#[tokio::test]
async fn who_looks_after_machines_alone_does_not_open_networks() {
    let (app, tenant, ada) = acme().await;
    let node = app.node(tenant, "router", NodeOwner::User(ada.user)).await;
    let path = NodeRoutesPath {
        tenant,
        node: node.id,
    }
    .to_path();
    let body = json!({ "approve": ["10.1.0.0/16"] });
    for (name, role) in [
        ("ivo", Role::ItAdmin),
        ("eve", Role::Auditor),
        ("bob", Role::Member),
    ] {
        let who = app.member(tenant, name, role).await;
        who.patches(&path, &body).await.problem(Code::Forbidden);
    }
    let nina = app.member(tenant, "nina", Role::NetworkAdmin).await;
    nina.patches(&path, &body).await.done();
    let absent = NodeRoutesPath {
        tenant,
        node: NodeId(1 << 40),
    };
    let answer = nina.patches(&absent.to_path(), &body).await;
    answer.problem(Code::NotFound);
}
