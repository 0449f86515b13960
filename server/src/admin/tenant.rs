//! Tenants, and which one is meant.

use serde::{Deserialize, Serialize};
use wire::{TenantId, api::me::Actor};

use super::Answer;
use crate::{
    act::{field, tenant},
    app::App,
    error::{Error, Result},
};

/// A tenant's short name; `None`: the only tenant there is.
pub type Name = Option<String>;

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "names and fields speak for themselves")]
pub enum Request {
    Create { slug: String, name: String },
    List,
}

pub(super) async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::Create { slug, name } => {
            let slug = field::parse("/slug", &slug)?;
            tenant::create(app, by, &slug, &name)
                .await
                .map(Answer::Tenant)
        }
        Request::List => tenant::list(app).await.map(Answer::Tenants),
    }
}

/// The tenant that `name` means.
pub(super) async fn find(app: &App, name: &Name) -> Result<TenantId> {
    let Some(name) = name else {
        return only(app).await;
    };
    let slug = field::parse("/tenant", name)?;
    match tenant::find_by_slug(app, &slug).await? {
        Some(tenant) => Ok(tenant.id),
        None => Err(Error::Malformed(format!(
            "there is no tenant `{name}`; `warren-server tenant list` shows them"
        ))),
    }
}

async fn only(app: &App) -> Result<TenantId> {
    let all = tenant::list(app).await?;
    match all.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Error::Malformed(
            "there is no tenant yet; follow the set-up link, or `warren-server tenant create`"
                .to_owned(),
        )),
        [..] => {
            let slugs: Vec<_> = all.iter().map(|t| t.slug.as_str()).collect();
            Err(Error::Malformed(format!(
                "say which tenant is meant with --tenant; there are {}",
                slugs.join(", ")
            )))
        }
    }
}
