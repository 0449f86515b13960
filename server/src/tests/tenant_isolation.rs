//! Two tenants, alike in everything: whoever is in the one learns nothing of the
//! other and changes nothing there, whatever ids he uses.

use serde_json::json;
use wire::{
    TenantId,
    api::{
        Role,
        auth_key::CreatedAuthKey,
        policy::Policy,
        user::{Invite, OneTimeLink},
    },
    control::Hostinfo,
    paths::*,
};

use super::routes::{self, Ids, Route};
use crate::{
    db::NodeOwner,
    tenancy::Report,
    testing::{Persona, TestApp},
};

/// In every text of the other tenant.
const CANARY: &str = "canary";

/// A tenant with one of everything, and its owner.
async fn furnish(app: &TestApp, tenant: TenantId, mark: &str) -> (Ids, Persona) {
    let email = format!("boss-{mark}@{mark}.example");
    let boss = app.member_called(tenant, &email, Role::Owner).await;
    let name = json!({ "name": format!("Tenant {mark}") });
    boss.patches(&TenantPath { tenant }.to_path(), &name)
        .await
        .done();
    let owner = NodeOwner::User(boss.user);
    let node = app.node(tenant, "web", owner).await;
    let report = Report {
        hostinfo: Some(Hostinfo {
            hostname: format!("host-{mark}"),
            os: format!("os-{mark}"),
            os_version: format!("version-{mark}"),
            client_version: format!("client-{mark}"),
            routable_ips: vec!["10.1.0.0/16".parse().unwrap()],
            ..Hostinfo::default()
        }),
        endpoints: vec!["192.0.2.99:4141".parse().unwrap()],
        ..Report::default()
    };
    app.reports(tenant, node.id, report).await;
    let path = NodeRoutesPath {
        tenant,
        node: node.id,
    };
    let body = json!({ "approve": ["10.1.0.0/16"] });
    boss.patches(&path.to_path(), &body).await.done();
    let body = json!({ "description": format!("key {mark}"), "reusable": true });
    let key = boss.posts(&AuthKeysPath { tenant }.to_path(), &body).await;
    let key = key.ok::<CreatedAuthKey>().key.id;
    let path = PolicyPath { tenant }.to_path();
    let base = boss.gets(&path).await.ok::<Policy>();
    let document = format!("// {mark}\n{}", base.document);
    let body = json!({
        "document": document, "reason": format!("why {mark}"), "base": base.revision.id,
    });
    let revision = boss.puts(&path, &body).await.ok::<Policy>().revision.id;
    let path = InvitesPath { tenant }.to_path();
    let body = json!({ "email": format!("guest-{mark}@{mark}.example"), "role": "member" });
    boss.posts(&path, &body).await.ok::<OneTimeLink>();
    let invite = boss.gets(&path).await.ok::<Vec<Invite>>()[0].id;
    let ids = Ids {
        tenant,
        node: node.id,
        key,
        revision,
        user: boss.user,
        invite,
        token: "nowhere".to_owned(),
    };
    (ids, boss)
}

/// The other tenant's ids, one at a time and all at once, each beside the same
/// probe with ids that nothing has.
fn probes(own: &Ids, other: &Ids) -> Vec<(Ids, Ids)> {
    let nowhere = Ids::nowhere();
    let swap = |change: &dyn Fn(&mut Ids, &Ids)| {
        let (mut theirs, mut none) = (own.clone(), own.clone());
        change(&mut theirs, other);
        change(&mut none, &nowhere);
        (theirs, none)
    };
    vec![
        swap(&|ids, from| ids.tenant = from.tenant),
        swap(&|ids, from| ids.node = from.node),
        swap(&|ids, from| ids.key = from.key),
        swap(&|ids, from| ids.revision = from.revision),
        swap(&|ids, from| ids.user = from.user),
        swap(&|ids, from| ids.invite = from.invite),
        (other.clone(), nowhere.clone()),
    ]
}

async fn probe(route: &Route, who: &Persona, role: Role, theirs: &Ids, none: &Ids) -> usize {
    if route.path(theirs) == route.path(none) && theirs.revision == none.revision {
        return 0;
    }
    let found = route.asked_by(who, theirs).await;
    let absent = route.asked_by(who, none).await;
    let name = format!("{} as {role}: {}", route.name(), found.text());
    assert_eq!(
        found.without_request_id(),
        absent.without_request_id(),
        "{name}"
    );
    assert!(!found.text().contains(CANARY), "{name}");
    let refused = found.status.is_client_error();
    let own_path = route.path(theirs) == route.path(none);
    assert!(refused || own_path, "{name}");
    1
}

