//! Makes a key and shows its secret once.

use leptos::prelude::*;

use super::super::{
    key_form::{KeyFields, KeyForm},
    loaded::Problem,
    scope::Scope,
};
use crate::{
    api,
    components::{
        badge::Tone as Mood,
        button::{Button, Tone},
        command::Command,
        dialog::{Dialog, DialogActions, Width},
        notice::Notice,
    },
    query::Topic,
    submit::Submit,
};

/// The dialog.
#[component]
pub(super) fn CreateKey(open: RwSignal<bool>) -> impl IntoView {
    let secret = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if !open.get() {
            secret.set(None);
        }
    });
    view! {
        <Dialog open title="Create auth key" name="create-key" width=Width::Wide>
            {move || match secret.get() {
                None => view! { <Form secret open/> }.into_any(),
                Some(secret) => view! { <Made secret open/> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Form(secret: RwSignal<Option<String>>, open: RwSignal<bool>) -> impl IntoView {
    let scope = Scope::expect();
    let submit = Submit::new();
    let form = KeyForm::new("2160");
    let create = move || {
        if let Some(key) = form.read(submit) {
            let work = api::auth_key::create(scope.tenant(), key);
            submit.run(&[Topic::AuthKeys], work, move |made| {
                secret.set(Some(made.secret));
            });
        }
    };
    view! {
        <form
            class="grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                create();
            }
        >
            <KeyFields form submit/>
            <Problem failure=submit.failure()/>
            <DialogActions>
                <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Create key"
                </Button>
            </DialogActions>
        </form>
    }
}

#[component]
fn Made(secret: String, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Notice tone=Mood::Caution>
            <p>"This is the only time the key is shown. Copy it to where it is needed before you close this."</p>
        </Notice>
        <Command label="auth key" name="auth-key-secret" text=secret/>
        <DialogActions>
            <Button tone=Tone::Primary on:click=move |_| open.set(false)>
                "I have copied it"
            </Button>
        </DialogActions>
    }
}
