//! Members.

use serde::{Deserialize, Serialize};
use wire::{
    TenantId,
    api::{Role, me::Actor, user::User},
};

use super::{Answer, tenant};
use crate::{
    act::{field, user},
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
        email: String,
        name: String,
        role: Role,
    },
    List {
        tenant: tenant::Name,
    },
}

pub(super) async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::Create {
            tenant,
            email,
            name,
            role,
        } => {
            let tenant = tenant::find(app, &tenant).await?;
            let email = field::parse("/email", &email)?;
            user::create(app, by, tenant, &email, &name, role)
                .await
                .map(Answer::User)
        }
        Request::List { tenant } => {
            let tenant = tenant::find(app, &tenant).await?;
            user::list(app, tenant).await.map(Answer::Users)
        }
    }
}

/// The member with this e-mail address.
pub(super) async fn find(app: &App, tenant: TenantId, email: &str) -> Result<User> {
    let parsed = field::parse("/user", email)?;
    user::find_by_email(app, tenant, &parsed)
        .await?
        .ok_or_else(|| {
            Error::Malformed(format!(
                "`{email}` is no member of this tenant; `warren-server user list` shows them"
            ))
        })
}
