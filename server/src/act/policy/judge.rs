//! Judges documents with the tenant's people and nodes at hand.

use policy::Assessed;
use wire::{
    TenantId, Timestamp,
    api::policy::{Diagnostic, MAX_TEST_PLACES, Severity, TestPlace, TestRun},
};

use super::world::World;
use crate::{
    app::App,
    db::TenantRows,
    error::{Error, Result},
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
    let world = World::load(rows, now).await?;
    let nodes = world.facts();
    tokio::task::spawn_blocking(move || {
        let mut assessed = policy::assess(&text, &world.directory, &nodes);
        let machines = world.machines.iter();
        let named = machines.map(|machine| (machine.name.as_str(), &machine.facts));
        let found = policy::check::against_machines(&assessed.document, named);
        assessed.diagnostics.extend(found);
        assessed.diagnostics.sort_by_key(|d| (d.span, d.severity));
        (text, assessed)
    })
    .await
    .map_err(Error::internal)
}

/// The failing tests of a document in force, as warnings: it stays in force.
pub(super) fn warnings(text: &str, assessed: &Assessed) -> Vec<Diagnostic> {
    let warning = |mut finding: policy::Diagnostic| {
        finding.severity = Severity::Warning;
        finding.to_api(text)
    };
    assessed.failures().into_iter().map(warning).collect()
}
