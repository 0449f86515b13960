//! A person lets a machine in.

use std::time::Duration;

use tokio::time::timeout;
use wire::{
    api::{Role, problem::Code},
    control::{RegisterRequest, RegisterResponse},
    paths::registration_token,
};

use super::{KeyTerms, Node, World, node::Connection, world::Tenant};
use crate::{
    act::registration::{confirm, look},
    db::NodeOwner,
    error::Error,
};

const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(10);

fn followup(node: &Node, url: &str) -> RegisterRequest {
    RegisterRequest {
        followup: url.to_owned(),
        ..node.request()
    }
}

fn token(answer: &RegisterResponse) -> String {
    registration_token(&answer.auth_url).unwrap().to_owned()
}

struct Waits {
    world: World,
    tenant: Tenant,
    node: Node,
    connection: Connection,
    answer: RegisterResponse,
}

async fn waits() -> Waits {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let node = Node::new("phone");
    let connection = node.connect(&world).await;
    let answer = connection.register(&node.request()).await;
    assert!(!answer.machine_authorized && answer.error.is_empty());
    Waits {
        world,
        tenant,
        node,
        connection,
        answer,
    }
}

#[tokio::test]
async fn the_machine_is_held_until_its_person_has_confirmed() {
    let w = waits().await;
    let url = &w.answer.auth_url;
    assert!(url.starts_with("http://127.0.0.1:8080/register/"), "{url}");
    let (token, app) = (token(&w.answer), &w.world.app);
    let seen = look(app, &token).unwrap();
    assert_eq!(
        (seen.hostname.as_str(), seen.os.as_str()),
        ("phone", "linux")
    );
    assert_eq!(seen.node_key, w.node.key().short());
    assert_eq!(seen.address, "127.0.0.1");
    assert_eq!(seen.tenant, None);

    let request = followup(&w.node, url);
    let held = w.connection.register(&request);
    tokio::pin!(held);
    assert!(
        timeout(SOON, held.as_mut()).await.is_err(),
        "answered at once"
    );
    let by = w.tenant.owner();
    let confirmed = confirm(app, &by, w.tenant.id, &token).await.unwrap();
    assert_eq!(confirmed.name, "phone");
    assert!(confirmed.approved);
    let answer = timeout(LATE, held).await.unwrap();
    assert!(answer.machine_authorized && answer.auth_url.is_empty());
    assert_eq!(answer.login.login_name, w.tenant.email);
    let audit = w.world.audit(&w.tenant).await;
    assert_eq!(audit[0].event, "node.joined");
    assert_eq!(audit[0].actor, by);
    // The link has done its work.
    let gone = confirm(app, &by, w.tenant.id, &token).await;
    assert!(matches!(gone, Err(Error::Conflict(Code::RegistrationGone))));
    // Who comes late with the link is told how things stand.
    let late = w.connection.register(&request).await;
    assert!(late.machine_authorized);
}

#[tokio::test]
async fn a_link_that_was_lost_in_a_restart_is_replaced() {
    let w = waits().await;
    let world = w.world.restart().await;
    let connection = w.node.connect(&world).await;
    let request = followup(&w.node, &w.answer.auth_url);
    let answer = timeout(LATE, connection.register(&request)).await.unwrap();
    assert!(!answer.auth_url.is_empty() && answer.auth_url != w.answer.auth_url);
    let by = w.tenant.owner();
    confirm(&world.app, &by, w.tenant.id, &token(&answer))
        .await
        .unwrap();
    let request = followup(&w.node, &answer.auth_url);
    assert!(connection.register(&request).await.machine_authorized);
}

