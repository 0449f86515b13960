//! An answer: the verdict, the chain that leads to it, and what is missing.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::policy::explain::{
    Case, Chain, Denial, Entrance, Names, Place, Rule, Source, Step, Verdict,
};

use super::{super::draft::Draft, By, Told};
use crate::{
    components::{
        badge::{Badge, Label, Tone},
        notice::Notice,
        prose::Prose,
    },
    model::explain::{Shape, count, in_order, listed, tally},
};

/// Leads to places in the editor while its text is the one that was asked about.
#[derive(Clone, Copy)]
struct Guide {
    draft: Draft,
    is_fresh: Memo<bool>,
    /// True when the answer is about an earlier text of the editor.
    is_old: Memo<bool>,
}

/// The answer.
#[component]
pub(super) fn Answer(told: Arc<Told>, draft: Draft) -> impl IntoView {
    let by = told.by.clone();
    let is_fresh = Memo::new(move |_| match &by {
        By::Text(text) => draft.is_text(text),
        By::Revision(_) => false,
    });
    let is_of_text = matches!(told.by, By::Text(_));
    let is_old = Memo::new(move |_| is_of_text && !is_fresh.get());
    let stale = StoredValue::new(match &told.by {
        By::Text(_) => {
            "The policy has changed since: ask again. This answer is about the earlier text."
                .to_owned()
        }
        By::Revision(number) => format!("Lines are those of revision {number}."),
    });
    let guide = Guide {
        draft,
        is_fresh,
        is_old,
    };
    let explained = told.explained.clone();
    let notes = explained
        .notes
        .into_iter()
        .map(|text| view! { <p class="text-sm text-muted" data-testid="explain-note"><Prose text/></p> })
        .collect_view();
    let tally = tally(&explained.cases);
    let cases = in_order(explained.cases)
        .map(|(case, shape)| view! { <CaseView case shape guide/> })
        .collect_view();
    let entrances = explained
        .entrances
        .into_iter()
        .map(|entrance| view! { <EntranceView entrance guide/> })
        .collect_view();
    view! {
        <div class="grid grid-cols-[minmax(0,1fr)] gap-4" data-testid="explanation">
            <p class="flex flex-wrap items-baseline gap-x-3 gap-y-1.5 border-t border-line pt-4">
                {verdict(explained.verdict, is_old)}
                <span class="min-w-0 flex-1 basis-60 font-medium" class:text-muted=is_old>
                    <Prose text=explained.sentence/>
                </span>
            </p>
            <Show when=move || !is_fresh.get()>
                <Notice>
                    <p data-testid="explain-stale">{stale.get_value()}</p>
                </Notice>
            </Show>
            {notes}
            {tally.map(|tally| view! { <p class="text-sm text-muted">{tally}</p> })}
            {cases}
            {entrances}
            {explained.left_out.map(|left| view! { <p class="text-sm text-muted">{left}</p> })}
        </div>
    }
}

/// An answer about an earlier text is told without colour.
fn verdict(verdict: Verdict, is_old: Memo<bool>) -> impl IntoView {
    let (tone, text) = match verdict {
        Verdict::Allowed => (Tone::Good, "Allowed"),
        Verdict::Partly => (Tone::Caution, "Partly"),
        Verdict::Denied => (Tone::Bad, "Denied"),
        Verdict::Unasked => (Tone::Neutral, "No rule is asked"),
    };
    let badge = move || {
        let tone = if is_old.get() { Tone::Neutral } else { tone };
        view! { <Badge tone text/> }
    };
    view! { <span data-testid="verdict">{badge}</span> }
}

#[component]
fn CaseView(case: Case, shape: Shape, guide: Guide) -> impl IntoView {
    let pairs = u64::try_from(case.pairs).unwrap_or(u64::MAX);
    let pairs = format!(
        "{}: {} → {}",
        count(pairs, "pair", "pairs"),
        listed(&case.from),
        listed(&case.to),
    );
    let chains = case
        .chains
        .into_iter()
        .map(|chain| view! { <ChainView chain guide/> })
        .collect_view();
    let reasons = view! {
        {chains}
        {case.denied.map(|denial| view! { <Nearest denial guide/> })}
    };
    match shape {
        Shape::Alone => view! {
            <article class="grid grid-cols-[minmax(0,1fr)] gap-3" data-testid="explain-case">{reasons}</article>
        }
        .into_any(),
        Shape::Open | Shape::Folded => view! {
            <details
                class="fold rounded-lg border border-line text-sm"
                data-testid="explain-case"
                open=shape == Shape::Open
            >
                <summary class="flex flex-wrap items-baseline gap-x-3 gap-y-1 rounded-lg py-2.5 pr-4">
                    {verdict(case.verdict, guide.is_old)}
                    <span class="min-w-0 flex-1 basis-60"><Prose text=case.sentence/></span>
                </summary>
                <div class="grid grid-cols-[minmax(0,1fr)] gap-3 px-4 pb-4">
                    <p class="break-words text-muted">{pairs}</p>
                    {reasons}
                </div>
            </details>
        }
        .into_any(),
    }
}

