//! What a change would open and shut, told before it is made.

use std::{sync::Arc, time::Duration};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use wire::api::policy::impact::{Change, Changes, CutOff, Difference, Impact, PreviewImpact};

use super::{loaded::trouble, scope::Scope};
use crate::{
    api::{self, Failure},
    components::{
        badge::{Badge, Tone},
        notice::{Notice, TroubleNotice},
        prose::Prose,
        skeleton::Skeleton,
    },
    model::explain::{count, shortened},
};

/// How long a change must rest before it is previewed.
const PAUSE: Duration = Duration::from_millis(300);

type Told = Option<Result<Arc<Impact>, Failure>>;

/// The impact of a change; follows the change. `None`: there is nothing to preview.
#[component]
pub(crate) fn ImpactPreview(change: Signal<Option<PreviewImpact>>) -> impl IntoView {
    let scope = Scope::expect();
    let told: RwSignal<Told> = RwSignal::new(None);
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let wanted = Memo::new(move |_| change.get());
    let ask = move || {
        let Some(asked) = wanted.get_untracked() else {
            return;
        };
        spawn_local(async move {
            let answer = api::policy::impact(scope.tenant(), &asked).await;
            if wanted.try_get_untracked() == Some(Some(asked)) {
                let _ = told.try_set(Some(answer.map(Arc::new)));
            }
        });
    };
    Effect::new(move |before: Option<()>| {
        wanted.track();
        told.set(None);
        if let Some(timer) = waiting.get_value() {
            timer.clear();
        }
        if before.is_none() {
            ask();
        } else {
            waiting.set_value(set_timeout_with_handle(ask, PAUSE).ok());
        }
    });
    on_cleanup(move || {
        if let Some(Some(timer)) = waiting.try_get_value() {
            timer.clear();
        }
    });
    view! {
        <Show when=move || wanted.with(Option::is_some)>
            <section class="grid grid-cols-[minmax(0,1fr)] gap-3" data-testid="impact" aria-live="polite">
                <h3 class="text-sm font-medium">"What it changes for people and machines"</h3>
                {move || shown(told.get())}
                {move || told.get().and_then(Result::ok).map(|impact| view! { <Absent impact/> })}
            </section>
        </Show>
    }
}

fn shown(told: Told) -> AnyView {
    match told {
        None => view! { <Skeleton lines=2/> }.into_any(),
        Some(Err(failure)) => {
            let trouble = Signal::stored(Some(trouble(&failure)));
            view! { <TroubleNotice trouble/> }.into_any()
        }
        Some(Ok(impact)) if impact.is_empty() && impact.machines == 0 => view! {
            <p class="text-sm text-muted" data-testid="impact-none">
                "Nothing yet: this network has no machine. What is opened here holds for those that join."
            </p>
        }
        .into_any(),
        Some(Ok(impact)) if impact.is_empty() => view! {
            <p class="text-sm text-muted" data-testid="impact-none">
                "Nothing: everybody reaches what they reach now, and nothing more."
            </p>
        }
        .into_any(),
        Some(Ok(impact)) => view! {
            <Losers cut_off=impact.cut_off.clone()/>
            <Side title="Gained" tone=Tone::Good difference=impact.gained.clone()/>
            <Side title="Lost" tone=Tone::Bad difference=impact.lost.clone()/>
        }
        .into_any(),
    }
}

fn named(names: &[String], more: u64) -> String {
    shortened(names, usize::try_from(more).unwrap_or(usize::MAX))
}

/// Who reaches nothing any more.
#[component]
fn Losers(cut_off: CutOff) -> impl IntoView {
    (!cut_off.is_empty()).then(|| {
        let line = |names: &[String], more: u64| {
            (!names.is_empty()).then(|| view! { <p>{named(names, more)}</p> })
        };
        view! {
            <div data-testid="impact-cut-off">
                <Notice tone=Tone::Caution>
                    <p class="font-medium">"They reach something now and would reach nothing:"</p>
                    {line(&cut_off.people, cut_off.more_people)}
                    {line(&cut_off.machines, cut_off.more_machines)}
                </Notice>
            </div>
        }
    })
}

