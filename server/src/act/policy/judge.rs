//! Judges documents with the tenant's people and nodes at hand.

use std::collections::BTreeSet;

use policy::{Assessed, Directory, NodeFacts};
use wire::{
    TenantId, Timestamp,
    api::policy::{Diagnostic, MAX_TEST_PLACES, Severity, TestPlace, TestRun},
};

use super::directory;
use crate::{
    app::App,
    db::TenantRows,
    error::{Error, Result},
    tenancy,
};

/// A document and what is to be said of it.
pub(super) struct Judged {
    pub(super) text: String,
    /// Nothing stops a save.
    pub(super) ok: bool,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What came of its tests, if they were run.
    pub(super) tests: Option<TestRun>,
}

/// Reads, checks and compiles a document and runs its tests.
pub(super) async fn judge(app: &App, tenant: TenantId, text: String) -> Result<Judged> {
    let rows = app.db.tenant(tenant).await?;
    let (text, assessed) = assess(&rows, text, app.clock.now()).await?;
    let found = assessed.diagnostics.iter();
    Ok(Judged {
        ok: assessed.is_sound(),
        diagnostics: found.map(|finding| finding.to_api(&text)).collect(),
        tests: assessed.tested.then(|| tests(&assessed)),
        text,
    })
}

fn tests(assessed: &Assessed) -> TestRun {
    let all = &assessed.outcomes;
    let held = all.iter().filter(|outcome| outcome.holds()).count();
    let places = all.iter().take(MAX_TEST_PLACES).map(|outcome| TestPlace {
        start: outcome.span.start,
        holds: outcome.holds(),
    });
    TestRun {
        held,
        failed: all.len() - held,
        places: places.collect(),
    }
}

/// [`policy::assess`] for the rows' tenant, on a thread that may take its time.
pub(super) async fn assess(
    rows: &TenantRows,
    text: String,
    now: Timestamp,
) -> Result<(String, Assessed)> {
    let (directory, nodes) = world(rows, now).await?;
    tokio::task::spawn_blocking(move || {
        let assessed = policy::assess(&text, &directory, &nodes);
        (text, assessed)
    })
    .await
    .map_err(Error::internal)
}

/// The people, the machines that are let in, and the routes that these serve.
pub(super) async fn world(
    rows: &TenantRows,
    now: Timestamp,
) -> Result<(Directory, Vec<NodeFacts>)> {
    let mut directory = directory(rows).await?;
    let decisions = rows.routes().await?;
    let of = |id| decisions.get(&id).map(Vec::as_slice).unwrap_or_default();
    let nodes = rows.nodes().await?.into_iter().filter(|node| node.approved);
    let facts: Vec<NodeFacts> = nodes
        .map(|node| {
            let decisions = of(node.id);
            tenancy::facts(node, decisions, now)
        })
        .collect();
    let routes: BTreeSet<_> = facts.iter().flat_map(|node| &node.routes).collect();
    directory.routes = routes.into_iter().copied().collect();
    Ok((directory, facts))
}

/// The failing tests of a document in force, as warnings: it stays in force.
pub(super) fn warnings(text: &str, assessed: &Assessed) -> Vec<Diagnostic> {
    let warning = |mut finding: policy::Diagnostic| {
        finding.severity = Severity::Warning;
        finding.to_api(text)
    };
    assessed.failures().into_iter().map(warning).collect()
}
