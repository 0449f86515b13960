//! Auth keys.

use std::{collections::BTreeMap, time::Duration};

use wire::{
    AuthKeyId, TenantId, Timestamp, UserId,
    api::{
        Action,
        auth_key::{AuthKey, CreateAuthKey, CreatedAuthKey},
        me::Actor,
    },
};

use super::{field, policy::assignable_tags};
use crate::{
    app::App,
    audit::AuditEvent,
    authz::permit,
    db::{self, NewAuthKey},
    error::Result,
    secret::token::{self, Kind},
    tenancy::Changed,
};

/// How long a key can be used when its maker does not say.
const USUAL_HOURS: u32 = 90 * 24;
/// The longest: 366 days.
const MOST_HOURS: u32 = 366 * 24;

/// All auth keys, newest first.
pub async fn list(app: &App, tenant: TenantId) -> Result<Vec<AuthKey>> {
    let rows = app.db.tenant(tenant).await?;
    let people: BTreeMap<UserId, db::User> = rows
        .users()
        .await?
        .into_iter()
        .map(|user| (user.id, user))
        .collect();
    let now = app.clock.now();
    let keys = rows.auth_keys().await?;
    Ok(keys
        .into_iter()
        .map(|key| {
            let email = people.get(&key.user).map(|user| user.email.to_string());
            view(key, email.unwrap_or_default(), now)
        })
        .collect())
}

/// Makes an auth key of `user`'s: devices that join with it and carry no tags are his.
pub async fn create(
    app: &App,
    by: &Actor,
    tenant: TenantId,
    user: UserId,
    new: CreateAuthKey,
) -> Result<CreatedAuthKey> {
    let description = field::remark("/description", &new.description)?;
    let hours = field::within(
        "/expires_in_hours",
        new.expires_in_hours.unwrap_or(USUAL_HOURS),
        1,
        MOST_HOURS,
    )?;
    let secret = token::generate(Kind::Auth, app.rng);
    let now = app.clock.now();
    let (prefix, secret_hash) = (token::shown_prefix(&secret), app.vault.hash(&secret));
    let by = by.clone();
    let (key, email) = app
        .db
        .write(tenant, move |rows| async move {
            let standing = permit(&rows, &by, Action::ManageAuthKeys).await?;
            let tags = assignable_tags(&rows, &standing, &new.tags, &[]).await?;
            let owner = rows.user(user).await?;
            let key = NewAuthKey {
                description,
                prefix,
                secret_hash,
                user,
                reusable: new.reusable,
                ephemeral: new.ephemeral,
                preapproved: new.preapproved,
                tags,
                expires: now.plus(Duration::from_hours(u64::from(hours))),
            };
            let key = rows.create_auth_key(&key).await?;
            let event = AuditEvent::AuthKeyCreated {
                prefix: key.prefix.clone(),
                tags: key.tags.iter().map(ToString::to_string).collect(),
                reusable: key.reusable,
                ephemeral: key.ephemeral,
            };
            rows.record(&by, &event).await?;
            Ok((key, owner.email.to_string()))
        })
        .await?;
    app.hub.changed(tenant, Changed::AuthKeys).await;
    Ok(CreatedAuthKey {
        key: view(key, email, now),
        secret,
    })
}

/// Revokes a key; nodes that joined with it stay. A revoked one stays revoked.
pub async fn revoke(app: &App, by: &Actor, tenant: TenantId, key: AuthKeyId) -> Result<()> {
    let by = by.clone();
    app.db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManageAuthKeys).await?;
            let key = rows.auth_key(key).await?;
            if key.revoked.is_some() {
                return Ok(());
            }
            rows.revoke_auth_key(key.id).await?;
            let event = AuditEvent::AuthKeyRevoked { prefix: key.prefix };
            rows.record(&by, &event).await
        })
        .await?;
    app.hub.changed(tenant, Changed::AuthKeys).await;
    Ok(())
}

fn view(key: db::AuthKey, user_email: String, now: Timestamp) -> AuthKey {
    AuthKey {
        valid: key.is_valid(now),
        id: key.id,
        description: key.description,
        prefix: key.prefix,
        user: key.user,
        user_email,
        reusable: key.reusable,
        ephemeral: key.ephemeral,
        preapproved: key.preapproved,
        tags: key.tags.iter().map(ToString::to_string).collect(),
        uses: key.uses,
        created: key.created,
        expires: key.expires,
        revoked: key.revoked,
    }
}