/// For whom something changes once they have a machine.
#[component]
fn Absent(impact: Arc<Impact>) -> impl IntoView {
    let names = named(&impact.absent, impact.more_absent);
    let has = if impact.absent.len() == 1 && impact.more_absent == 0 {
        "has"
    } else {
        "have"
    };
    (!impact.absent.is_empty()).then(|| {
        view! {
            <p class="text-sm text-muted wrap-anywhere" data-testid="impact-absent">
                {format!("{names} {has} no machine yet: what changes for them holds once there is one.")}
            </p>
        }
    })
}

#[component]
fn Side(title: &'static str, tone: Tone, difference: Difference) -> impl IntoView {
    let is_empty = difference.is_empty();
    let kinds = [
        ("Traffic", difference.traffic),
        ("Sign-ins by SSH", difference.sign_ins),
        ("Capabilities", difference.capabilities),
    ];
    let kinds = kinds
        .into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(kind, changes)| view! { <Kind kind changes/> })
        .collect_view();
    let id = title.to_lowercase();
    view! {
        <div class="grid grid-cols-[minmax(0,1fr)] gap-2" data-testid=format!("impact-{id}")>
            <p class="flex items-center gap-2 text-sm">
                <Badge tone text=title/>
                {is_empty.then(|| view! { <span class="text-muted">"nothing"</span> })}
            </p>
            {kinds}
        </div>
    }
}

#[component]
fn Kind(kind: &'static str, changes: Changes) -> impl IntoView {
    let people = match changes.people {
        0 => String::new(),
        n => format!("{} and ", count(n, "person", "people")),
    };
    let total = format!(
        "{kind}, from {people}{} to {}",
        count(changes.from_machines, "machine", "machines"),
        count(changes.to_machines, "machine", "machines"),
    );
    let rows = changes
        .shown
        .into_iter()
        .map(|change| view! { <Row change/> })
        .collect_view();
    let more = (changes.more > 0).then(|| {
        view! { <li class="px-3 py-2 text-muted">{format!("and {} more", changes.more)}</li> }
    });
    view! {
        <div class="grid grid-cols-[minmax(0,1fr)] gap-1.5 text-sm">
            <p class="text-muted">{total.clone()}</p>
            <ul
                class="max-h-60 divide-y divide-line overflow-y-auto rounded-lg border border-line"
                tabindex="0"
                aria-label=total
            >
                {rows}
                {more}
            </ul>
        </div>
    }
}

#[component]
fn Row(change: Change) -> impl IntoView {
    let who = named(&change.who.shown, change.who.more);
    let to = named(&change.to.shown, change.to.more);
    let members = [("From", &change.who), ("To", &change.to)]
        .into_iter()
        .filter(|(_, ends)| !ends.members.is_empty())
        .map(|(word, ends)| {
            let members = named(&ends.members, ends.more_members);
            view! { <span>{word} " " <Prose text=members/></span> }
        })
        .collect_view();
    let line = change
        .rule
        .place
        .map(|place| format!(", line {}", place.line));
    let partly = if change.is_partial {
        "; other rules have a part of it"
    } else {
        ""
    };
    let rule = format!("{}{}{partly}", change.rule.name, line.unwrap_or_default());
    view! {
        <li class="grid gap-0.5 px-3 py-2" data-testid="impact-change">
            <span>
                <Prose text=who/>
                <span aria-hidden="true">" → "</span>
                <span class="sr-only">" to "</span>
                <Prose text=to/>
                ": "
                <Prose text=change.what/>
            </span>
            <span class="grid text-muted">{members} <span>{format!("by {rule}")}</span></span>
        </li>
    }
}
