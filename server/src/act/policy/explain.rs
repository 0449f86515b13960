//! Answers why somebody may reach something, or not.

mod lacking;
mod part;
mod question;
mod reach;
mod second;
mod sign_in;
mod summary;
mod who;
mod who_signs_in;
mod within;
mod words;

use policy::{
    Compiled, Document, Explainer,
    explain::{Device, Thought},
};
use wire::{
    TenantId,
    api::policy::explain::{ExplainPolicy, Explained, Question},
};

use super::{think::think, world::World};
use crate::{
    app::App,
    db::TenantRows,
    error::{Error, Result},
};
pub(super) use words::Words;

/// Answers a question, by a document that is not saved, a revision, or the policy in force.
pub async fn explain(app: &App, tenant: TenantId, asked: ExplainPolicy) -> Result<Explained> {
    let rows = app.db.tenant(tenant).await?;
    let world = World::load(&rows, app.clock.now()).await?;
    let question = asked.question.clone();
    let text = text(&rows, asked).await?;
    think(move || answer(&text, &world, &question)).await?
}

async fn text(rows: &TenantRows, asked: ExplainPolicy) -> Result<String> {
    match (asked.document, asked.revision) {
        (Some(_), Some(_)) => Err(Error::invalid(
            "/revision",
            "name a revision or send a document, not both",
        )),
        (Some(document), None) => Ok(document),
        (None, Some(revision)) => Ok(rows.policy_revision(revision).await?.document),
        (None, None) => Ok(rows.policy().await?.document),
    }
}

/// What an answer is made of.
struct Scene<'a> {
    explainer: &'a Explainer<'a>,
    law: &'a Compiled,
    /// The machines, and behind them those of `thoughts`.
    devices: &'a [Device<'a>],
    /// Machines that people and tags without any would have.
    thoughts: &'a [Thought],
    world: &'a World,
    words: Words<'a>,
}

fn answer(text: &str, world: &World, question: &Question) -> Result<Explained> {
    let document = read(text)?;
    let law = Compiled::new(&document, &world.directory);
    let thoughts = policy::explain::thought(&document, &world.directory, &world.facts());
    let mut devices = world.devices();
    devices.extend(thoughts.iter().map(lacking::device));
    let scene = Scene {
        explainer: &Explainer::new(&document, &world.directory),
        law: &law,
        devices: &devices,
        thoughts: &thoughts,
        world,
        words: Words { text },
    };
    match question {
        Question::Reach { from, to, traffic } => reach::answer(&scene, from, to, traffic),
        Question::SignIn { from, to, login } => sign_in::answer(&scene, from, to, login),
        Question::WhoReaches { to, traffic } => who::answer(&scene, to, traffic),
        Question::WhoSignsIn { to, login } => who_signs_in::answer(&scene, to, login),
    }
}

/// The document, if it can be read whole: half of a law explains nothing.
pub(super) fn read(text: &str) -> Result<Document> {
    let (document, found) = policy::parse(text);
    if policy::has_errors(&found) {
        let found = found.iter().map(|finding| finding.to_api(text)).collect();
        return Err(Error::PolicyInvalid(found));
    }
    Ok(document)
}
