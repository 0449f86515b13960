use std::time::Duration;

use wire::api::policy::{CheckedPolicy, Policy, Revision, Severity};

use super::*;

const OPEN: &str = r#"{"acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]}"#;

async fn current(reader: &Persona, tenant: TenantId) -> Policy {
    reader.gets(&PolicyPath { tenant }.to_path()).await.ok()
}

#[tokio::test]
async fn a_policy_is_saved_byte_for_byte_and_its_revisions_stay() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let nat = app.member(tenant, "nat", Role::NetworkAdmin).await;
        let path = PolicyPath { tenant }.to_path();
        let first = current(&nat, tenant).await;
        let document = format!("// Everyone, everything.\n{OPEN}\n");
        let body = json!({
            "document": document, "reason": "open up", "base": first.revision.id,
        });
        let saved = nat.puts(&path, &body).await.ok::<Policy>();
        assert_eq!(
            (saved.document.as_str(), saved.revision.number),
            (document.as_str(), 2)
        );
        assert_eq!(current(&nat, tenant).await, saved);
        let all = nat.gets(&PolicyRevisionsPath { tenant }.to_path()).await;
        let all = all.ok::<Vec<Revision>>();
        assert_eq!(all, [saved.revision.clone(), first.revision.clone()]);
        let old = PolicyRevisionPath {
            tenant,
            revision: first.revision.id,
        };
        assert_eq!(nat.gets(&old.to_path()).await.ok::<Policy>(), first);
        let page = nat.gets(&AuditPath { tenant }.to_path()).await;
        let page = page.ok::<wire::api::Page<AuditRecord>>();
        assert_eq!(page.items[0].event, "policy.saved");
        assert_eq!(page.items[0].detail["reason"], "open up");
        assert!(!page.items[0].detail.to_string().contains("Everyone"));
    }
}

