//! Invites a person by a one-time link.

use leptos::prelude::*;
use wire::api::{Action, Role, user::OneTimeLink};

use super::super::{loaded::Problem, scope::Scope};
use crate::{
    api, clock,
    components::{
        badge::Tone as Mood,
        button::{Button, Tone},
        command::Command,
        dialog::{Dialog, DialogActions},
        notice::Notice,
        select_field::SelectField,
        text_field::TextField,
    },
    model::{form, role, since},
    query::Topic,
    submit::Submit,
};

/// The roles that `scope` may give, for a choice.
pub(super) fn roles(scope: Scope) -> Vec<(String, String)> {
    Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Owner || scope.may(Action::ManageOwners))
        .map(|role| (role.as_str().to_owned(), role.title().to_owned()))
        .collect()
}

/// What a chosen role means.
pub(super) fn meaning(chosen: RwSignal<String>) -> Signal<String> {
    Signal::derive(move || chosen.with(|word| word.parse().map_or("", role::meaning).to_owned()))
}

/// The dialog.
#[component]
pub(super) fn InviteDialog(open: RwSignal<bool>) -> impl IntoView {
    let link = RwSignal::new(None::<OneTimeLink>);
    Effect::new(move |_| {
        if !open.get() {
            link.set(None);
        }
    });
    view! {
        <Dialog open title="Invite a person" name="invite">
            {move || match link.get() {
                None => view! { <Form link open/> }.into_any(),
                Some(link) => view! { <ShowLink link open/> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Form(link: RwSignal<Option<OneTimeLink>>, open: RwSignal<bool>) -> impl IntoView {
    let scope = Scope::expect();
    let submit = Submit::new();
    let email = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Member.as_str().to_owned());
    let send = move || {
        let address = submit.check("/email", form::email(&email.get_untracked()));
        if let (Some(address), Ok(role)) = (address, role.get_untracked().parse()) {
            let work = api::user::invite(scope.tenant(), address, role);
            submit.run(&[Topic::Users], work, move |made| link.set(Some(made)));
        }
    };
    view! {
        <form
            class="grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                send();
            }
        >
            <TextField label="E-mail address" value=email kind="email" error=submit.field("/email", email) autofocus=true/>
            <SelectField label="Role" value=role options=roles(scope) hint=meaning(role) error=submit.field("/role", role)/>
            <Problem failure=submit.failure()/>
            <DialogActions>
                <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Create invitation link"
                </Button>
            </DialogActions>
        </form>
    }
}

/// A link that is shown once.
#[component]
pub(super) fn ShowLink(link: OneTimeLink, open: RwSignal<bool>) -> impl IntoView {
    let ends = since::relative(clock::read(), link.expires);
    view! {
        <Notice tone=Mood::Caution>
            <p>
                "This is the only time the link is shown. Send it to the person by a channel you trust; whoever opens it "
                "first signs in with it."
            </p>
        </Notice>
        <Command label="one-time link" name="one-time-link" text=link.url/>
        <p class="text-sm text-muted">{format!("It works once and ends {ends}.")}</p>
        <DialogActions>
            <Button tone=Tone::Primary on:click=move |_| open.set(false)>
                "I have copied it"
            </Button>
        </DialogActions>
    }
}
