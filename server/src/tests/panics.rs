//! A fault in one request costs that request.

use serde_json::json;
use wire::{
    api::{Role, auth_key::CreatedAuthKey, problem::Code},
    paths::{AuthKeysPath, MePath, NodesPath},
};

use crate::testing::TestApp;

#[tokio::test]
async fn a_panic_in_a_handler_fails_one_request() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let ada = app.member(acme, "ada", Role::Owner).await;
    let path = NodesPath { tenant: acme }.to_path();
    let mut failed = 0;
    for asks in 0..20 {
        app.clock.panic_after(asks);
        let answer = ada.gets(&path).await;
        // The trap may also have sprung in the tenant's own task, which starts anew.
        if app.clock.disarm() && !answer.status.is_success() {
            let problem = answer.problem(Code::Internal);
            assert!(!problem.detail.contains("injected"));
            failed += 1;
        } else {
            answer.done();
        }
        ada.gets(&path).await.done();
    }
    assert!(failed >= 2, "a handler met the trap {failed} times only");
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_write_costs_that_write() {
    for app in TestApp::on_each_database().await {
        let acme = app.tenant("acme").await;
        let ada = app.member(acme, "ada", Role::Owner).await;
        let path = AuthKeysPath { tenant: acme }.to_path();
        let mut failed = 0;
        for asks in 0..12 {
            let body = json!({ "description": format!("key {asks}") });
            app.clock.panic_after(asks);
            let answer = ada.posts(&path, &body).await;
            if app.clock.disarm() {
                answer.problem(Code::Internal);
                failed += 1;
            } else {
                answer.ok::<CreatedAuthKey>();
            }
            ada.gets(&MePath {}.to_path()).await.done();
        }
        assert!(failed >= 4, "the trap sprang {failed} times only");
        let kept = ada.gets(&path).await.ok::<Vec<serde_json::Value>>().len();
        assert_eq!(kept, 12 - failed, "a failed write left something");
        let rows = app.app.db.tenant(acme).await.unwrap();
        rows.verify_audit().await.unwrap().unwrap();
    }
}
