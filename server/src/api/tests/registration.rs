use wire::{
    CapabilityVersion, MachineKey, NodeKey,
    api::{
        node::{Node, Owner},
        registration::{ConfirmedRegistration, Registration},
    },
    control::Hostinfo,
};

use super::*;
use crate::control::pending::Asked;

/// A machine that waits for its person; its token.
fn waiting(app: &TestApp, number: u8) -> String {
    let asked = Asked {
        machine: MachineKey::from_bytes([number; 32]),
        node_key: NodeKey::from_bytes([number; 32]),
        old_node_key: NodeKey::ZERO,
        previous: None,
        hostinfo: Hostinfo {
            hostname: "Atlas.local".to_owned(),
            os: "linux".to_owned(),
            client_version: "1.0".to_owned(),
            ..Hostinfo::default()
        },
        ephemeral: false,
        version: CapabilityVersion::MINIMUM,
        address: [192, 0, 2, 7].into(),
        created: app.clock.wall_now(),
    };
    app.app.pending.ask(asked, app.app.rng).token
}

#[tokio::test]
async fn a_member_sees_what_waits_and_lets_it_join_as_his() {
    let (app, tenant, _) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let token = waiting(&app, 1);
    let path = RegistrationPath { token }.to_path();
    let shown = bob.gets(&path).await.ok::<Registration>();
    assert_eq!(
        (shown.hostname.as_str(), shown.os.as_str()),
        ("Atlas.local", "linux")
    );
    assert_eq!(shown.address, "192.0.2.7");
    let body = json!({ "tenant": tenant });
    let joined = bob.posts(&path, &body).await.ok::<ConfirmedRegistration>();
    assert_eq!((joined.name.as_str(), joined.approved), ("atlas", true));
    let nodes = bob.gets(&NodesPath { tenant }.to_path()).await;
    let nodes = nodes.ok::<Vec<Node>>();
    assert!(matches!(nodes[0].owner, Owner::User { user, .. } if user == bob.user));
    bob.posts(&path, &body)
        .await
        .problem(Code::RegistrationGone);
    bob.gets(&path).await.problem(Code::RegistrationGone);
}

#[tokio::test]
async fn nobody_lets_a_machine_into_a_tenant_that_is_not_his() {
    let (app, _, ada) = acme().await;
    let globex = app.tenant("globex").await;
    let path = RegistrationPath {
        token: waiting(&app, 1),
    }
    .to_path();
    let body = json!({ "tenant": globex });
    ada.posts(&path, &body).await.problem(Code::NotFound);
    let visitor = app.visitor();
    visitor.gets(&path).await.problem(Code::Unauthenticated);
    visitor
        .posts(&path, &body)
        .await
        .problem(Code::Unauthenticated);
    ada.gets(&path).await.done();
    let unknown = RegistrationPath {
        token: "unknown".to_owned(),
    };
    ada.gets(&unknown.to_path())
        .await
        .problem(Code::RegistrationGone);
}
