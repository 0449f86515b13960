use wire::api::{me::Me, server::ServerInfo};

use super::*;

#[tokio::test]
async fn who_is_signed_in_learns_who_he_is_and_where_machines_connect_to() {
    let (_app, tenant, ada) = acme().await;
    let me = ada.gets(&MePath {}.to_path()).await.ok::<Me>();
    assert_eq!(me.email, "ada@acme.example");
    let [membership] = me.memberships.as_slice() else {
        panic!("{me:?}");
    };
    assert_eq!(
        (membership.tenant, membership.user, membership.role),
        (tenant, ada.user, Role::Owner)
    );
    let info = ada.gets(&ServerPath {}.to_path()).await.ok::<ServerInfo>();
    assert_eq!(info.url, "http://127.0.0.1:8080");
    assert_eq!(info.ca_sha256, None);
    assert_eq!(info.install_command.is_some(), info.install_url.is_some());
}

#[tokio::test]
async fn others_learn_nothing() {
    let app = TestApp::new().await;
    for path in [MePath {}.to_path(), ServerPath {}.to_path()] {
        app.visitor()
            .gets(&path)
            .await
            .problem(Code::Unauthenticated);
    }
}
