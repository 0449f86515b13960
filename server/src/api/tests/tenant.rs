use wire::api::tenant::{Settings, Tenant};

use super::*;

#[tokio::test]
async fn settings_are_changed_whole_and_the_name_alone() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Admin).await;
        let path = TenantPath { tenant }.to_path();
        let settings = Settings {
            device_approval: true,
            node_key_expiry_days: 1,
            ephemeral_removal_minutes: 1440,
        };
        let changed = ada.patches(&path, &json!({ "settings": settings })).await;
        assert_eq!(changed.ok::<Tenant>().settings, settings);
        ada.patches(&path, &json!({ "name": " Acme " }))
            .await
            .done();
        let read = ada.gets(&path).await.ok::<Tenant>();
        assert_eq!((read.name.as_str(), &read.settings), ("Acme", &settings));
        assert_eq!(read.dns_suffix, "acme.warren.internal");
        assert_eq!(
            audited(&ada, tenant, 1).await,
            [record("tenant.updated", "Acme")]
        );
    }
}

#[tokio::test]
async fn settings_out_of_range_are_refused_by_name() {
    let (_app, tenant, ada) = acme().await;
    let path = TenantPath { tenant }.to_path();
    for (field, value) in [
        ("node_key_expiry_days", 0),
        ("node_key_expiry_days", 181),
        ("ephemeral_removal_minutes", 0),
        ("ephemeral_removal_minutes", 1441),
    ] {
        let mut settings = serde_json::to_value(Settings::default()).unwrap();
        settings[field] = value.into();
        let answer = ada.patches(&path, &json!({ "settings": settings })).await;
        let problem = answer.problem(Code::Invalid);
        assert_eq!(problem.errors[0].pointer, format!("/settings/{field}"));
    }
    let unknown = ada.patches(&path, &json!({ "slug": "other" })).await;
    unknown.problem(Code::Malformed);
    let read = ada.gets(&path).await.ok::<Tenant>();
    assert_eq!(read.settings, Settings::default());
}

#[tokio::test]
async fn a_tenant_starts_with_the_starter_policy() {
    let (_app, tenant, ada) = acme().await;
    let policy = ada.gets(&PolicyPath { tenant }.to_path()).await;
    let policy = policy.ok::<wire::api::policy::Policy>();
    assert_eq!(policy.document, ::policy::STARTER);
    assert_eq!(policy.revision.number, 1);
}
