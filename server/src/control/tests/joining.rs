//! Machines join by auth keys, and come back.

use std::sync::Arc;

use http::StatusCode;
use tokio::task::JoinSet;
use wire::{
    CapabilityVersion, NodeKey,
    api::{Role, me::Actor, tenant::Settings},
    control::RegisterRequest,
};

use super::{super::Control, KeyTerms, Node, World};
use crate::db::NodeOwner;

fn reusable() -> KeyTerms {
    KeyTerms {
        reusable: true,
        ..KeyTerms::default()
    }
}

#[tokio::test]
async fn an_auth_key_lets_a_machine_join_and_the_audit_log_says_so() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, key) = world.key(&tenant, KeyTerms::default()).await;
    let node = Node::new("Ada's Laptop");
    let answer = node
        .connect(&world)
        .await
        .register(&node.with_key(&secret))
        .await;
    assert_eq!(answer.error, "");
    assert_eq!(answer.auth_url, "");
    assert!(answer.machine_authorized && !answer.node_key_expired);
    assert_eq!(answer.login.login_name, tenant.email);
    assert_eq!(answer.user.id, tenant.user);

    let stored = world.node(node.key()).await.unwrap();
    assert_eq!(stored.name.as_str(), "ada-s-laptop");
    assert_eq!(stored.machine_key, node.machine.public());
    assert_eq!(stored.owner, NodeOwner::User(tenant.user));
    assert!(stored.key_expiry.is_some());
    let audit = world.audit(&tenant).await;
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].event, "node.joined");
    assert_eq!(audit[0].actor, Actor::AuthKey { key });
}

#[tokio::test]
async fn the_answer_holds_every_field_and_no_null() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, _) = world.key(&tenant, KeyTerms::default()).await;
    let node = Node::new("strict");
    let connection = node.connect(&world).await;
    let odd = Node {
        tags: vec!["tag:\"\\\u{1}".into()],
        ..node.clone()
    };
    for request in [
        node.with_key("wrong"),
        odd.with_key(&secret),
        node.with_key(&secret),
    ] {
        let answer = connection.post("/machine/register", &request).await;
        let text = answer.text();
        for field in [
            "\"User\":{\"ID\":",
            "\"Login\":{\"ID\":",
            "\"Provider\":",
            "\"LoginName\":",
            "\"NodeKeyExpired\":",
            "\"MachineAuthorized\":",
            "\"AuthURL\":",
            "\"Error\":",
        ] {
            assert!(text.contains(field), "{field} is missing in {text}");
        }
        for never in ["null", "NodeKeySignature", "\\"] {
            assert!(!text.contains(never), "{never} in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_machines_with_a_one_off_key_exactly_one_joins() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, key) = world.key(&tenant, KeyTerms::default()).await;
    let mut tries = JoinSet::new();
    for n in 0..24 {
        let node = Node::new(&format!("n{n}"));
        let connection = node.connect(&world).await;
        let request = node.with_key(&secret);
        tries.spawn(async move {
            let answer = connection.post("/machine/register", &request).await;
            answer.text().contains("\"MachineAuthorized\":true")
        });
    }
    let joined = tries.join_all().await.into_iter().filter(|j| *j).count();
    assert_eq!(joined, 1);
    assert_eq!(world.nodes(&tenant).await.len(), 1);
    assert_eq!(world.uses(&tenant, key).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_asks_twice_at_once_joins_once() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, key) = world.key(&tenant, KeyTerms::default()).await;
    let node = Node::new("eager");
    let connection = node.connect(&world).await;
    let request = node.with_key(&secret);
    let (a, b, c) = tokio::join!(
        connection.register(&request),
        connection.register(&request),
        connection.register(&request)
    );
    assert!(a.machine_authorized && b.machine_authorized && c.machine_authorized);
    assert_eq!(world.nodes(&tenant).await.len(), 1);
    assert_eq!(world.uses(&tenant, key).await, 1);
}

#[tokio::test]
async fn a_known_node_that_comes_back_uses_nothing_up() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, key) = world.key(&tenant, reusable()).await;
    let node = Node::new("server");
    node.connect(&world)
        .await
        .register(&node.with_key(&secret))
        .await;
    let world = world.restart().await;
    let connection = node.connect(&world).await;
    let bare = connection.register(&node.request()).await;
    assert!(bare.machine_authorized && bare.auth_url.is_empty());
    assert_eq!(bare.login.login_name, tenant.email);
    let with_key = connection.register(&node.with_key(&secret)).await;
    assert!(with_key.machine_authorized);
    let with_nonsense = connection.register(&node.with_key("nonsense")).await;
    assert!(with_nonsense.machine_authorized);
    assert_eq!(world.uses(&tenant, key).await, 1);
    assert_eq!(world.nodes(&tenant).await.len(), 1);
    assert_eq!(world.audit(&tenant).await.len(), 1);
}

