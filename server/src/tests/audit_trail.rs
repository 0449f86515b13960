//! Whatever changes something leaves a record of who did it.

use std::fmt::Write as _;

use wire::{
    api::{
        Page, Role,
        audit::AuditRecord,
        auth_key::CreatedAuthKey,
        me::Actor,
        policy::Policy,
        user::{Invite, OneTimeLink},
    },
    paths::*,
};

use super::routes::{self, Ids, Needs};
use crate::{
    db::NodeOwner,
    testing::{Persona, TestApp},
};

/// Things that every route can do something to.
async fn fresh(app: &TestApp, owner: &Persona, ids: &Ids, number: usize) -> Ids {
    let tenant = ids.tenant;
    let tags = NodeOwner::Tags(vec!["tag:server".parse().unwrap()]);
    let node = app
        .node_that(tenant, &format!("node-{number}"), tags, |node| {
            node.approved = false;
        })
        .await;
    let bob = app
        .member(tenant, &format!("bob-{number}"), Role::Auditor)
        .await;
    let keys = AuthKeysPath { tenant }.to_path();
    let key = owner.posts(&keys, &serde_json::json!({})).await;
    let invites = InvitesPath { tenant }.to_path();
    let body = serde_json::json!({ "email": format!("g{number}@x.example"), "role": "member" });
    owner.posts(&invites, &body).await.ok::<OneTimeLink>();
    let policy = owner.gets(&PolicyPath { tenant }.to_path()).await;
    Ids {
        node: node.id,
        user: bob.user,
        key: key.ok::<CreatedAuthKey>().key.id,
        invite: owner.gets(&invites).await.ok::<Vec<Invite>>()[0].id,
        revision: policy.ok::<Policy>().revision.id,
        ..ids.clone()
    }
}

async fn log(owner: &Persona, ids: &Ids) -> Vec<AuditRecord> {
    let path = AuditPath { tenant: ids.tenant };
    let page = owner.gets(&path.to_path()).await;
    page.ok::<Page<AuditRecord>>().items
}

#[tokio::test]
async fn every_change_leaves_a_record() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let ada = app.member(tenant, "ada", Role::Owner).await;
    let ids = Ids {
        tenant,
        ..Ids::nowhere()
    };
    let mut table = String::new();
    let routes = routes::all();
    let changing = routes
        .iter()
        .filter(|route| !route.method.is_safe() && route.needs == Needs::Role);
    for (number, route) in changing.enumerate() {
        let ids = fresh(&app, &ada, &ids, number).await;
        let last = log(&ada, &ids).await[0].id;
        route.asked_by(&ada, &ids).await.done();
        let mut events = Vec::new();
        for record in log(&ada, &ids).await {
            if record.id == last {
                break;
            }
            let by_her = matches!(&record.actor, Actor::User { email } if *email == ada.email);
            assert!(by_her, "{}: {record:?}", route.name());
            events.push(record.event);
        }
        app.clock.advance(std::time::Duration::from_secs(1));
        writeln!(table, "{}: {}", route.name(), events.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
    let rows = app.app.db.tenant(tenant).await.unwrap();
    rows.verify_audit().await.unwrap().unwrap();
}
