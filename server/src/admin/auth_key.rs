//! Auth keys.

use serde::{Deserialize, Serialize};
use wire::{
    TenantId,
    api::{
        auth_key::{AuthKey, CreateAuthKey},
        me::Actor,
    },
};

use super::{Answer, tenant, user};
use crate::{
    act::auth_key,
    app::App,
    error::{Error, Result},
};

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "names and fields speak for themselves")]
pub enum Request {
    Create {
        tenant: tenant::Name,
        /// The e-mail address of the member whose key it is.
        user: String,
        new: CreateAuthKey,
    },
    List {
        tenant: tenant::Name,
    },
    Revoke {
        tenant: tenant::Name,
        /// The id, or the part of the secret that lists show.
        key: String,
    },
}

pub(super) async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::Create { tenant, user, new } => {
            let tenant = tenant::find(app, &tenant).await?;
            let user = user::find(app, tenant, &user).await?.id;
            auth_key::create(app, by, tenant, user, new)
                .await
                .map(Answer::CreatedAuthKey)
        }
        Request::List { tenant } => {
            let tenant = tenant::find(app, &tenant).await?;
            auth_key::list(app, tenant).await.map(Answer::AuthKeys)
        }
        Request::Revoke { tenant, key } => {
            let tenant = tenant::find(app, &tenant).await?;
            let id = find(app, tenant, &key).await?.id;
            auth_key::revoke(app, by, tenant, id).await?;
            find(app, tenant, &id.to_string())
                .await
                .map(Answer::AuthKey)
        }
    }
}

async fn find(app: &App, tenant: TenantId, name: &str) -> Result<AuthKey> {
    let all = auth_key::list(app, tenant).await?;
    all.into_iter()
        .find(|key| key.prefix == name || key.id.to_string() == name)
        .ok_or_else(|| {
            Error::Malformed(
                "there is no such auth key; `warren-server auth-key list` shows them".to_owned(),
            )
        })
}
