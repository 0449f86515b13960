use std::time::Duration;

use wire::{
    NodeId,
    api::node::{Node, NodeDetail, Owner},
    control::{Hostinfo, NetInfo, map::PathReport},
    relay_map::RegionId,
};

use super::*;
use crate::{
    act,
    db::{self, NodeOwner, Reason},
    error::Error,
    tenancy::Report,
    testing::operator,
};

async fn list(reader: &Persona, tenant: TenantId) -> Vec<Node> {
    reader.gets(&NodesPath { tenant }.to_path()).await.ok()
}

async fn detail(reader: &Persona, tenant: TenantId, node: NodeId) -> NodeDetail {
    let path = NodePath { tenant, node }.to_path();
    reader.gets(&path).await.ok()
}

#[tokio::test]
async fn machines_are_listed_with_names_owners_and_what_they_said_last() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let web = app.node(tenant, "web", NodeOwner::User(ada.user)).await;
        let tags = NodeOwner::Tags(vec!["tag:server".parse().unwrap()]);
        let db = app.node(tenant, "db", tags).await;
        let endpoints = vec!["192.0.2.9:41641".parse().unwrap()];
        let report = Report {
            endpoints: endpoints.clone(),
            hostinfo: Some(Hostinfo {
                os: "linux".to_owned(),
                hostname: "Web.local".to_owned(),
                client_version: "1.2.3".to_owned(),
                net_info: Some(NetInfo {
                    preferred_relay: RegionId(900),
                    mapping_varies_by_dest_ip: Some(true),
                    ..NetInfo::default()
                }),
                ..Hostinfo::default()
            }),
            paths: Some(vec![PathReport {
                peer: db.id,
                direct: Some("192.0.2.8:41641".parse().unwrap()),
                relay: None,
                rtt_us: Some(700),
            }]),
            ..Report::default()
        };
        app.reports(tenant, web.id, report).await;

        let nodes = list(&ada, tenant).await;
        let names: Vec<_> = nodes.iter().map(|n| n.fqdn.as_str()).collect();
        assert_eq!(
            names,
            ["web.acme.warren.internal", "db.acme.warren.internal"]
        );
        assert_eq!(
            nodes[0].owner,
            Owner::User {
                user: ada.user,
                email: "ada@acme.example".to_owned(),
                display_name: "ada".to_owned(),
            }
        );
        assert_eq!(
            nodes[1].owner,
            Owner::Tags {
                tags: vec!["tag:server".to_owned()]
            }
        );
        assert_eq!(
            nodes[0].addresses,
            [
                std::net::IpAddr::from(web.ipv4),
                std::net::IpAddr::from(web.ipv6)
            ]
        );
        assert_eq!((nodes[0].os.as_str(), nodes[0].online), ("linux", false));
        let paths = nodes[0].paths.unwrap();
        assert_eq!((paths.direct, paths.relayed), (1, 0));
        assert_eq!(nodes[1].paths, None);

        let web = detail(&ada, tenant, web.id).await;
        assert_eq!(web.node, nodes[0]);
        assert_eq!(web.endpoints, endpoints);
        assert_eq!(web.home_relay, Some(RegionId(900)));
        assert_eq!(web.hostname, "Web.local");
        assert_eq!(web.hard_nat, Some(true));
        assert_eq!(web.paths_detail[0].peer_name, "db");
        let db = detail(&ada, tenant, db.id).await;
        assert_eq!((db.home_relay, db.node.key_expiry), (None, None));
    }
}

#[tokio::test]
async fn a_plain_member_sees_his_own_machines_only() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let hers = app.node(tenant, "hers", NodeOwner::User(ada.user)).await;
    let his = app.node(tenant, "his", NodeOwner::User(bob.user)).await;
    let seen: Vec<_> = list(&bob, tenant).await.iter().map(|n| n.id).collect();
    assert_eq!(seen, [his.id]);
    detail(&bob, tenant, his.id).await;
    let path = NodePath {
        tenant,
        node: hers.id,
    };
    let hidden = bob.gets(&path.to_path()).await;
    hidden.problem(Code::NotFound);
    let path = NodePath {
        tenant,
        node: NodeId(1 << 40),
    };
    let absent = bob.gets(&path.to_path()).await;
    assert_eq!(hidden.without_request_id(), absent.without_request_id());
    bob.deletes(&path.to_path()).await.problem(Code::Forbidden);
}