#[tokio::test]
async fn a_node_that_comes_back_updated_is_noted() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, _) = world.key(&tenant, reusable()).await;
    let mut node = Node::new("server");
    node.version = CapabilityVersion(120);
    node.connect(&world)
        .await
        .register(&node.with_key(&secret))
        .await;
    node.version = CapabilityVersion(145);
    node.connect(&world).await.register(&node.request()).await;
    let stored = world.node(node.key()).await.unwrap();
    assert_eq!(stored.capability, CapabilityVersion(145));
}

#[tokio::test]
async fn each_way_a_key_fails_has_its_own_sentence() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (used, _) = world.key(&tenant, KeyTerms::default()).await;
    let (revoked, id) = world.key(&tenant, reusable()).await;
    let (expired, _) = world.key(&tenant, reusable()).await;
    let node = Node::new("first");
    node.connect(&world)
        .await
        .register(&node.with_key(&used))
        .await;
    world
        .app
        .db
        .write(tenant.id, move |rows| async move {
            rows.revoke_auth_key(id).await
        })
        .await
        .unwrap();
    let stranger = crate::secret::token::generate(crate::secret::token::Kind::Auth, world.app.rng);
    let mistyped = used.replacen("warren_auth", "warren_aufh", 1);
    let node = Node::new("second");
    let connection = node.connect(&world).await;
    for (secret, word) in [
        (used.as_str(), "is used"),
        (&revoked, "revoked"),
        (&stranger, "does not know"),
        (&mistyped, "copy it again"),
    ] {
        let answer = connection.register(&node.with_key(secret)).await;
        assert!(answer.error.contains(word), "{}", answer.error);
        assert!(!answer.machine_authorized && answer.auth_url.is_empty());
    }
    world.clock.advance(std::time::Duration::from_hours(25));
    let answer = connection.register(&node.with_key(&expired)).await;
    assert!(answer.error.contains("expired"), "{}", answer.error);
    assert_eq!(world.nodes(&tenant).await.len(), 1);
}

#[tokio::test]
async fn registrations_are_limited_by_their_key_and_no_other() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (busy, id) = world.key(&tenant, reusable()).await;
    let (other, _) = world.key(&tenant, reusable()).await;
    let control = Arc::new(Control::new(Arc::clone(&world.app)));
    // Ten seconds' worth at once.
    for _ in 0..5000 {
        control.registrations.count(id, world.app.clock.instant());
    }
    let (one, two) = (Node::new("one"), Node::new("two"));
    let (connection, _served) = one.connect_in_memory_to(&world, Arc::clone(&control)).await;
    let asked = one.with_key(&busy);
    let answer = connection.post("/machine/register", &asked).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers.contains_key("retry-after"));
    assert!(world.node(one.key()).await.is_none());
    let (connection, _served) = two.connect_in_memory_to(&world, control).await;
    let answer = connection.register(&two.with_key(&other)).await;
    assert!(answer.machine_authorized, "{}", answer.error);
}

#[tokio::test]
async fn failed_registrations_are_limited_by_address() {
    let world = World::start().await;
    let node = Node::new("guesser");
    let connection = node.connect(&world).await;
    for n in 0..500 {
        let answer = connection
            .post("/machine/register", &node.with_key("guess"))
            .await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(n >= 5, "only {n} failures were allowed");
            assert_eq!(answer.headers["retry-after"], "1");
            // A neighbour with a good key is let in all the same.
            let tenant = world.tenant("acme").await;
            let (secret, _) = world.key(&tenant, KeyTerms::default()).await;
            let answer = connection.register(&node.with_key(&secret)).await;
            assert!(answer.machine_authorized, "{}", answer.error);
            return;
        }
    }
    panic!("500 failures and no limit");
}