#[tokio::test]
async fn a_policy_that_does_not_parse_or_compile_changes_nothing() {
    let (_app, tenant, ada) = acme().await;
    let path = PolicyPath { tenant }.to_path();
    let before = current(&ada, tenant).await;
    for (document, code) in [
        ("{", "syntax"),
        (
            r#"{"acls": [{"action": "accept", "src": ["group:x"], "dst": ["*:*"]}]}"#,
            "undefined",
        ),
        (r#"{"acl": []}"#, "unknown_key"),
    ] {
        let body = json!({ "document": document, "base": before.revision.id });
        let problem = ada.puts(&path, &body).await.problem(Code::PolicyInvalid);
        let found = &problem.diagnostics[0];
        assert_eq!(found.code, code, "{document}");
        assert_eq!(found.severity, Severity::Error);
        assert!(found.end <= document.len() && found.line == 1);
        let check = PolicyCheckPath { tenant }.to_path();
        let checked = ada.posts(&check, &json!({ "document": document })).await;
        let checked = checked.ok::<CheckedPolicy>();
        assert!(!checked.ok);
        assert_eq!(checked.diagnostics, problem.diagnostics);
    }
    assert_eq!(current(&ada, tenant).await, before);
}

#[tokio::test]
async fn a_policy_made_from_an_older_one_is_a_conflict() {
    let (_app, tenant, ada) = acme().await;
    let path = PolicyPath { tenant }.to_path();
    let base = current(&ada, tenant).await.revision.id;
    let body = json!({ "document": OPEN, "base": base });
    let both = futures_util::future::join(ada.puts(&path, &body), ada.puts(&path, &body));
    let (a, b) = both.await;
    let (won, lost) = if a.status.is_success() {
        (a, b)
    } else {
        (b, a)
    };
    won.done();
    lost.problem(Code::PolicyChanged);
    assert_eq!(current(&ada, tenant).await.revision.number, 2);
}

#[tokio::test]
async fn checking_warns_of_people_who_are_no_members() {
    let (_app, tenant, ada) = acme().await;
    let document =
        r#"{"acls": [{"action": "accept", "src": ["adda@acme.example"], "dst": ["*:*"]}]}"#;
    let path = PolicyCheckPath { tenant }.to_path();
    let checked = ada.posts(&path, &json!({ "document": document })).await;
    let checked = checked.ok::<CheckedPolicy>();
    assert!(checked.ok);
    let mut all = checked.diagnostics.iter();
    assert!(all.any(|d| d.code == "unknown_user"));
    let mut all = checked.diagnostics.iter();
    assert!(all.all(|d| d.severity == Severity::Warning));
    assert_eq!(current(&ada, tenant).await.revision.number, 1);
}

#[tokio::test]
async fn a_policy_may_hold_a_mebibyte_and_no_more() {
    let (_app, tenant, ada) = acme().await;
    let path = PolicyCheckPath { tenant }.to_path();
    let sized = |bytes: usize| {
        let comment = "x".repeat(bytes - OPEN.len() - 3);
        format!("//{comment}\n{OPEN}")
    };
    let most = json!({ "document": sized(1024 * 1024) });
    let checked = ada.posts(&path, &most).await.ok::<CheckedPolicy>();
    assert!(checked.ok, "{:?}", checked.diagnostics);
    let more = json!({ "document": sized(1024 * 1024 + 1) });
    let checked = ada.posts(&path, &more).await.ok::<CheckedPolicy>();
    assert_eq!(checked.diagnostics[0].code, "limit");
    let far_more = json!({ "document": sized(3 * 1024 * 1024) });
    ada.posts(&path, &far_more).await.problem(Code::TooLarge);
    // Other routes take less.
    let name = json!({ "name": "x".repeat(256 * 1024) });
    let answer = ada.patches(&TenantPath { tenant }.to_path(), &name).await;
    answer.problem(Code::TooLarge);
}

#[tokio::test]
async fn who_may_not_change_the_policy_may_not_save_and_members_may_not_look() {
    let (app, tenant, ada) = acme().await;
    let base = current(&ada, tenant).await.revision.id;
    let body = json!({ "document": OPEN, "base": base });
    let path = PolicyPath { tenant }.to_path();
    let ann = app.member(tenant, "ann", Role::Auditor).await;
    current(&ann, tenant).await;
    ann.puts(&path, &body).await.problem(Code::Forbidden);
    let bob = app.member(tenant, "bob", Role::Member).await;
    bob.gets(&path).await.problem(Code::Forbidden);
}

/// The audit records of an event, once there are so many.
async fn recorded(
    app: &TestApp,
    reader: &Persona,
    tenant: TenantId,
    event: &str,
    count: usize,
) -> Vec<AuditRecord> {
    for _ in 0..1000 {
        let page = reader.gets(&AuditPath { tenant }.to_path()).await;
        let page = page.ok::<wire::api::Page<AuditRecord>>();
        let found: Vec<_> = page
            .items
            .into_iter()
            .filter(|r| r.event == event)
            .collect();
        if found.len() >= count {
            return found;
        }
        app.clock.advance(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never recorded {count} times: {event}");
}

/// Operators reach the servers, and the document asserts it.
const TESTED: &str = r#"{
    "groups": { "group:ops": ["ada@acme.example", "bob@acme.example"] },
    "tagOwners": { "tag:server": [] },
    "acls": [{ "action": "accept", "src": ["group:ops"], "dst": ["tag:server:22"] }],
    "ssh": [{ "action": "accept", "src": ["group:ops"], "dst": ["tag:server"], "users": ["deploy"] }],
    "tests": [{ "src": "bob@acme.example", "accept": ["tag:server:22"], "deny": ["tag:server:23"] }],
    "sshTests": [{ "src": "bob@acme.example", "dst": ["tag:server"], "accept": ["deploy"], "deny": ["root"] }],
}"#;

#[tokio::test]
async fn a_policy_that_fails_its_own_tests_is_refused_with_every_one_and_the_old_one_stays() {
    let (app, tenant, ada) = acme().await;
    app.member(tenant, "bob", Role::Member).await;
    let path = PolicyPath { tenant }.to_path();
    let before = current(&ada, tenant).await;
    let failing = TESTED
        .replace("tag:server:23", "tag:server:22")
        .replace(r#""accept": ["deploy"]"#, r#""accept": ["root"]"#);
    let body = json!({ "document": failing, "base": before.revision.id });
    let problem = ada.puts(&path, &body).await.problem(Code::PolicyInvalid);
    let mut found = problem.diagnostics.clone();
    found.retain(|d| d.severity == Severity::Error);
    assert!(
        found
            .iter()
            .all(|d| d.code == "test_failed" && d.severity == Severity::Error),
        "{found:?}"
    );
    let places: Vec<&str> = found.iter().map(|d| &failing[d.start..d.end]).collect();
    assert_eq!(places, [r#""tag:server:22""#, r#""root""#]);
    assert_eq!(current(&ada, tenant).await, before);

    let check = PolicyCheckPath { tenant }.to_path();
    let checked = ada.posts(&check, &json!({ "document": failing })).await;
    let checked = checked.ok::<CheckedPolicy>();
    assert!(!checked.ok);
    assert_eq!(checked.diagnostics, problem.diagnostics);
    assert_eq!(current(&ada, tenant).await, before);

    let body = json!({ "document": TESTED, "base": before.revision.id });
    let saved = ada.puts(&path, &body).await.ok::<Policy>();
    assert_eq!(saved.warnings, []);
}

#[tokio::test]
async fn tests_that_fail_since_somebody_left_warn_and_are_audited_once_for_each_change() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let path = PolicyPath { tenant }.to_path();
    let base = current(&ada, tenant).await.revision.id;
    let body = json!({ "document": TESTED, "base": base });
    ada.puts(&path, &body).await.ok::<Policy>();

    let gone = UserPath {
        tenant,
        user: bob.user,
    }
    .to_path();
    ada.deletes(&gone).await.done();
    let failed = recorded(&app, &ada, tenant, "policy.tests_failed", 1).await;
    assert_eq!(failed[0].detail["count"], 2, "{failed:?}");
    let now = current(&ada, tenant).await;
    assert_eq!(now.document, TESTED, "it stays in force");
    assert_eq!(now.warnings.len(), 2);
    assert!(
        now.warnings
            .iter()
            .all(|d| d.severity == Severity::Warning && d.code == "test_failed")
    );
    assert!(app.log().contains("tests of the policy in force fail"));

    // Another change that mends nothing says nothing new.
    app.member(tenant, "cy", Role::Member).await;
    app.member(tenant, "bob", Role::Member).await;
    recorded(&app, &ada, tenant, "policy.tests_passed", 1).await;
    let failed = recorded(&app, &ada, tenant, "policy.tests_failed", 1).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(current(&ada, tenant).await.warnings, []);
}
