//! What an auth key may do: the fields that "Add device" and "Auth keys" share.

use leptos::prelude::*;
use wire::api::auth_key::CreateAuthKey;

use super::tags_field::{Tags, TagsField};
use crate::{
    components::{checkbox::Checkbox, select_field::SelectField, text_field::TextField},
    submit::Submit,
};

/// The form's state.
#[derive(Clone, Copy)]
pub(crate) struct KeyForm {
    description: RwSignal<String>,
    tags: Tags,
    hours: RwSignal<String>,
    reusable: RwSignal<bool>,
    ephemeral: RwSignal<bool>,
    preapproved: RwSignal<bool>,
}

/// How long a key may be used: hours and words.
const LIFETIMES: [(&str, &str); 6] = [
    ("1", "1 hour"),
    ("24", "1 day"),
    ("168", "7 days"),
    ("720", "30 days"),
    ("2160", "90 days"),
    ("8760", "1 year"),
];

impl KeyForm {
    /// A one-off key for a person's device that ends in `hours`.
    pub(crate) fn new(hours: &str) -> Self {
        Self {
            description: RwSignal::new(String::new()),
            tags: Tags::of_policy(),
            hours: RwSignal::new(hours.to_owned()),
            reusable: RwSignal::new(false),
            ephemeral: RwSignal::new(false),
            preapproved: RwSignal::new(true),
        }
    }

    /// The request, unless a field is wrong.
    pub(crate) fn read(self, submit: Submit) -> Option<CreateAuthKey> {
        let tags = submit.check("/tags", self.tags.read());
        Some(CreateAuthKey {
            description: self.description.get_untracked().trim().to_owned(),
            reusable: self.reusable.get_untracked(),
            ephemeral: self.ephemeral.get_untracked(),
            preapproved: self.preapproved.get_untracked(),
            tags: tags?,
            expires_in_hours: self.hours.get_untracked().parse().ok(),
        })
    }
}

/// The fields.
#[component]
pub(crate) fn KeyFields(form: KeyForm, submit: Submit) -> impl IntoView {
    let lifetimes = LIFETIMES.map(|(hours, words)| (hours.to_owned(), words.to_owned()));
    view! {
        <div class="grid gap-4 sm:grid-cols-2">
            <TextField
                label="Description"
                value=form.description
                placeholder="What the key is for"
                error=submit.field("/description", form.description)
            />
            <SelectField
                label="Can be used for"
                value=form.hours
                options=lifetimes.to_vec()
                error=submit.field("/expires_in_hours", form.hours)
            />
        </div>
        <TagsField
            tags=form.tags
            submit
            hint="For servers. A tagged machine belongs to nobody and its key never expires; without tags the machine is yours."
        />
        <div class="grid gap-1">
            <Checkbox
                label="Reusable"
                checked=form.reusable
                hint="More than one machine may join with it. Treat it like a password."
            />
            <Checkbox
                label="Ephemeral"
                checked=form.ephemeral
                hint="Its machines are removed some time after they disconnect. For containers and CI."
            />
            <Checkbox
                label="Pre-approved"
                checked=form.preapproved
                hint="Its machines need no approval where the network asks for one."
            />
        </div>
    }
}
