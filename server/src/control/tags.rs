//! Tags that machines ask for, before the tenant's policy.

use policy::Compiled;
use wire::{UserId, name::Tag};

use crate::{
    act::policy::directory,
    db::TenantRows,
    error::{Error, Result},
};

/// Who would give a machine its tags.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Giver<'a> {
    /// A member: his own device, or a key he made.
    User(UserId),
    /// Tags that the machine holds, or its key gives.
    Tags(&'a [Tag]),
}

/// The tags a machine asks for; the sentence of an unreadable one is for its person.
pub(crate) fn read(requested: &[String]) -> Result<Vec<Tag>, String> {
    let tags = requested.iter().map(|t| t.parse::<Tag>());
    tags.collect::<Result<_, _>>().map_err(|e| e.to_string())
}

/// Which of `wanted` the giver may not give.
pub(crate) async fn refused(
    rows: &TenantRows,
    giver: Giver<'_>,
    wanted: &[Tag],
) -> Result<Vec<Tag>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let law = law(rows).await?;
    let may = |tag: &Tag| match giver {
        Giver::User(user) => law.may_assign_tag(user, tag.as_str()),
        Giver::Tags(held) => held
            .iter()
            .any(|h| h == tag || law.may_tag_assign_tag(h.as_str(), tag.as_str())),
    };
    Ok(wanted.iter().filter(|t| !may(t)).cloned().collect())
}

/// The sentence for whoever asked for tags he may not have.
pub(crate) fn refusal(refused: &[Tag]) -> String {
    let names: Vec<_> = refused.iter().map(Tag::as_str).collect();
    format!(
        "the requested tags [{}] are not allowed: the access policy's tagOwners must name them \
         and let you assign them",
        names.join(", ")
    )
}

async fn law(rows: &TenantRows) -> Result<Compiled> {
    let document = match rows.policy().await {
        Ok(revision) => revision.document,
        Err(Error::NotFound) => String::new(),
        Err(e) => return Err(e),
    };
    let (document, _) = policy::parse(&document);
    Ok(Compiled::new(&document, &directory(rows).await?))
}
