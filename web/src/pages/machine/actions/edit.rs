//! A machine's name and tags.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::{
    Action,
    node::{NodeDetail, Owner},
    policy::impact::{PreviewImpact, Retag},
};

use super::super::super::{
    impact::ImpactPreview,
    loaded::Problem,
    scope::Scope,
    tags_field::{Tags, TagsField},
};
use crate::{
    api,
    components::{
        badge::Tone as Mood,
        button::{Button, Tone},
        dialog::{Dialog, DialogActions},
        notice::Notice,
        text_field::TextField,
        toast::Toasts,
    },
    model::{form, node_status},
    query::Topic,
    submit::Submit,
};

/// Gives it another name.
#[component]
pub(super) fn Rename(detail: Signal<Arc<NodeDetail>>, open: RwSignal<bool>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let name = RwSignal::new(String::new());
    Effect::new(move |_| {
        if open.get() {
            name.set(detail.with_untracked(|d| d.node.name.clone()));
            submit.reset();
        }
    });
    let save = move || {
        if let Some(name) = submit.check("/name", form::hostname(&name.get_untracked())) {
            let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
            submit.run(
                &[Topic::Nodes],
                api::node::rename(tenant, node, name),
                move |()| {
                    toasts.good("The machine is renamed.");
                    open.set(false);
                },
            );
        }
    };
    view! {
        <Dialog open title="Rename the machine" name="rename-machine">
            <form
                class="grid gap-4"
                on:submit=move |ev| {
                    ev.prevent_default();
                    save();
                }
            >
                <TextField
                    label="Name"
                    value=name
                    hint="Its old name stops working for others within seconds; its addresses stay."
                    error=submit.field("/name", name)
                    autofocus=true
                />
                <Problem failure=submit.failure()/>
                <DialogActions>
                    <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                    <Button tone=Tone::Primary submit=true busy=submit.busy()>
                        "Rename"
                    </Button>
                </DialogActions>
            </form>
        </Dialog>
    }
}

/// Replaces its tags.
#[component]
pub(super) fn SetTags(detail: Signal<Arc<NodeDetail>>, open: RwSignal<bool>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let tags = Tags::of_policy();
    Effect::new(move |_| {
        if open.get() {
            tags.start(detail.with_untracked(|d| node_status::tags(&d.node.owner).to_vec()));
            submit.reset();
        }
    });
    let owner = Memo::new(move |_| {
        detail.with(|d| match &d.node.owner {
            Owner::User { email, .. } => Some(email.clone()),
            Owner::Tags { .. } => None,
        })
    });
    let typed = Memo::new(move |_| tags.read().ok());
    let retag = Signal::derive(move || preview(&detail.get(), typed.get()));
    let save = move || {
        if let Some(tags) = submit.check("/tags", untrack(|| tags.read())) {
            let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
            submit.run(
                &[Topic::Nodes],
                api::node::set_tags(tenant, node, tags),
                move |()| {
                    toasts.good("The tags are saved.");
                    open.set(false);
                },
            );
        }
    };
    view! {
        <Dialog open title="Edit tags" name="edit-tags">
            <form
                class="grid gap-4"
                on:submit=move |ev| {
                    ev.prevent_default();
                    save();
                }
            >
                <TagsField tags submit hint="Separated by commas; those that the policy defines in tagOwners." autofocus=true/>
                <Notice tone=Mood::Caution>
                    {move || match owner.get() {
                        Some(email) => {
                            format!(
                                "With a tag the machine no longer belongs to {email}: rules for people stop \
                                 applying to it, and its key never expires. Whoever takes the last tag off becomes its owner.",
                            )
                        }
                        None if typed.with(|tags| tags.as_ref().is_some_and(Vec::is_empty)) => {
                            "Without a tag the machine belongs to you from now on: rules for you apply to it, and its \
                             key ends one day, as those of people's devices do."
                                .to_owned()
                        }
                        None => {
                            "What the policy allows this machine follows its tags at once. Without any tag it \
                             belongs to you, and rules for you apply to it."
                                .to_owned()
                        }
                    }}
                </Notice>
                {scope.may(Action::ViewPolicy).then(|| view! { <ImpactPreview change=retag/> })}
                <Problem failure=submit.failure()/>
                <DialogActions>
                    <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                    <Button tone=Tone::Primary submit=true busy=submit.busy()>
                        "Save tags"
                    </Button>
                </DialogActions>
            </form>
        </Dialog>
    }
}

/// What to preview once other tags are typed.
fn preview(detail: &NodeDetail, tags: Option<Vec<String>>) -> Option<PreviewImpact> {
    let tags = tags?;
    let is_new = tags != node_status::tags(&detail.node.owner);
    is_new.then(|| PreviewImpact {
        retags: vec![Retag {
            node: detail.node.id,
            tags,
        }],
        ..PreviewImpact::default()
    })
}
