use wire::api::policy::impact::Impact;

use super::*;
use crate::{db::NodeOwner, testing::Answer};

const LAW: &str = r#"{
  "tagOwners": {"tag:web": [], "tag:db": []},
  "acls": [
    {"action": "accept", "src": ["bob@acme.example"], "dst": ["tag:web:443"]},
  ],
}"#;

/// Bob with a laptop and a web machine, under [`LAW`]; and Ada who asks.
async fn world() -> (TestApp, TenantId, Persona, wire::NodeId) {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    app.node(tenant, "laptop", NodeOwner::User(bob.user)).await;
    let tags = vec!["tag:web".parse().unwrap()];
    let web = app.node(tenant, "web", NodeOwner::Tags(tags)).await;
    let path = PolicyPath { tenant }.to_path();
    let base = ada.gets(&path).await.ok::<wire::api::policy::Policy>();
    let body = json!({ "document": LAW, "base": base.revision.id });
    ada.puts(&path, &body).await.done();
    (app, tenant, ada, web.id)
}

async fn preview(who: &Persona, tenant: TenantId, change: Value) -> Answer {
    who.posts(&PolicyImpactPath { tenant }.to_path(), &change)
        .await
}

#[tokio::test]
async fn a_draft_tells_what_it_opens_and_shuts_and_who_loses_everything() {
    let (_app, tenant, ada, _) = world().await;
    let same = preview(&ada, tenant, json!({ "document": LAW })).await;
    assert!(same.ok::<Impact>().is_empty());

    let wider = LAW.replace(":443", ":80,443");
    let told = preview(&ada, tenant, json!({ "document": wider })).await;
    let told = told.ok::<Impact>();
    let gained = &told.gained.traffic;
    assert!(told.lost.is_empty() && told.cut_off.is_empty(), "{told:?}");
    assert_eq!(
        (gained.people, gained.from_machines, gained.to_machines),
        (1, 1, 1)
    );
    let change = &gained.shown[0];
    assert!(
        change.what.contains("80") && !change.what.contains("443"),
        "{change:?}"
    );
    assert_eq!(change.who.shown, ["bob@acme.example"]);
    assert_eq!(change.rule.place.unwrap().line, 4);

    let none = r#"{"tagOwners": {"tag:web": []}, "acls": []}"#;
    let told = preview(&ada, tenant, json!({ "document": none })).await;
    let told = told.ok::<Impact>();
    assert!(told.gained.is_empty());
    assert!(!told.lost.traffic.is_empty());
    assert_eq!(told.cut_off.people, ["bob@acme.example"]);
}

#[tokio::test]
async fn other_tags_and_roles_are_previewed_and_nothing_is_changed() {
    let (app, tenant, ada, web) = world().await;
    let before = app.dump(tenant).await;
    let change = json!({ "retags": [{ "node": web, "tags": ["tag:db"] }] });
    let told = preview(&ada, tenant, change).await.ok::<Impact>();
    assert_eq!(told.lost.traffic.shown.len(), 1, "{told:?}");
    assert_eq!(told.cut_off.people, ["bob@acme.example"]);

    let by_role = LAW.replace("bob@acme.example", "autogroup:admin");
    let path = PolicyPath { tenant }.to_path();
    let base = ada.gets(&path).await.ok::<wire::api::policy::Policy>();
    let users = ada.gets(&UsersPath { tenant }.to_path()).await;
    let users = users.ok::<Vec<wire::api::user::User>>();
    let bob = users.iter().find(|user| user.email.starts_with("bob"));
    let roles = json!([{ "user": bob.unwrap().id, "role": "admin" }]);
    let change = json!({ "document": by_role, "roles": roles });
    let told = preview(&ada, tenant, change).await.ok::<Impact>();
    assert!(
        told.cut_off.is_empty(),
        "the new role keeps it open: {told:?}"
    );
    assert_eq!(
        ada.gets(&path).await.ok::<wire::api::policy::Policy>(),
        base
    );
    assert_eq!(app.dump(tenant).await, before);
}

#[tokio::test]
async fn a_group_is_told_by_its_people_and_a_network_without_machines_says_so() {
    let (app, tenant, ada) = acme().await;
    let law = |members: &str| {
        let law = LAW.replace("bob@acme.example", "group:dev");
        law.replacen(
            '{',
            &format!("{{\"groups\": {{\"group:dev\": [{members}]}},"),
            1,
        )
    };
    let empty = preview(&ada, tenant, json!({ "document": law("") })).await;
    let empty = empty.ok::<Impact>();
    assert!(empty.is_empty() && empty.machines == 0, "{empty:?}");

    let tags = vec!["tag:web".parse().unwrap()];
    app.node(tenant, "web", NodeOwner::Tags(tags)).await;
    for name in ["bob", "eve"] {
        let member = app.member(tenant, name, Role::Member).await;
        app.node(tenant, name, NodeOwner::User(member.user)).await;
    }
    let path = PolicyPath { tenant }.to_path();
    let base = ada.gets(&path).await.ok::<wire::api::policy::Policy>();
    let body = json!({ "document": law("\"bob@acme.example\""), "base": base.revision.id });
    ada.puts(&path, &body).await.done();
    let other = json!({ "document": law("\"eve@acme.example\"") });
    let told = preview(&ada, tenant, other).await.ok::<Impact>();
    for (difference, who) in [(&told.gained, "eve"), (&told.lost, "bob")] {
        let ends = &difference.traffic.shown[0].who;
        let named = [&ends.shown[..], &ends.members[..]].concat();
        let email = format!("{who}@acme.example");
        assert!(named.iter().any(|name| name.contains(&email)), "{ends:?}");
    }
    assert_eq!(told.machines, 3);
}

#[tokio::test]
async fn a_preview_that_makes_no_sense_names_its_field() {
    let (_app, tenant, ada, web) = world().await;
    for (change, pointer) in [
        (
            json!({ "retags": [{ "node": 1_u64 << 40, "tags": [] }] }),
            "/retags/0/node",
        ),
        (
            json!({ "retags": [{ "node": web, "tags": ["web"] }] }),
            "/retags/0/tags/0",
        ),
        (
            json!({ "retags": [{ "node": web, "tags": ["tag:wbe"] }] }),
            "/retags/0/tags/0",
        ),
        (
            json!({ "roles": [{ "user": 1_u64 << 40, "role": "admin" }] }),
            "/roles/0/user",
        ),
        (
            json!({ "retags": vec![json!({ "node": web, "tags": [] }); 1_001] }),
            "/retags",
        ),
    ] {
        let problem = preview(&ada, tenant, change).await.problem(Code::Invalid);
        assert_eq!(problem.errors[0].pointer, pointer);
    }
    let answer = preview(&ada, tenant, json!({ "document": "{" })).await;
    answer.problem(Code::PolicyInvalid);
}
