use std::time::Duration;

use wire::api::auth_key::{AuthKey, CreatedAuthKey};

use super::*;
use crate::{
    act,
    db::Reason,
    testing::{almost, operator},
};

#[tokio::test]
async fn a_key_is_shown_once_listed_without_its_secret_and_revoked() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let path = AuthKeysPath { tenant }.to_path();
        let body = json!({
            "description": "servers", "reusable": true, "ephemeral": true, "preapproved": true,
            "tags": ["tag:server", "tag:server"], "expires_in_hours": 1,
        });
        let answer = ada.posts(&path, &body).await;
        assert_eq!(answer.status, http::StatusCode::CREATED);
        let made = answer.ok::<CreatedAuthKey>();
        assert!(made.secret.starts_with(&made.key.prefix));
        assert_eq!(made.key.tags, ["tag:server"]);
        assert_eq!(made.key.user, ada.user);
        let hash = app.app.vault.hash(&made.secret);
        let rows = app.app.db.system(Reason::Directory).await.unwrap();
        let found = rows.find_auth_key(&hash).await.unwrap();
        assert_eq!(found, Some((tenant, made.key.id)));
        drop(rows);

        let listed = ada.gets(&path).await;
        assert!(!listed.text().contains(&made.secret));
        assert_eq!(listed.ok::<Vec<AuthKey>>(), std::slice::from_ref(&made.key));

        let one = AuthKeyPath {
            tenant,
            key: made.key.id,
        };
        ada.deletes(&one.to_path()).await.done();
        ada.deletes(&one.to_path()).await.done();
        let listed = ada.gets(&path).await.ok::<Vec<AuthKey>>();
        assert!(!listed[0].valid && listed[0].revoked.is_some());
        assert_eq!(
            audited(&ada, tenant, 2).await,
            [
                record("auth_key.revoked", &made.key.prefix),
                record("auth_key.created", &made.key.prefix),
            ]
        );
    }
}

#[tokio::test]
async fn a_key_lasts_ninety_days_when_nobody_says_otherwise() {
    let (app, tenant, ada) = acme().await;
    let path = AuthKeysPath { tenant }.to_path();
    let made = ada.posts(&path, &json!({})).await.ok::<CreatedAuthKey>();
    let day = Duration::from_hours(24);
    assert_eq!(made.key.expires.since(made.key.created), day * 90);
    app.clock.advance(almost(day * 90));
    let ada = app.member(tenant, "ada2", Role::Owner).await;
    assert!(ada.gets(&path).await.ok::<Vec<AuthKey>>()[0].valid);
    app.clock.advance(Duration::from_secs(1));
    assert!(!ada.gets(&path).await.ok::<Vec<AuthKey>>()[0].valid);
}

#[tokio::test]
async fn a_key_is_refused_field_by_field() {
    let (_app, tenant, ada) = acme().await;
    let path = AuthKeysPath { tenant }.to_path();
    for (body, pointer) in [
        (json!({ "expires_in_hours": 0 }), "/expires_in_hours"),
        (json!({ "expires_in_hours": 8785 }), "/expires_in_hours"),
        (json!({ "tags": ["server"] }), "/tags/0"),
        (
            json!({ "tags": ["tag:server", "tag:unheard-of"] }),
            "/tags/1",
        ),
        (json!({ "description": "two\nlines" }), "/description"),
    ] {
        let problem = ada.posts(&path, &body).await.problem(Code::Invalid);
        assert_eq!(problem.errors[0].pointer, pointer, "{body}");
    }
    let foreign = json!({ "user": 1 });
    ada.posts(&path, &foreign).await.problem(Code::Malformed);
    assert_eq!(ada.gets(&path).await.ok::<Vec<AuthKey>>(), []);
}

#[tokio::test]
async fn a_tag_is_given_by_its_owners_only() {
    let (app, tenant, _) = acme().await;
    let ivo = app.member(tenant, "ivo", Role::ItAdmin).await;
    let nat = app.member(tenant, "nat", Role::NetworkAdmin).await;
    let path = AuthKeysPath { tenant }.to_path();
    let body = json!({ "tags": ["tag:server"] });
    let problem = ivo.posts(&path, &body).await.problem(Code::Invalid);
    assert!(problem.detail.contains("owners of `tag:server`"));
    nat.posts(&path, &body).await.done();
    ivo.posts(&path, &json!({})).await.done();
}

#[tokio::test]
async fn a_key_made_at_the_servers_shell_belongs_to_the_member_named() {
    let (app, tenant, ada) = acme().await;
    let made = act::auth_key::create(
        &app.app,
        &operator(),
        tenant,
        ada.user,
        serde_json::from_value(json!({})).unwrap(),
    )
    .await;
    assert_eq!(made.unwrap().key.user_email, "ada@acme.example");
    let page = ada.gets(&AuditPath { tenant }.to_path()).await;
    let page = page.ok::<wire::api::Page<AuditRecord>>();
    assert_eq!(page.items[0].actor, operator());
    let nobody = act::auth_key::create(
        &app.app,
        &operator(),
        tenant,
        wire::UserId(999),
        serde_json::from_value(json!({})).unwrap(),
    )
    .await;
    assert!(matches!(nobody, Err(crate::error::Error::NotFound)));
}

#[tokio::test]
async fn members_neither_see_nor_make_keys() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let path = AuthKeysPath { tenant }.to_path();
    bob.gets(&path).await.problem(Code::Forbidden);
    bob.posts(&path, &json!({})).await.problem(Code::Forbidden);
    let absent = AuthKeyPath {
        tenant,
        key: wire::AuthKeyId::default(),
    };
    ada.deletes(&absent.to_path()).await.problem(Code::NotFound);
}
