//! Keys end, rotate and are given up.

use std::time::Duration;

use wire::{Timestamp, control::RegisterRequest};

use super::{KeyTerms, Node, World, node::Connection, world::Tenant};

const DAY: Duration = Duration::from_hours(24);

struct Joined {
    world: World,
    tenant: Tenant,
    secret: String,
    node: Node,
    connection: Connection,
}

async fn joined(terms: KeyTerms) -> Joined {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, _) = world.key(&tenant, terms).await;
    let node = Node::new("laptop");
    let connection = node.connect(&world).await;
    let answer = connection.register(&node.with_key(&secret)).await;
    assert!(answer.machine_authorized);
    Joined {
        world,
        tenant,
        secret,
        node,
        connection,
    }
}

fn reusable() -> KeyTerms {
    KeyTerms {
        reusable: true,
        ..KeyTerms::default()
    }
}

fn rotation(old: &Node, new: RegisterRequest) -> RegisterRequest {
    RegisterRequest {
        old_node_key: old.key(),
        ..new
    }
}

fn log_out(node: &Node) -> RegisterRequest {
    RegisterRequest {
        expiry: Some(Timestamp::from_unix_seconds(123)),
        ..node.request()
    }
}

#[tokio::test]
async fn an_expired_key_is_told_so_and_its_machine_signs_in_again_as_the_same_node() {
    let j = joined(reusable()).await;
    let before = j.world.node(j.node.key()).await.unwrap();
    j.world.clock.advance(181 * DAY);
    let (fresh, _) = j.world.key(&j.tenant, reusable()).await;
    for request in [j.node.request(), j.node.with_key(&fresh)] {
        let answer = j.connection.register(&request).await;
        assert!(answer.node_key_expired);
        assert_eq!(answer.error, "");
    }
    let renewed = j.node.renewed();
    let request = rotation(&j.node, renewed.with_key(&fresh));
    let answer = j.connection.register(&request).await;
    assert!(answer.machine_authorized && !answer.node_key_expired);
    let after = j.world.node(renewed.key()).await.unwrap();
    assert_eq!((after.id, after.ipv4), (before.id, before.ipv4));
    assert!(after.key_expiry > Some(j.world.app.clock.now()));
    assert!(j.world.node(j.node.key()).await.is_none());
    assert_eq!(j.world.nodes(&j.tenant).await.len(), 1);
    let audit = j.world.audit(&j.tenant).await;
    assert_eq!(audit.last().unwrap().event, "node.signed_in");
}

#[tokio::test]
async fn the_old_key_lives_until_the_new_one_is_authorised() {
    let j = joined(reusable()).await;
    let renewed = j.node.renewed();
    let answer = j
        .connection
        .register(&rotation(&j.node, renewed.request()))
        .await;
    assert!(!answer.auth_url.is_empty());
    let still = j.connection.register(&j.node.request()).await;
    assert!(still.machine_authorized && !still.node_key_expired);
    let request = rotation(&j.node, renewed.with_key(&j.secret));
    assert!(j.connection.register(&request).await.machine_authorized);
    assert!(j.world.node(j.node.key()).await.is_none());
    assert_eq!(j.world.nodes(&j.tenant).await.len(), 1);
}

#[tokio::test]
async fn a_client_never_extends_its_expiry_but_may_shorten_it() {
    let j = joined(reusable()).await;
    let now = j.world.app.clock.now();
    let ours = j
        .world
        .node(j.node.key())
        .await
        .unwrap()
        .key_expiry
        .unwrap();
    let wish = |at| RegisterRequest {
        expiry: Some(at),
        ..j.node.request()
    };
    j.connection.register(&wish(ours.plus(DAY))).await;
    let kept = j.world.node(j.node.key()).await.unwrap().key_expiry;
    assert_eq!(kept, Some(ours));
    j.connection.register(&wish(now.plus(DAY))).await;
    let shorter = j.world.node(j.node.key()).await.unwrap().key_expiry;
    assert_eq!(shorter, Some(now.plus(DAY)));
    let audit = j.world.audit(&j.tenant).await;
    assert_eq!(audit.last().unwrap().event, "node.expiry_shortened");
    j.world.clock.advance(2 * DAY);
    j.connection.register(&wish(ours)).await;
    let over = j.connection.register(&j.node.request()).await;
    assert!(over.node_key_expired);
}

#[tokio::test]
async fn logging_out_is_an_expiry_in_the_past_also_with_an_auth_key() {
    let j = joined(reusable()).await;
    let request = RegisterRequest {
        auth: j.node.with_key(&j.secret).auth,
        ..log_out(&j.node)
    };
    let answer = j.connection.register(&request).await;
    assert!(answer.node_key_expired && answer.error.is_empty());
    let stored = j.world.node(j.node.key()).await.unwrap();
    assert_eq!(stored.key_expiry, Some(j.world.app.clock.now()));
    let audit = j.world.audit(&j.tenant).await;
    assert_eq!(audit.last().unwrap().event, "node.logged_out");
    // Once more changes nothing.
    j.connection.register(&log_out(&j.node)).await;
    assert_eq!(j.world.audit(&j.tenant).await.len(), audit.len());
    // A client that logged out has forgotten its old key and comes back as itself.
    let renewed = j.node.renewed();
    let answer = j.connection.register(&renewed.with_key(&j.secret)).await;
    assert!(answer.machine_authorized);
    let again = j.world.node(renewed.key()).await.unwrap();
    assert_eq!((again.id, again.ipv4), (stored.id, stored.ipv4));
}

#[tokio::test]
async fn an_ephemeral_node_that_logs_out_is_gone() {
    let terms = KeyTerms {
        ephemeral: true,
        ..reusable()
    };
    let j = joined(terms).await;
    assert!(j.world.node(j.node.key()).await.unwrap().ephemeral);
    let answer = j.connection.register(&log_out(&j.node)).await;
    assert!(answer.node_key_expired);
    assert!(j.world.nodes(&j.tenant).await.is_empty());
    let audit = j.world.audit(&j.tenant).await;
    assert_eq!(audit.last().unwrap().event, "node.logged_out");
    // A client may ask for it by itself, too.
    let own_wish = Node::new("job");
    let request = RegisterRequest {
        ephemeral: true,
        ..own_wish.with_key(&j.world.key(&j.tenant, reusable()).await.0)
    };
    own_wish.connect(&j.world).await.register(&request).await;
    assert!(j.world.node(own_wish.key()).await.unwrap().ephemeral);
}
