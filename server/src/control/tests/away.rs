//! The database goes away under a running server, and comes back.

use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep, timeout};
use wire::{
    api::problem::Code,
    control::{MapRequest, MapResponse},
    paths::MePath,
};

use super::{KeyTerms, Node, World, frames::Frames, node::Connection, world::Tenant};
use crate::{
    http::router,
    login,
    testing::{Persona, operator, postgres::database_alone, token_of},
};

/// How soon all must work again.
const RECOVERY: Duration = Duration::from_secs(5);
const LATE: Duration = Duration::from_secs(10);

async fn joined(world: &World, tenant: &Tenant, hostname: &str) -> (Node, Connection) {
    let node = Node::new(hostname);
    let (secret, _) = world.key(tenant, KeyTerms::default()).await;
    let connection = node.connect(world).await;
    let answer = connection.register(&node.with_key(&secret)).await;
    assert!(answer.machine_authorized, "{}", answer.error);
    (node, connection)
}

async fn signed_in(world: &World, tenant: &Tenant) -> Persona {
    let persona = Persona::new(router::main(&world.app));
    let email = tenant.email.parse().unwrap();
    let link = login::login_link(&world.app, &operator(), &email)
        .await
        .unwrap();
    persona.redeems(token_of(&link.url)).await.done();
    persona
}

/// A report with this endpoint.
fn report(node: &Node, endpoint: &str) -> MapRequest {
    MapRequest {
        omit_peers: true,
        endpoints: vec![endpoint.parse().unwrap()],
        ..node.map_request()
    }
}

/// Reads frames until one tells a peer's endpoint.
async fn until_told(frames: &mut Frames, endpoint: &str) {
    let wanted = vec![endpoint.parse().unwrap()];
    let wait = async {
        loop {
            let frame = frames.next().await.expect("the stream goes on");
            let frame: MapResponse = serde_json::from_slice(&frame).unwrap();
            let whole = frame.peers.iter().chain(&frame.peers_changed).flatten();
            let patches = frame.peers_changed_patch.iter().flatten();
            if whole.map(|p| &p.endpoints).any(|e| *e == wanted)
                || patches
                    .filter_map(|p| p.endpoints.as_ref())
                    .any(|e| *e == wanted)
            {
                return;
            }
        }
    };
    timeout(LATE, wait)
        .await
        .expect("the peer's endpoint in time");
}

/// Everybody who needs the database is told to come back, soon, however many ask.
async fn all_are_refused(ada: &(Node, Connection), person: &Persona) {
    let start = Instant::now();
    let asks = (0..20).map(|n| {
        let (ada, person) = (ada.clone(), person.clone());
        tokio::spawn(async move {
            if n % 2 == 0 {
                let answer = person.gets(&MePath {}.to_path()).await;
                answer.problem(Code::Unavailable);
                assert!(answer.headers.contains_key("retry-after"));
            } else {
                let asked = report(&ada.0, "192.0.2.99:1");
                let answer = ada.1.post("/machine/map", &asked).await;
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                assert!(answer.headers.contains_key("retry-after"));
            }
        })
    });
    for ask in asks.collect::<Vec<_>>() {
        ask.await.expect("a refusal");
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(8), "the refusals took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_streams_stay_and_requests_are_told_to_come_back() {
    let Some(database) = database_alone() else {
        return;
    };
    let world = World::start_on(database.url()).await;
    let tenant = world.tenant("acme").await;
    let ada = joined(&world, &tenant, "ada").await;
    let bob = joined(&world, &tenant, "bob").await;
    let person = signed_in(&world, &tenant).await;
    let stream = MapRequest {
        stream: true,
        ..bob.0.map_request()
    };
    let (_, mut frames) = bob.1.map(&stream).await;
    let answer = ada
        .1
        .post("/machine/map", &report(&ada.0, "192.0.2.1:1"))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    until_told(&mut frames, "192.0.2.1:1").await;

    for round in 2..4 {
        database.stop();
        all_are_refused(&ada, &person).await;
        let silent = timeout(Duration::from_millis(300), frames.next()).await;
        assert!(silent.is_err(), "the stream ended or told something");
        database.start_again();
        let back = async {
            while !person.gets(&MePath {}.to_path()).await.status.is_success() {
                sleep(Duration::from_millis(50)).await;
            }
            let endpoint = format!("192.0.2.{round}:1");
            let asked = report(&ada.0, &endpoint);
            while ada.1.post("/machine/map", &asked).await.status != StatusCode::OK {
                sleep(Duration::from_millis(50)).await;
            }
            until_told(&mut frames, &endpoint).await;
        };
        timeout(RECOVERY, back).await.expect("all works again");
    }
    // Presence that could not be stored meanwhile is stored now, and new rows, too.
    joined(&world, &tenant, "carol").await;
    let wanted = vec!["192.0.2.3:1".parse().unwrap()];
    let stored = async {
        while world.node(ada.0.key()).await.unwrap().presence.endpoints != wanted {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LATE, stored).await.expect("presence is stored");
}