#[tokio::test]
async fn the_node_key_of_another_machine_is_answered_like_an_unknown_one() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let (secret, _) = world.key(&tenant, reusable()).await;
    let node = Node::new("victim");
    node.connect(&world)
        .await
        .register(&node.with_key(&secret))
        .await;
    let thief = Node {
        machine: Node::new("").machine,
        ..node.clone()
    };
    let connection = thief.connect(&world).await;
    let stolen = connection.register(&thief.request()).await;
    let unknown = connection.register(&thief.renewed().request()).await;
    for answer in [&stolen, &unknown] {
        assert!(answer.auth_url.contains("/register/") && !answer.machine_authorized);
        assert_eq!(answer.login.login_name, "");
    }
    // Logging somebody else out does nothing and says nothing.
    let past = Some(wire::Timestamp::from_unix_seconds(123));
    let log_out = |node: &Node| RegisterRequest {
        expiry: past,
        ..node.request()
    };
    let stolen = connection.post("/machine/register", &log_out(&thief)).await;
    let unknown = connection
        .post("/machine/register", &log_out(&thief.renewed()))
        .await;
    assert_eq!(stolen.body, unknown.body);
    assert!(world.node(node.key()).await.unwrap().key_expiry > Some(world.app.clock.now()));
    // Nor does joining with it.
    let answer = connection.register(&thief.with_key(&secret)).await;
    assert!(answer.error.contains("another machine"), "{}", answer.error);
    let kept = world.node(node.key()).await.unwrap();
    assert_eq!(kept.machine_key, node.machine.public());
    for path in [thief.map_request(), thief.renewed().map_request()] {
        let answer = connection.post("/machine/map", &path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.text(), "node not found\n");
    }
}

#[tokio::test]
async fn one_machine_may_be_a_node_in_several_tenants() {
    let world = World::start().await;
    let (a, b) = (world.tenant("acme").await, world.tenant("globex").await);
    let (key_a, _) = world.key(&a, reusable()).await;
    let (key_b, _) = world.key(&b, reusable()).await;
    let first = Node::new("both");
    let second = first.renewed();
    let connection = first.connect(&world).await;
    let in_a = connection.register(&first.with_key(&key_a)).await;
    let in_b = connection.register(&second.with_key(&key_b)).await;
    assert_eq!(in_a.login.login_name, a.email);
    assert_eq!(in_b.login.login_name, b.email);
    let again = connection.register(&first.request()).await;
    assert_eq!(again.login.login_name, a.email);
    let (a, b) = (world.nodes(&a).await, world.nodes(&b).await);
    assert_eq!((a.len(), b.len()), (1, 1));
    assert_ne!(a[0].id, b[0].id);
    assert_ne!(a[0].ipv4, b[0].ipv4);
}

#[tokio::test]
async fn two_people_may_share_a_machine() {
    let world = World::start().await;
    let ada = world.tenant("acme").await;
    let bob = world.member(&ada, "bob@acme.example", Role::Member).await;
    let (key_a, _) = world.key(&ada, reusable()).await;
    let (key_b, _) = world.key(&bob, reusable()).await;
    let first = Node::new("shared");
    let second = first.renewed();
    let connection = first.connect(&world).await;
    connection.register(&first.with_key(&key_a)).await;
    let request = RegisterRequest {
        old_node_key: first.key(),
        ..second.with_key(&key_b)
    };
    let answer = connection.register(&request).await;
    assert_eq!(answer.login.login_name, bob.email);
    let owners: Vec<_> = world
        .nodes(&ada)
        .await
        .into_iter()
        .map(|n| n.owner)
        .collect();
    assert_eq!(
        owners,
        [NodeOwner::User(ada.user), NodeOwner::User(bob.user)]
    );
}

#[tokio::test]
async fn a_tagged_key_makes_tagged_nodes_that_do_not_expire() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let terms = KeyTerms {
        tags: vec!["tag:server"],
        ..reusable()
    };
    let (secret, _) = world.key(&tenant, terms).await;
    let node = Node::new("web");
    let answer = node
        .connect(&world)
        .await
        .register(&node.with_key(&secret))
        .await;
    assert_eq!(answer.login.login_name, "tagged-devices");
    assert_ne!(answer.user.id, tenant.user);
    let stored = world.node(node.key()).await.unwrap();
    assert_eq!(
        stored.owner,
        NodeOwner::Tags(vec!["tag:server".parse().unwrap()])
    );
    assert_eq!(stored.key_expiry, None);
}