#[tokio::test]
async fn ids_of_another_tenant_are_ids_of_nothing() {
    for app in TestApp::on_each_database().await {
        let a = app.tenant("twin-a").await;
        let b = app.tenant("twin-b").await;
        let (own, _) = furnish(&app, a, "plain").await;
        let (other, _) = furnish(&app, b, CANARY).await;
        let before = app.dump(b).await;
        let mut count = 0;
        for role in Role::ALL {
            let who = app.member(a, &role.as_str().replace('_', "-"), role).await;
            for route in routes::all() {
                if route.template == SessionPath::TEMPLATE {
                    continue;
                }
                for (theirs, none) in probes(&own, &other) {
                    // A probe that is about nothing but his own tenant is no probe.
                    let touches = route.path(&theirs) != route.path(&own);
                    if touches {
                        count += probe(&route, &who, role, &theirs, &none).await;
                        app.clock.advance(std::time::Duration::from_millis(100));
                    }
                }
            }
        }
        assert!(count >= 300, "{count} probes");
        assert_eq!(app.dump(b).await, before, "the other tenant was changed");
    }
}

#[tokio::test]
async fn lists_hold_what_is_the_tenants_own() {
    for app in TestApp::on_each_database().await {
        let a = app.tenant("twin-a").await;
        let b = app.tenant("twin-b").await;
        let (other, _) = furnish(&app, b, CANARY).await;
        let (own, boss) = furnish(&app, a, "plain").await;
        for route in routes::all() {
            if !route.method.is_safe() || route.is_stream() {
                continue;
            }
            let answer = route.asked_by(&boss, &own).await;
            let text = answer.text();
            assert!(!text.contains(CANARY), "{}: {text}", route.name());
            for id in [
                other.tenant.to_string(),
                other.key.to_string(),
                other.revision.to_string(),
                other.invite.to_string(),
            ] {
                assert!(!text.contains(&id), "{}: {text}", route.name());
            }
        }
        // Cursors are numbers of the tenant's own log.
        for cursor in ["1", "2", "9", "9223372036854775807"] {
            let path = AuditPath { tenant: a }.to_path();
            let page = boss.gets(&format!("{path}?cursor={cursor}")).await;
            page.done();
            assert!(!page.text().contains(CANARY));
        }
    }
}

#[tokio::test]
async fn a_policy_cannot_be_saved_over_anothers_revision() {
    let app = TestApp::new().await;
    let a = app.tenant("twin-a").await;
    let b = app.tenant("twin-b").await;
    let (own, boss) = furnish(&app, a, "plain").await;
    let (other, _) = furnish(&app, b, CANARY).await;
    let path = PolicyPath { tenant: a }.to_path();
    let save = |base| json!({ "document": "{\"acls\": []}", "base": base });
    let theirs = boss.puts(&path, &save(other.revision)).await;
    let none = boss.puts(&path, &save(Ids::nowhere().revision)).await;
    assert_eq!(theirs.without_request_id(), none.without_request_id());
    boss.puts(&path, &save(own.revision)).await.done();
}

#[tokio::test]
async fn a_tag_is_what_the_own_policy_says() {
    let app = TestApp::new().await;
    let a = app.tenant("twin-a").await;
    let b = app.tenant("twin-b").await;
    let (own, boss) = furnish(&app, a, "plain").await;
    let (_, eve) = furnish(&app, b, CANARY).await;
    let path = PolicyPath { tenant: b }.to_path();
    let base = eve.gets(&path).await.ok::<Policy>().revision.id;
    let body = json!({
        "document": "{\"acls\": [], \"tagOwners\": {\"tag:canary\": [\"autogroup:member\"]}}",
        "base": base,
    });
    eve.puts(&path, &body).await.done();
    let path = NodeTagsPath {
        tenant: a,
        node: own.node,
    };
    let refused = boss
        .puts(&path.to_path(), &json!({ "tags": ["tag:canary"] }))
        .await;
    refused.problem(wire::api::problem::Code::Invalid);
}
