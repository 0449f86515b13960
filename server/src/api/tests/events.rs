use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt as _;
use http::Method;
use tokio::time::timeout;
use wire::api::event::Event;

use super::*;
use crate::{db::NodeOwner, tenancy::Changed};

/// A stream of events as a browser reads it.
struct Listener {
    body: BodyDataStream,
    text: String,
}

impl Listener {
    async fn open(who: &Persona, tenant: TenantId) -> Self {
        let path = EventsPath { tenant }.to_path();
        let request = who.request(Method::GET, &path);
        let response = who
            .opens(request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut listener = Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        };
        assert_eq!(listener.next().await, Some(Event::Hello));
        listener
    }

    /// The next event; `None`: the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((line, rest)) = self.text.split_once("\n\n") {
                let event = line
                    .strip_prefix("data: ")
                    .map(|json| serde_json::from_str(json).unwrap());
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let chunk = timeout(Duration::from_mins(1), self.body.next()).await;
            let bytes = chunk.expect("an event, or the end")?;
            self.text
                .push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn a_console_hears_of_its_tenant_and_of_no_other() {
    let (app, tenant, ada) = acme().await;
    let globex = app.tenant("globex").await;
    let eve = app.member(globex, "eve", Role::Owner).await;
    let mut hears = Listener::open(&ada, tenant).await;
    let path = AuthKeysPath { tenant: globex }.to_path();
    eve.posts(&path, &json!({})).await.done();
    ada.patches(&TenantPath { tenant }.to_path(), &json!({ "name": "A" }))
        .await
        .done();
    assert_eq!(hears.next().await, Some(Event::Tenant));
    app.node(tenant, "web", NodeOwner::User(ada.user)).await;
    assert_eq!(hears.next().await, Some(Event::Nodes));
}

#[tokio::test]
async fn a_storm_of_changes_is_told_once() {
    let (app, tenant, ada) = acme().await;
    let mut hears = Listener::open(&ada, tenant).await;
    for _ in 0..100 {
        app.app.hub.changed(tenant, Changed::AuthKeys).await;
    }
    app.app.hub.changed(tenant, Changed::Policy).await;
    assert_eq!(hears.next().await, Some(Event::AuthKeys));
    assert_eq!(hears.next().await, Some(Event::Policy));
    app.app.hub.changed(tenant, Changed::Settings).await;
    assert_eq!(hears.next().await, Some(Event::Tenant));
}

#[tokio::test]
async fn who_is_removed_or_signs_out_hears_no_more() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let mut hears = Listener::open(&bob, tenant).await;
    assert_eq!(app.app.metrics.event_streams.get(), 1);
    let path = UserPath {
        tenant,
        user: bob.user,
    };
    ada.deletes(&path.to_path()).await.done();
    assert_eq!(hears.next().await, None);

    let eve = app.member(tenant, "eve", Role::Member).await;
    let mut hears = Listener::open(&eve, tenant).await;
    eve.deletes(&SessionPath {}.to_path()).await.done();
    app.app.hub.changed(tenant, Changed::Users).await;
    assert_eq!(hears.next().await, None);
    assert_eq!(app.app.metrics.event_streams.get(), 0);
}

#[tokio::test]
async fn a_stream_ends_with_the_server() {
    let (app, tenant, ada) = acme().await;
    let mut hears = Listener::open(&ada, tenant).await;
    app.app.stop.cancel();
    assert_eq!(hears.next().await, None);
}

#[tokio::test]
async fn other_sites_and_strangers_hear_nothing() {
    let (app, tenant, ada) = acme().await;
    let path = EventsPath { tenant }.to_path();
    let foreign = http::Request::builder()
        .uri(&path)
        .header("sec-fetch-site", "cross-site")
        .header("cookie", ada.cookie().unwrap())
        .body(axum::body::Body::empty())
        .unwrap();
    ada.sends(foreign).await.problem(Code::CrossSite);
    app.visitor()
        .gets(&path)
        .await
        .problem(Code::Unauthenticated);
    let globex = app.tenant("globex").await;
    let path = EventsPath { tenant: globex }.to_path();
    ada.gets(&path).await.problem(Code::NotFound);
}

#[tokio::test]
async fn one_person_holds_so_many_streams_and_no_more() {
    let (app, tenant, ada) = acme().await;
    let mut all = Vec::new();
    for _ in 0..32 {
        all.push(Listener::open(&ada, tenant).await);
    }
    let path = EventsPath { tenant }.to_path();
    ada.gets(&path).await.problem(Code::TooMany);
    let bob = app.member(tenant, "bob", Role::Member).await;
    Listener::open(&bob, tenant).await;
    all.pop();
    Listener::open(&ada, tenant).await;
}
