//! A machine's name and tags.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::{
    Action,
    node::{NodeDetail, Owner},
    policy::impact::{PreviewImpact, Retag},
};

use super::super::super::{impact::ImpactPreview, loaded::Problem, scope::Scope};
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
    let (name, own) = (RwSignal::new(String::new()), RwSignal::new(None));
    Effect::new(move |_| {
        if open.get() {
            name.set(detail.with_untracked(|d| d.node.name.clone()));
            own.set(None);
            submit.reset();
        }
    });
    let error = Signal::derive(move || own.get().or_else(|| submit.field("/name").get()));
    let save = move || {
        let checked = form::hostname(&name.get_untracked());
        own.set(checked.clone().err());
        if let Ok(name) = checked {
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
                    error
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
    let (tags, own) = (RwSignal::new(String::new()), RwSignal::new(None));
    Effect::new(move |_| {
        if open.get() {
            tags.set(detail.with_untracked(|d| node_status::tags(&d.node.owner).join(", ")));
            own.set(None);
            submit.reset();
        }
    });
    let owner = Memo::new(move |_| {
        detail.with(|d| match &d.node.owner {
            Owner::User { email, .. } => Some(email.clone()),
            Owner::Tags { .. } => None,
        })
    });
    let error = Signal::derive(move || own.get().or_else(|| submit.field("/tags").get()));
    let retag = Signal::derive(move || preview(&detail.get(), &tags.get()));
    let save = move || {
        let checked = form::tags(&tags.get_untracked());
        own.set(checked.clone().err());
        if let Ok(tags) = checked {
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
                <TextField
                    label="Tags"
                    value=tags
                    placeholder="tag:server, tag:eu"
                    hint="Separated by commas. The policy must define each of them in tagOwners."
                    error
                    autofocus=true
                />
                <Notice tone=Mood::Caution>
                    {move || match owner.get() {
                        Some(email) => {
                            format!(
                                "With a tag the machine no longer belongs to {email}: rules for people stop \
                                 applying to it, and its key never expires. Whoever takes the last tag off becomes its owner.",
                            )
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
fn preview(detail: &NodeDetail, text: &str) -> Option<PreviewImpact> {
    let tags = form::tags(text).ok()?;
    let is_new = tags != node_status::tags(&detail.node.owner);
    is_new.then(|| PreviewImpact {
        retags: vec![Retag {
            node: detail.node.id,
            tags,
        }],
        ..PreviewImpact::default()
    })
}