#[tokio::test]
async fn a_machine_is_renamed_unless_the_name_is_taken_or_not_one() {
    let (app, tenant, ada) = acme().await;
    let one = app.node(tenant, "one", NodeOwner::User(ada.user)).await;
    let two = app.node(tenant, "two", NodeOwner::User(ada.user)).await;
    let path = NodePath {
        tenant,
        node: two.id,
    }
    .to_path();
    ada.patches(&path, &json!({ "name": "atlas" })).await.done();
    assert_eq!(detail(&ada, tenant, two.id).await.node.name, "atlas");
    assert_eq!(
        audited(&ada, tenant, 1).await,
        [record("node.renamed", "atlas")]
    );
    let taken = ada.patches(&path, &json!({ "name": one.name })).await;
    taken.problem(Code::NodeNameTaken);
    for bad in ["", "-a", "A", "a.b", &"x".repeat(64)] {
        let answer = ada.patches(&path, &json!({ "name": bad })).await;
        assert_eq!(answer.problem(Code::Invalid).errors[0].pointer, "/name");
    }
    // As it is: nothing happens, and nothing is recorded.
    ada.patches(&path, &json!({ "name": "atlas" })).await.done();
    assert_eq!(
        audited(&ada, tenant, 1).await,
        [record("node.renamed", "atlas")]
    );
    let absent = NodePath {
        tenant,
        node: NodeId(1 << 40),
    };
    let answer = ada
        .patches(&absent.to_path(), &json!({ "name": "x" }))
        .await;
    answer.problem(Code::NotFound);
}

#[tokio::test]
async fn a_waiting_machine_is_approved_once() {
    let (app, tenant, ada) = acme().await;
    let owner = NodeOwner::User(ada.user);
    let node = app
        .node_that(tenant, "new", owner, |node| node.approved = false)
        .await;
    let path = NodeApprovePath {
        tenant,
        node: node.id,
    }
    .to_path();
    assert!(!detail(&ada, tenant, node.id).await.node.approved);
    for _ in 0..2 {
        ada.asks(http::Method::POST, &path).await.done();
    }
    assert!(detail(&ada, tenant, node.id).await.node.approved);
    let approvals = audited(&ada, tenant, 10).await;
    let approvals = approvals.iter().filter(|(e, _)| e == "node.approved");
    assert_eq!(approvals.count(), 1);
}

#[tokio::test]
async fn tags_take_a_machine_from_its_owner_and_give_it_to_who_removes_the_last() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let node = app.node(tenant, "web", NodeOwner::User(bob.user)).await;
    let path = NodeTagsPath {
        tenant,
        node: node.id,
    }
    .to_path();
    let body = json!({ "tags": ["tag:server"] });
    ada.puts(&path, &body).await.done();
    let tagged = detail(&ada, tenant, node.id).await.node;
    assert!(matches!(tagged.owner, Owner::Tags { .. }));
    assert_eq!(tagged.key_expiry, None);
    assert!(list(&bob, tenant).await.is_empty());

    let by_shell = act::node::set_tags(&app.app, &operator(), tenant, node.id, vec![]).await;
    assert!(matches!(by_shell, Err(Error::Invalid(_))));

    ada.puts(&path, &json!({ "tags": [] })).await.done();
    let owned = detail(&ada, tenant, node.id).await.node;
    assert!(matches!(owned.owner, Owner::User { user, .. } if user == ada.user));
    let left = owned.key_expiry.unwrap().since(app.clock.wall_now());
    assert_eq!(left, Duration::from_hours(24 * 180));
    assert_eq!(
        audited(&ada, tenant, 2).await,
        [record("node.tagged", "web"), record("node.tagged", "web")]
    );
}

