//! What is secret is in no log, in no database, and in no answer but its own.

use serde_json::json;
use wire::{
    api::{auth_key::CreatedAuthKey, policy::Policy, user::OneTimeLink},
    paths::*,
};

use super::routes::{self, Ids};
use crate::{
    login,
    testing::{TestApp, operator, token_of},
};

#[tokio::test]
async fn no_secret_is_logged_or_stored_on_sqlite() {
    search(TestApp::talkative().await).await;
}

#[tokio::test]
async fn no_secret_is_logged_or_stored_on_postgresql() {
    if let Some(app) = TestApp::talkative_on_postgres().await {
        search(app).await;
    }
}

async fn search(app: TestApp) {
    let mut secrets = Vec::new();
    let link = login::setup_link(&app.app).await.unwrap();
    let mut token = token_of(&link.url);
    secrets.push(token.token.clone());
    token.email = Some("ada@acme.example".to_owned());
    token.tenant_name = Some("Acme".to_owned());
    let ada = app.visitor();
    let me = ada.redeems(token).await.ok::<wire::api::me::Me>();
    let (tenant, user) = (me.memberships[0].tenant, me.memberships[0].user);
    secrets.push(ada.cookie().unwrap().split_once('=').unwrap().1.to_owned());

    let key = ada
        .posts(&AuthKeysPath { tenant }.to_path(), &json!({}))
        .await;
    secrets.push(key.ok::<CreatedAuthKey>().secret);
    let path = UserLoginLinkPath { tenant, user };
    let link = ada.asks(http::Method::POST, &path.to_path()).await;
    let used = token_of(&link.ok::<OneTimeLink>().url);
    secrets.push(used.token.clone());
    ada.redeems(used.clone()).await.done();
    secrets.push(ada.cookie().unwrap().split_once('=').unwrap().1.to_owned());
    app.visitor().redeems(used).await;
    let body = json!({ "email": "bob@acme.example", "role": "member" });
    let link = ada.posts(&InvitesPath { tenant }.to_path(), &body).await;
    secrets.push(token_of(&link.ok::<OneTimeLink>().url).token);
    let email = "ada@acme.example".parse().unwrap();
    let link = login::login_link(&app.app, &operator(), &email).await;
    secrets.push(token_of(&link.unwrap().url).token);

    let path = PolicyPath { tenant }.to_path();
    let base = ada.gets(&path).await.ok::<Policy>().revision.id;
    let document = "{\"acls\": []} // canary-of-the-policy";
    let body = json!({ "document": document, "base": base });
    ada.puts(&path, &body).await.done();
    let ids = Ids {
        tenant,
        user,
        ..Ids::nowhere()
    };
    for route in routes::all() {
        let is_end = route.template == SessionPath::TEMPLATE;
        if !route.is_stream() && !is_end {
            let answer = route.asked_by(&ada, &ids).await;
            let shown = secrets.iter().find(|s| answer.text().contains(*s));
            assert_eq!(shown, None, "{} shows a secret", route.name());
        }
    }

    let log = app.log();
    assert!(log.contains("http.response") && log.contains(&tenant.to_string()));
    let logged = secrets.iter().find(|secret| log.contains(*secret));
    assert_eq!(logged, None, "a secret is in the log");
    assert!(!log.contains("canary-of-the-policy"));
    let person = log
        .lines()
        .filter(|line| !line.contains("DEBUG") && !line.contains("TRACE"))
        .find(|line| line.contains("@acme.example"));
    assert_eq!(person, None, "a person is named above DEBUG");
    let stored = app.stored().await;
    let holds = |text: &str| stored.windows(text.len()).any(|w| w == text.as_bytes());
    for secret in &secrets {
        // The random part alone, of those that have other parts.
        let random = secret
            .split('_')
            .nth(3)
            .filter(|_| secret.starts_with("warren_"));
        let random = random.unwrap_or(secret);
        assert!(
            random.len() >= 22 && !log.contains(random),
            "a part of a secret is in the log"
        );
        assert!(!holds(secret), "a secret is in the database");
    }
    assert!(
        holds("canary-of-the-policy"),
        "the search finds nothing at all"
    );
}
