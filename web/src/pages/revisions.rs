//! What the policy was: every revision, what it changed, and how to restore it.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    api::{
        Action,
        policy::{Policy, Revision, SavePolicy, impact::PreviewImpact},
    },
    id::PolicyRevisionId,
    paths::{PolicyPath, PolicyRevisionPath, PolicyRevisionsPath},
};

use super::{
    access::changes,
    ago::Ago,
    impact::ImpactPreview,
    loaded::{Problem, loaded},
    scope::Scope,
};
use crate::{
    api,
    components::{
        badge::{Badge, Tone as Mood},
        button::{Button, Tone},
        confirm::Confirm,
        dialog::{Dialog, DialogActions, Width, open_while},
        page_header::PageHeader,
        toast::Toasts,
    },
    model::audit,
    query::{Query, Topic, query},
    route::TenantPage,
    submit::Submit,
};

/// The page.
#[component]
pub(crate) fn Revisions() -> impl IntoView {
    let scope = Scope::expect();
    let tenant = scope.tenant();
    let list: Query<Vec<Revision>> = query(Topic::Policy, move || {
        Some(PolicyRevisionsPath { tenant }.to_path())
    });
    let back = (
        scope.path(TenantPage::AccessControls),
        "Access controls".to_owned(),
    );
    let chosen = RwSignal::new(None::<Revision>);
    view! {
        <PageHeader title="Revisions" help="Every saved policy, the newest first. None is ever lost." back/>
        {loaded(list, move |list| view! { <List list chosen/> })}
        <View chosen/>
    }
}

#[component]
fn List(list: Signal<Arc<Vec<Revision>>>, chosen: RwSignal<Option<Revision>>) -> impl IntoView {
    view! {
        <ol class="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
            {move || {
                list.get()
                    .iter()
                    .enumerate()
                    .map(|(at, revision)| {
                        view! { <Entry revision=revision.clone() in_force={at == 0} chosen/> }
                    })
                    .collect_view()
            }}
        </ol>
    }
}

#[component]
fn Entry(revision: Revision, in_force: bool, chosen: RwSignal<Option<Revision>>) -> impl IntoView {
    let own = revision.clone();
    let reason = if revision.reason.is_empty() {
        view! { <span class="text-muted italic">"No reason given"</span> }.into_any()
    } else {
        revision.reason.clone().into_any()
    };
    view! {
        <li class="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3" data-testid="revision-row">
            <div class="grid min-w-0 flex-1 basis-64 gap-0.5 text-sm">
                <p class="flex items-center gap-2">
                    <span class="font-medium">{format!("Revision {}", revision.number)}</span>
                    {in_force.then(|| view! { <Badge tone=Mood::Good text="In force"/> })}
                </p>
                <p class="break-words">{reason}</p>
                <p class="text-muted">
                    {audit::actor(&revision.author)} ", " <Ago then=revision.created/>
                </p>
            </div>
            <Button on:click=move |_| chosen.set(Some(own.clone()))>"View"</Button>
        </li>
    }
}

/// One revision against the one in force.
#[component]
fn View(chosen: RwSignal<Option<Revision>>) -> impl IntoView {
    let scope = Scope::expect();
    let tenant = scope.tenant();
    let open = open_while(chosen, |_| true);
    let id = move || chosen.with(|c| c.as_ref().map(|c| c.id));
    let then: Query<Policy> = query(Topic::Server, move || {
        id().map(|revision| PolicyRevisionPath { tenant, revision }.to_path())
    });
    let now: Query<Policy> = query(Topic::Policy, move || {
        id().map(|_: PolicyRevisionId| PolicyPath { tenant }.to_path())
    });
    let title = Signal::derive(move || {
        chosen.with(|c| {
            c.as_ref()
                .map(|c| format!("Revision {}", c.number))
                .unwrap_or_default()
        })
    });
    view! {
        <Dialog open title name="revision" width=Width::Wide>
            {loaded(
                then,
                move |then| {
                    view! {
                        {loaded(now, move |now| view! { <Compared then now open/> })}
                    }
                },
            )}
        </Dialog>
    }
}

#[component]
fn Compared(
    then: Signal<Arc<Policy>>,
    now: Signal<Arc<Policy>>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let asking = RwSignal::new(false);
    let same = Memo::new(move |_| then.with(|t| now.with(|n| t.document == n.document)));
    let number = move || then.with(|then| then.revision.number);
    let restore = move |()| {
        let (then, now) = (then.get_untracked(), now.get_untracked());
        let policy = SavePolicy {
            document: then.document.clone(),
            reason: format!("Restore revision {}", then.revision.number),
            base: now.revision.id,
        };
        submit.run(
            &[Topic::Policy],
            api::policy::save(scope.tenant(), policy),
            move |saved| {
                toasts.good(format!("Revision {} is in force.", saved.revision.number));
                asking.set(false);
                open.set(false);
            },
        );
    };
    view! {
        {move || {
            if same.get() {
                view! {
                    <p class="text-sm text-muted">"This is the policy in force."</p>
                    <pre class="max-h-96 overflow-auto rounded-lg border border-line p-3 font-mono text-xs" tabindex="0">
                        <code>{then.get().document.clone()}</code>
                    </pre>
                }
                    .into_any()
            } else {
                view! {
                    <p class="text-sm text-muted">"What restoring it would change in the policy in force:"</p>
                    {changes(&now.get().document, &then.get().document)}
                    <ImpactPreview change=Signal::derive(move || {
                        Some(PreviewImpact {
                            document: Some(then.get().document.clone()),
                            ..PreviewImpact::default()
                        })
                    })/>
                }
                    .into_any()
            }
        }}
        <DialogActions>
            <Button on:click=move |_| open.set(false)>"Close"</Button>
            <Show when=move || !same.get() && scope.may(Action::ManagePolicy)>
                <Button tone=Tone::Primary attr:data-testid="revision-restore" on:click=move |_| asking.set(true)>
                    "Restore…"
                </Button>
            </Show>
        </DialogActions>
        <Confirm
            open=asking
            title=Signal::derive(move || format!("Restore revision {}?", number()))
            name="restore-revision"
            act="Restore"
            tone=Tone::Primary
            busy=submit.busy()
            on_confirm=restore
        >
            <p>
                "Its text becomes a new revision and holds on every machine within seconds. Connections that it does "
                "not allow end. The revisions between stay here."
            </p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}