#[component]
fn ChainView(chain: Chain, guide: Guide) -> impl IntoView {
    let ports = match chain.ports.as_str() {
        "" => String::new(),
        "*" => " lets every port through".to_owned(),
        protocol if is_name(protocol) => format!(" lets {protocol} through"),
        one if !one.contains([',', '-']) => format!(" lets port {one} through"),
        ports => format!(" lets ports {ports} through"),
    };
    let mut steps = chain.steps.into_iter();
    let first = steps.next();
    let line = |step: Step| view! { <StepView step guide/> };
    view! {
        <ol class="chain grid gap-2 text-sm" data-testid="explain-chain">
            {first.map(line)}
            <li>
                <RuleLink rule=chain.rule guide/>
                {ports}
            </li>
            {steps.map(line).collect_view()}
        </ol>
    }
}

/// True for a protocol without ports.
fn is_name(ports: &str) -> bool {
    ports.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[component]
fn StepView(step: Step, guide: Guide) -> impl IntoView {
    view! {
        <li class="flex flex-wrap items-baseline gap-x-2">
            <Prose text=step.text/>
            {step.place.map(|place| view! { <PlaceLink place text=line(place) guide/> })}
        </li>
    }
}

fn line(place: Place) -> String {
    format!("line {}", place.line)
}

#[component]
fn RuleLink(rule: Rule, guide: Guide) -> impl IntoView {
    match rule.place {
        Some(place) => {
            let text = format!("{} ({})", rule.name, line(place));
            view! { <PlaceLink place text guide/> }.into_any()
        }
        None => view! { <span>{rule.name}</span> }.into_any(),
    }
}

/// Moves the editor's caret to the place.
#[component]
fn PlaceLink(place: Place, text: String, guide: Guide) -> impl IntoView {
    view! {
        <button
            type="button"
            class="link disabled:cursor-default disabled:text-muted disabled:no-underline"
            data-testid="explain-place"
            data-line=place.line
            disabled=move || !guide.is_fresh.get()
            on:click=move |_| guide.draft.reveal(place.start)
        >
            {text}
        </button>
    }
}

#[component]
fn Nearest(denial: Denial, guide: Guide) -> impl IntoView {
    if denial.nearest.is_empty() {
        return ().into_any();
    }
    let rows = denial
        .nearest
        .into_iter()
        .map(|near| {
            view! {
                <li data-testid="explain-near">
                    <RuleLink rule=near.rule guide/>
                    ": "
                    <Prose text=near.missing.join("; ")/>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="grid gap-1.5 text-sm">
            <p class="text-muted">"The rules that come nearest, and what is missing:"</p>
            <ul class="grid list-disc gap-1 pl-5">{rows}</ul>
        </div>
    }
    .into_any()
}

#[component]
fn EntranceView(entrance: Entrance, guide: Guide) -> impl IntoView {
    let ports = match entrance.ports.as_str() {
        "" => "sign-ins to".to_owned(),
        "*" => "every port of".to_owned(),
        protocol if is_name(protocol) => format!("{protocol} to"),
        one if !one.contains([',', '-']) => format!("port {one} of"),
        ports => format!("ports {ports} of"),
    };
    let to = listed(&entrance.to);
    let opens = if entrance.shut.is_none() {
        "opens"
    } else {
        "is about"
    };
    let turns_away = entrance.shut.map(|why| {
        view! {
            ", but lets nobody in: "
            <Prose text=why/>
            ". It turns away:"
        }
    });
    let sources = entrance
        .sources
        .into_iter()
        .map(|source| view! { <SourceView source guide/> })
        .collect_view();
    view! {
        <article class="grid grid-cols-[minmax(0,1fr)] gap-3 rounded-lg border border-line p-4 text-sm" data-testid="explain-entrance">
            <p>
                <RuleLink rule=entrance.rule guide/>
                {format!(" {opens} {ports} {to}, because ")}
                <Prose text=entrance.target.text/>
                {turns_away}
            </p>
            {entrance.posture.map(|posture| view! { <p><Prose text=posture.text/></p> })}
            <ul class="grid gap-2">{sources}</ul>
        </article>
    }
}

#[component]
fn SourceView(source: Source, guide: Guide) -> impl IntoView {
    let people = (!source.people.is_empty()).then(|| listed(&source.people));
    let told = |word: &str, names: &Names| {
        (!names.is_empty()).then(|| format!("{word}: {}", listed(names)))
    };
    let machines = u64::try_from(source.machines.total).unwrap_or(u64::MAX);
    let rest = [
        told(&count(machines, "machine", "machines"), &source.machines),
        told("addresses", &source.addresses),
        told("no machine yet", &source.without_machine),
    ];
    let rest = rest
        .into_iter()
        .flatten()
        .map(|line| view! { <span class="text-muted">{line}</span> })
        .collect_view();
    view! {
        <li class="grid gap-1 sm:grid-cols-[minmax(0,12rem)_minmax(0,1fr)]">
            <span class="flex flex-wrap items-baseline gap-x-2">
                <Label text=source.selector/>
                {source.place.map(|place| view! { <PlaceLink place text=line(place) guide/> })}
            </span>
            <span class="grid gap-0.5 break-words">
                {people.map(|people| view! { <span>{people}</span> })}
                {rest}
            </span>
        </li>
    }
}
