//! The audit log.

use axum::Json;
use serde::Deserialize;
use wire::api::{Page, audit::AuditRecord};

use super::Ctx;
use crate::{act, authz::may, error::Result, http::extract};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    cursor: Option<String>,
}

pub(super) async fn page(
    ctx: Ctx<may::ViewAuditLog>,
    extract::Query(which): extract::Query<Which>,
) -> Result<Json<Page<AuditRecord>>> {
    let page = act::audit::page(ctx.app(), ctx.tenant, which.cursor.as_deref()).await?;
    Ok(Json(page))
}