#[tokio::test]
async fn a_tag_that_the_policy_does_not_define_is_refused() {
    let (app, tenant, ada) = acme().await;
    let node = app.node(tenant, "web", NodeOwner::User(ada.user)).await;
    let path = NodeTagsPath {
        tenant,
        node: node.id,
    }
    .to_path();
    for bad in ["tag:unheard-of", "server", "tag:"] {
        let answer = ada.puts(&path, &json!({ "tags": [bad] })).await;
        assert_eq!(answer.problem(Code::Invalid).errors[0].pointer, "/tags/0");
    }
    let ivo = app.member(tenant, "ivo", Role::ItAdmin).await;
    let answer = ivo.puts(&path, &json!({ "tags": ["tag:server"] })).await;
    answer.problem(Code::Invalid);
    let read = detail(&ada, tenant, node.id).await.node;
    assert!(matches!(read.owner, Owner::User { .. }));
    // What the machine has already is nobody's to give.
    ada.puts(&path, &json!({ "tags": ["tag:server"] }))
        .await
        .done();
    ivo.puts(&path, &json!({ "tags": ["tag:server"] }))
        .await
        .done();
}

#[tokio::test]
async fn an_expired_key_is_over_at_once_and_stays_so() {
    let (app, tenant, ada) = acme().await;
    let node = app.node(tenant, "web", NodeOwner::User(ada.user)).await;
    let path = NodeExpirePath {
        tenant,
        node: node.id,
    }
    .to_path();
    ada.asks(http::Method::POST, &path).await.done();
    let first = detail(&ada, tenant, node.id).await.node;
    assert!(first.expired);
    app.clock.advance(Duration::from_secs(5));
    ada.asks(http::Method::POST, &path).await.done();
    let second = detail(&ada, tenant, node.id).await.node;
    assert_eq!(first.key_expiry, second.key_expiry);
    assert_eq!(
        audited(&ada, tenant, 1).await,
        [record("node.expired", "web")]
    );
    let bob = app.member(tenant, "bob", Role::Auditor).await;
    let answer = bob.asks(http::Method::POST, &path).await;
    answer.problem(Code::Forbidden);
}

#[tokio::test]
async fn a_removed_machine_is_gone_also_for_the_relay() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let node = app.node(tenant, "web", NodeOwner::User(ada.user)).await;
        assert_eq!(app.app.admission.tenant_of(&node.node_key), Some(tenant));
        let path = NodePath {
            tenant,
            node: node.id,
        }
        .to_path();
        ada.deletes(&path).await.done();
        assert_eq!(app.app.admission.tenant_of(&node.node_key), None);
        ada.gets(&path).await.problem(Code::NotFound);
        ada.deletes(&path).await.problem(Code::NotFound);
        assert!(list(&ada, tenant).await.is_empty());
        let rows = app.app.db.system(Reason::Directory).await.unwrap();
        let found = rows.find_node_by_key(&node.node_key).await.unwrap();
        assert_eq!(found, None);
        drop(rows);
        assert_eq!(
            audited(&ada, tenant, 1).await,
            [record("node.removed", "web")]
        );
    }
}

/// Whether the rows and the relay agree on a machine; waited for, with a bound.
async fn agreed(app: &TestApp, tenant: TenantId, node: &db::Node) -> bool {
    for _ in 0..500 {
        let rows = app.app.db.tenant(tenant).await.unwrap();
        let stored = rows.find_node(node.id).await.unwrap().is_some();
        drop(rows);
        let admitted = app.app.admission.tenant_of(&node.node_key).is_some();
        if stored == admitted {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_removal_that_has_begun_is_finished_though_the_browser_goes_away() {
    let (app, tenant, ada) = acme().await;
    let mut removed = 0;
    for patience in 0..40 {
        let name = format!("node-{patience}");
        let node = app.node(tenant, &name, NodeOwner::User(ada.user)).await;
        let path = NodePath {
            tenant,
            node: node.id,
        }
        .to_path();
        let mut asked = Box::pin(ada.deletes(&path));
        for _ in 0..patience {
            if futures_util::poll!(asked.as_mut()).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        drop(asked);
        app.clock.advance(Duration::from_secs(1));
        let rows = app.app.db.tenant(tenant).await.unwrap();
        removed += usize::from(rows.find_node(node.id).await.unwrap().is_none());
        drop(rows);
        assert!(agreed(&app, tenant, &node).await, "after {patience} steps");
    }
    assert!(removed > 0);
}
