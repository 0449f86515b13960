//! What is wrong or odd with the draft, each finding leading to its place.

use leptos::prelude::*;
use wire::api::policy::{Diagnostic, Severity};

use super::draft::Draft;
use crate::{
    components::{
        badge::{Status, Tone},
        prose::Prose,
    },
    model::policy_editor::{Tests, count},
};

/// The list below the editor, errors first.
#[component]
pub(super) fn Findings(draft: Draft) -> impl IntoView {
    let tone = move || match count(&draft.findings()) {
        (0, 0) => Tone::Good,
        (0, _) => Tone::Caution,
        (_, _) => Tone::Bad,
    };
    let of_tests = move || {
        let judgement = draft.judgement();
        let tone = match &judgement.tests {
            Tests::Failed(_) => Tone::Caution,
            Tests::Ran(run) if run.failed > 0 => Tone::Bad,
            Tests::Ran(run) if run.held > 0 => Tone::Good,
            Tests::NotRun | Tests::Waiting | Tests::Ran(_) => Tone::Neutral,
        };
        let says = judgement.tests_summary()?;
        Some(view! { <span data-testid="policy-tests"><Status tone text=says/></span> })
    };
    view! {
        <div class="border-t border-line" data-testid="policy-findings">
            <p class="flex flex-wrap gap-x-6 gap-y-1 px-4 py-2.5 text-sm" role="status">
                {move || view! { <Status tone=tone() text=draft.judgement().summary()/> }}
                {of_tests}
            </p>
            <ul class="max-h-56 divide-y divide-line overflow-y-auto empty:hidden">
                {move || {
                    let mut findings = draft.findings();
                    findings.sort_by_key(|finding| finding.severity);
                    findings
                        .into_iter()
                        .map(|finding| view! { <Finding finding draft/> })
                        .collect_view()
                }}
            </ul>
        </div>
    }
}

#[component]
fn Finding(finding: Diagnostic, draft: Draft) -> impl IntoView {
    let (tone, word) = match finding.severity {
        Severity::Error => (Tone::Bad, "Error"),
        Severity::Warning => (Tone::Caution, "Warning"),
    };
    let start = finding.start;
    view! {
        <li>
            <button
                type="button"
                class="grid w-full grid-cols-[auto_minmax(0,1fr)] gap-x-4 px-4 py-2 text-left text-sm hover:bg-sunken"
                data-testid="policy-finding"
                data-line=finding.line
                on:click=move |_| draft.reveal(start)
            >
                <span class="grid content-start gap-0.5">
                    <Status tone text=word/>
                    <span class="pl-4 text-xs text-muted">
                        {format!("line {}:{}", finding.line, finding.column)}
                    </span>
                </span>
                <span class="grid gap-0.5">
                    <Prose text=finding.message/>
                    {finding.help.map(|help| view! { <span class="text-muted"><Prose text=help/></span> })}
                </span>
            </button>
        </li>
    }
}
