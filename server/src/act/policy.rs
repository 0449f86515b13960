//! The access policy: judged before it is saved, kept in revisions.

mod explain;
mod impact;
mod judge;
mod think;
mod world;

use policy::{Compiled, Directory, Document};
use wire::{
    TenantId,
    api::{
        Action,
        me::Actor,
        policy::{CheckedPolicy, Policy, Revision, SavePolicy},
        problem::Code,
    },
    id::PolicyRevisionId,
    name::Tag,
};

pub use explain::explain;
pub use impact::impact;

use super::field;
use crate::{
    app::App,
    audit::AuditEvent,
    authz::{Standing, permit},
    db::{self, TenantRows},
    error::{Error, Result},
    tenancy::Changed,
};

/// The policy in force, with a warning for each of its tests that fails by now.
pub async fn current(app: &App, tenant: TenantId) -> Result<Policy> {
    let rows = app.db.tenant(tenant).await?;
    let mut current = view(rows.policy().await?);
    let (text, assessed) = judge::assess(&rows, current.document.clone(), app.clock.now()).await?;
    current.warnings = judge::warnings(&text, &assessed);
    Ok(current)
}

/// The revisions, newest first.
pub async fn revisions(app: &App, tenant: TenantId) -> Result<Vec<Revision>> {
    let all = app.db.tenant(tenant).await?.policy_revisions().await?;
    Ok(all.into_iter().map(|r| view(r).revision).collect())
}

/// One revision.
pub async fn revision(app: &App, tenant: TenantId, id: PolicyRevisionId) -> Result<Policy> {
    let rows = app.db.tenant(tenant).await?;
    Ok(view(rows.policy_revision(id).await?))
}

/// Judges a document without saving it.
pub async fn check(app: &App, tenant: TenantId, document: String) -> Result<CheckedPolicy> {
    let judged = judge::judge(app, tenant, document).await?;
    Ok(CheckedPolicy {
        ok: judged.ok,
        diagnostics: judged.diagnostics,
        tests: judged.tests,
    })
}

/// Puts a document in force. One that does not parse or compile changes
/// nothing, nor does one that was made from a revision that is not in force any
/// more.
pub async fn save(app: &App, by: &Actor, tenant: TenantId, save: SavePolicy) -> Result<Policy> {
    let reason = field::remark("/reason", &save.reason)?;
    let base = save.base;
    let judged = judge::judge(app, tenant, save.document).await?;
    if !judged.ok {
        return Err(Error::PolicyInvalid(judged.diagnostics));
    }
    let by = by.clone();
    let saved = app
        .db
        .write(tenant, move |rows| async move {
            permit(&rows, &by, Action::ManagePolicy).await?;
            if rows.policy().await?.id != base {
                return Err(Error::Conflict(Code::PolicyChanged));
            }
            let saved = rows
                .create_policy_revision(&by, &reason, &judged.text)
                .await?;
            let event = AuditEvent::PolicySaved {
                number: saved.number,
                reason,
            };
            rows.record(&by, &event).await?;
            Ok(saved)
        })
        .await?;
    app.hub.changed(tenant, Changed::Policy).await;
    Ok(view(saved))
}

/// The members as the law sees them.
pub(crate) async fn directory(rows: &TenantRows) -> Result<Directory> {
    let users = rows
        .users()
        .await?
        .into_iter()
        .map(|user| policy::directory::User {
            id: user.id,
            email: user.email.to_string(),
            role: user.role,
        });
    Ok(Directory {
        users: users.collect(),
        ..Directory::default()
    })
}

/// The tags in `wanted`, sorted and each once, if the policy in force defines
/// every one that is not `held` already, and the actor may give it. The
/// operator may give any that is defined.
pub(crate) async fn assignable_tags(
    rows: &TenantRows,
    standing: &Standing,
    wanted: &[String],
    held: &[Tag],
) -> Result<Vec<Tag>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    if wanted.len() > MOST_TAGS {
        return Err(Error::invalid(
            "/tags",
            format!("at most {MOST_TAGS} tags fit on one machine"),
        ));
    }
    let (document, _): (Document, _) = policy::parse(&rows.policy().await?.document);
    let law = Compiled::new(&document, &directory(rows).await?);
    let mut tags = Vec::with_capacity(wanted.len());
    for (place, text) in wanted.iter().enumerate() {
        let pointer = format!("/tags/{place}");
        let tag: Tag = field::parse(&pointer, text)?;
        if held.contains(&tag) {
            tags.push(tag);
            continue;
        }
        if !law.is_tag_defined(text) {
            return Err(Error::invalid(
                pointer,
                format!("`{tag}` is not defined: add it to `tagOwners` in the access policy first"),
            ));
        }
        if let Some(user) = standing.member()
            && !law.may_assign_tag(user.id, text)
        {
            return Err(Error::invalid(
                pointer,
                format!("you are not among the owners of `{tag}` in the access policy"),
            ));
        }
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// Tags of one machine or key.
const MOST_TAGS: usize = 64;

fn view(revision: db::Revision) -> Policy {
    Policy {
        revision: Revision {
            id: revision.id,
            number: revision.number,
            author: revision.author,
            reason: revision.reason,
            created: revision.created,
        },
        document: revision.document,
        warnings: Vec::new(),
    }
}