const TAGS: &str = r#"{"acls": [], "tagOwners": {
    "tag:ci": ["autogroup:member"], "tag:prod": ["autogroup:owner"], "tag:child": ["tag:parent"],
    "tag:parent": []}}"#;

#[tokio::test]
async fn requested_tags_need_the_policys_consent() {
    let world = World::start().await;
    let ada = world.tenant("acme").await;
    let bob = world.member(&ada, "bob@acme.example", Role::Member).await;
    world.policy(&ada, TAGS).await;
    let (bobs, id) = world.key(&bob, reusable()).await;
    let terms = KeyTerms {
        tags: vec!["tag:parent"],
        ..reusable()
    };
    let (parents, _) = world.key(&ada, terms).await;
    let mut node = Node::new("ci");
    let connection = node.connect(&world).await;
    for refused in ["tag:prod", "tag:none", "prod"] {
        node.tags = vec![refused.to_owned()];
        let answer = connection.register(&node.with_key(&bobs)).await;
        assert!(answer.error.contains(refused), "{}", answer.error);
    }
    assert_eq!(world.uses(&ada, id).await, 0);
    node.tags = vec!["tag:ci".into()];
    let answer = connection.register(&node.with_key(&bobs)).await;
    assert_eq!(answer.error, "");
    let owner = world.node(node.key()).await.unwrap().owner;
    assert_eq!(owner, NodeOwner::Tags(vec!["tag:ci".parse().unwrap()]));

    let mut child = Node::new("child");
    child.tags = vec!["tag:ci".into()];
    let connection = child.connect(&world).await;
    let answer = connection.register(&child.with_key(&parents)).await;
    assert!(answer.error.contains("tag:ci"), "{}", answer.error);
    child.tags = vec!["tag:child".into()];
    let answer = connection.register(&child.with_key(&parents)).await;
    assert_eq!(answer.error, "");
    let owner = world.node(child.key()).await.unwrap().owner;
    let both = ["tag:child", "tag:parent"].map(|t| t.parse().unwrap());
    assert_eq!(owner, NodeOwner::Tags(both.into()));
}

#[tokio::test]
async fn a_device_waits_for_approval_unless_its_key_vouches_for_it() {
    let world = World::start().await;
    let tenant = world.tenant("acme").await;
    let settings = Settings {
        device_approval: true,
        ..Settings::default()
    };
    world.set(&tenant, settings).await;
    let (plain, _) = world.key(&tenant, reusable()).await;
    let terms = KeyTerms {
        preapproved: true,
        ..reusable()
    };
    let (vouching, _) = world.key(&tenant, terms).await;
    let (waits, enters) = (Node::new("waits"), Node::new("enters"));
    let connection = waits.connect(&world).await;
    let answer = connection.register(&waits.with_key(&plain)).await;
    assert!(!answer.machine_authorized && answer.error.is_empty() && answer.auth_url.is_empty());
    assert!(
        !connection
            .register(&waits.request())
            .await
            .machine_authorized
    );
    let id = world.node(waits.key()).await.unwrap().id;
    world
        .app
        .db
        .write(
            tenant.id,
            move |rows| async move { rows.approve_node(id).await },
        )
        .await
        .unwrap();
    assert!(
        connection
            .register(&waits.request())
            .await
            .machine_authorized
    );
    let connection = enters.connect(&world).await;
    let answer = connection.register(&enters.with_key(&vouching)).await;
    assert!(answer.machine_authorized);
}

#[tokio::test]
async fn requests_without_a_version_or_a_key_are_refused_in_words() {
    let world = World::start().await;
    let node = Node::new("odd");
    let connection = node.connect(&world).await;
    let old = RegisterRequest {
        version: CapabilityVersion(114),
        ..node.request()
    };
    assert!(connection.register(&old).await.error.contains("too old"));
    let keyless = RegisterRequest {
        node_key: NodeKey::ZERO,
        ..node.request()
    };
    assert!(
        connection
            .register(&keyless)
            .await
            .error
            .contains("node key")
    );
    let map = wire::control::MapRequest {
        version: CapabilityVersion(114),
        ..node.map_request()
    };
    let answer = connection.post("/machine/map", &map).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("too old"));
}
