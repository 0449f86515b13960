//! Each endpoint: what it does, and what it refuses.

use serde_json::{Value, json};
use wire::{
    TenantId,
    api::{Role, audit::AuditRecord, problem::Code},
    paths::*,
};

use crate::testing::{Persona, TestApp};

mod auth_key;
mod events;
mod explain;
mod explain_pings;
mod explain_places;
mod explain_sign_in;
mod impact;
mod node;
mod policy;
mod registration;
mod routes;
mod server;
mod sign_in;
mod tenant;
mod user;

/// A server with one tenant and its owner.
async fn acme() -> (TestApp, TenantId, Persona) {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let ada = app.member(acme, "ada", Role::Owner).await;
    (app, acme, ada)
}

/// The newest audit records: event and target.
async fn audited(reader: &Persona, tenant: TenantId, most: usize) -> Vec<(String, String)> {
    let page = reader.gets(&AuditPath { tenant }.to_path()).await;
    let page = page.ok::<wire::api::Page<AuditRecord>>();
    let newest = page.items.into_iter().take(most);
    newest.map(|record| (record.event, record.target)).collect()
}

fn record(event: &str, target: &str) -> (String, String) {
    (event.to_owned(), target.to_owned())
}

#[tokio::test]
async fn the_audit_log_is_read_in_pages_newest_first() {
    let (_app, tenant, ada) = acme().await;
    for number in 0..120 {
        let body = json!({ "name": format!("Acme {number}") });
        ada.patches(&TenantPath { tenant }.to_path(), &body)
            .await
            .done();
    }
    let path = AuditPath { tenant }.to_path();
    let mut all: Vec<AuditRecord> = Vec::new();
    let mut next = path.clone();
    loop {
        let page = ada.gets(&next).await.ok::<wire::api::Page<AuditRecord>>();
        all.extend(page.items);
        match page.next {
            Some(cursor) => next = format!("{path}?cursor={cursor}"),
            None => break,
        }
    }
    let updates: Vec<_> = all
        .iter()
        .filter(|record| record.event == "tenant.updated")
        .map(|record| record.target.clone())
        .collect();
    let expected: Vec<_> = (0..120).rev().map(|n| format!("Acme {n}")).collect();
    assert_eq!(updates, expected);
    assert_eq!(all.last().unwrap().event, "tenant.created");
}

#[tokio::test]
async fn the_audit_log_refuses_cursors_that_are_not_its_own_and_plain_members() {
    let (app, tenant, ada) = acme().await;
    let path = AuditPath { tenant }.to_path();
    for query in ["cursor=x", "cursor=-", "page=2", "cursor=1&cursor=2"] {
        let answer = ada.gets(&format!("{path}?{query}")).await;
        answer.problem(Code::Malformed);
    }
    let bob = app.member(tenant, "bob", Role::Member).await;
    bob.gets(&path).await.problem(Code::Forbidden);
}