#[tokio::test]
async fn a_held_machine_does_not_keep_the_server_from_stopping() {
    let w = waits().await;
    let request = followup(&w.node, &w.answer.auth_url);
    let held = async { w.connection.post("/machine/register", &request).await };
    tokio::pin!(held);
    assert!(timeout(SOON, held.as_mut()).await.is_err());
    w.world.app.stop.cancel();
    let answer = timeout(LATE, held).await.unwrap();
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn the_link_of_one_machine_is_of_no_use_to_another() {
    let w = waits().await;
    let thief = Node::new("thief");
    let connection = thief.connect(&w.world).await;
    let request = followup(&thief, &w.answer.auth_url);
    let answer = timeout(LATE, connection.register(&request)).await.unwrap();
    assert!(!answer.machine_authorized && answer.auth_url != w.answer.auth_url);
}

#[tokio::test]
async fn of_two_who_confirm_at_once_one_succeeds() {
    let w = waits().await;
    let bob = w
        .world
        .member(&w.tenant, "bob@acme.example", Role::Member)
        .await;
    let (token, app) = (token(&w.answer), &w.world.app);
    let (ada, by) = (w.tenant.owner(), bob.owner());
    let (first, second) = tokio::join!(
        confirm(app, &ada, w.tenant.id, &token),
        confirm(app, &by, w.tenant.id, &token)
    );
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
    assert_eq!(w.world.nodes(&w.tenant).await.len(), 1);
}

#[tokio::test]
async fn nobody_confirms_into_a_tenant_that_is_not_his() {
    let w = waits().await;
    let other = w.world.tenant("globex").await;
    let token = token(&w.answer);
    let refused = confirm(&w.world.app, &other.owner(), w.tenant.id, &token).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    assert!(w.world.nodes(&w.tenant).await.is_empty());
    look(&w.world.app, &token).unwrap();
}

#[tokio::test]
async fn signing_in_again_stays_in_the_tenant_and_keeps_the_node() {
    let w = waits().await;
    let by = w.tenant.owner();
    confirm(&w.world.app, &by, w.tenant.id, &token(&w.answer))
        .await
        .unwrap();
    let before = w.world.node(w.node.key()).await.unwrap();
    w.world.clock.advance(Duration::from_hours(24 * 181));
    let expired = w.connection.register(&w.node.request()).await;
    assert!(expired.node_key_expired);
    let renewed = w.node.renewed();
    let request = RegisterRequest {
        old_node_key: w.node.key(),
        ..renewed.request()
    };
    let answer = w.connection.register(&request).await;
    let again = token(&answer);
    let seen = look(&w.world.app, &again).unwrap();
    assert_eq!(seen.tenant, Some(w.tenant.id));
    let other = w.world.tenant("globex").await;
    let elsewhere = confirm(&w.world.app, &other.owner(), other.id, &again).await;
    assert!(matches!(elsewhere, Err(Error::Invalid(_))));
    confirm(&w.world.app, &by, w.tenant.id, &again)
        .await
        .unwrap();
    let after = w.world.node(renewed.key()).await.unwrap();
    assert_eq!((after.id, after.ipv4), (before.id, before.ipv4));
    assert!(after.key_expiry > Some(w.world.app.clock.now()));
}

#[tokio::test]
async fn requested_tags_are_the_persons_to_give() {
    let world = World::start().await;
    let ada = world.tenant("acme").await;
    let bob = world.member(&ada, "bob@acme.example", Role::Member).await;
    let law = r#"{"acls": [], "tagOwners": {"tag:prod": ["autogroup:owner"]}}"#;
    world.policy(&ada, law).await;
    let mut node = Node::new("db");
    node.tags = vec!["tag:prod".into()];
    let connection = node.connect(&world).await;
    let answer = connection.register(&node.request()).await;
    let token = token(&answer);
    assert_eq!(look(&world.app, &token).unwrap().requested_tags, node.tags);
    let refused = confirm(&world.app, &bob.owner(), ada.id, &token).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    confirm(&world.app, &ada.owner(), ada.id, &token)
        .await
        .unwrap();
    let owner = world.node(node.key()).await.unwrap().owner;
    assert_eq!(owner, NodeOwner::Tags(vec!["tag:prod".parse().unwrap()]));
}

#[tokio::test]
async fn a_machine_that_found_a_key_meanwhile_leaves_its_link_without_force() {
    let w = waits().await;
    let (secret, _) = w.world.key(&w.tenant, KeyTerms::default()).await;
    let answer = w.connection.register(&w.node.with_key(&secret)).await;
    assert!(answer.machine_authorized);
    let late = confirm(
        &w.world.app,
        &w.tenant.owner(),
        w.tenant.id,
        &token(&w.answer),
    )
    .await;
    assert!(matches!(late, Err(Error::Conflict(Code::RegistrationGone))));
    assert_eq!(w.world.nodes(&w.tenant).await.len(), 1);
}
