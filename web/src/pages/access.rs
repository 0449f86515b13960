//! The access policy: the editor, what is wrong with the draft, saving with a reason.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    api::{Action, policy::Policy, user::User},
    paths::{PolicyPath, UsersPath},
};

mod conflict;
mod draft;
mod explain;
mod findings;
mod save;
mod tested;

use conflict::Conflict;
use draft::Draft;
use explain::Explain;
use findings::Findings;
use save::{Changes, SaveDialog};

use super::{ago::Ago, loaded::loaded, scope::Scope};
use crate::{
    components::{
        badge::{Badge, Tone as Mood},
        button::{Button, LinkButton, Tone},
        code_area::CodeArea,
        notice::Notice,
        page_header::PageHeader,
        toast::Toasts,
    },
    model::audit,
    query::{Query, Topic, query},
    route::TenantPage,
};

fn policy(scope: Scope) -> Query<Policy> {
    let url = PolicyPath {
        tenant: scope.tenant(),
    }
    .to_path();
    query(Topic::Policy, move || Some(url.clone()))
}

/// The members, where the person may see them; the editor knows names by them.
fn members(scope: Scope) -> Query<Vec<User>> {
    let url = scope.may(Action::ViewUsers).then(|| {
        UsersPath {
            tenant: scope.tenant(),
        }
        .to_path()
    });
    query(Topic::Users, move || url.clone())
}

/// The page.
#[component]
pub(crate) fn AccessControls() -> impl IntoView {
    let scope = Scope::expect();
    let policy = policy(scope);
    view! {
        <PageHeader
            title="Access controls"
            help="Who may reach whom. What no rule allows is denied. A saved change holds on every machine at once."
        >
            <LinkButton href=scope.path(TenantPage::Revisions)>"Revisions"</LinkButton>
        </PageHeader>
        {loaded(policy, move |policy| view! { <Editor policy/> })}
    }
}

#[component]
fn Editor(policy: Signal<Arc<Policy>>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let members = members(scope);
    let may_save = scope.may(Action::ManagePolicy);
    let draft = Draft::new(policy, members.data.into(), may_save);
    let saving = RwSignal::new(false);
    let open = move || {
        if draft.can_save().get_untracked() {
            saving.set(true);
        }
    };
    view! {
        {(!may_save)
            .then(|| {
                view! {
                    <div class="mb-4">
                        <Notice>
                            <p>{scope.refusal(Action::ManagePolicy)} " You can read the policy."</p>
                        </Notice>
                    </div>
                }
            })}
        <Restored draft/>
        <Conflict draft/>
        <div class="overflow-hidden rounded-xl border border-line bg-surface">
            <div class="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
                <About draft/>
                <Show when=move || may_save>
                <div class="flex gap-2">
                    <Button
                        attr:data-testid="policy-discard"
                        tone=Tone::Quiet
                        disabled=Signal::derive(move || !draft.is_changed())
                        on:click=move |_| {
                            draft.discard();
                            toasts.good("The changes are discarded. Ctrl+Z in the editor brings them back.");
                        }
                    >
                        "Discard changes"
                    </Button>
                    <Button
                        attr:data-testid="policy-save"
                        tone=Tone::Primary
                        disabled=Signal::derive(move || !draft.can_save().get())
                        title=Signal::derive(move || draft.why_not())
                        on:click=move |_| open()
                    >
                        "Save…"
                    </Button>
                </div>
                </Show>
            </div>
            <div class="h-[max(20rem,calc(100dvh-20rem))]">
                <CodeArea
                    control=draft.control()
                    label="Access policy"
                    name="policy-editor"
                    on_save=move |()| open()
                    on_failure=move |()| {
                        toasts.bad("The editor could not be loaded; a plain field takes its place. Reload the page to try again.");
                    }
                />
            </div>
            <p class="border-t border-line px-4 py-1.5 text-xs text-muted">
                <kbd>"Tab"</kbd>" indents; " <kbd>"Esc"</kbd>", then "<kbd>"Tab"</kbd>" leaves the editor. "
                <kbd>"Ctrl+Space"</kbd>" completes, "<kbd>"Ctrl+F"</kbd>" finds, "<kbd>"F8"</kbd>" goes to the next problem, "
                <kbd>"Ctrl+S"</kbd>" saves."
            </p>
            <Findings draft/>
        </div>
        <Explain draft members=members.data.into()/>
        <SaveDialog draft open=saving/>
    }
}

/// Says that the text is from an earlier visit of the page.
#[component]
fn Restored(draft: Draft) -> impl IntoView {
    move || {
        draft.restored().map(|edited| {
            view! {
                <div class="mb-4" data-testid="policy-restored">
                    <Notice>
                        <p>"You have unsaved changes, last edited " <Ago then=edited/> ". They are in the editor."</p>
                        <div class="mt-2 flex flex-wrap gap-2">
                            <Button on:click=move |_| draft.go_on()>"Go on editing"</Button>
                            <Button tone=Tone::Quiet on:click=move |_| draft.discard()>"Discard them"</Button>
                        </div>
                    </Notice>
                </div>
            }
        })
    }
}

/// Which revision is edited, and whether it differs.
#[component]
fn About(draft: Draft) -> impl IntoView {
    view! {
        <p class="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1 text-sm" data-testid="policy-revision">
            {move || {
                let base = draft.base();
                let revision = &base.revision;
                view! {
                    <span class="font-medium">{format!("Revision {}", revision.number)}</span>
                    <span class="text-muted">
                        {audit::actor(&revision.author)} ", " <Ago then=revision.created/>
                    </span>
                }
            }}
            <Show when=move || draft.is_changed()>
                <Badge tone=Mood::Caution text="Unsaved changes"/>
            </Show>
        </p>
    }
}

/// The lines in which two policies differ.
pub(crate) fn changes(old: &str, new: &str) -> AnyView {
    view! { <Changes old=old.to_owned() new=new.to_owned()/> }.into_any()
}
