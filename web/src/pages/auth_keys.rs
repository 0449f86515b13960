//! Auth keys: how machines join without a person at them.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    AuthKeyId,
    api::{Action, auth_key::AuthKey},
    paths::AuthKeysPath,
};

mod create;

use create::CreateKey;

use super::{
    ago::Ago,
    loaded::{Problem, loaded},
    scope::Scope,
};
use crate::{
    api,
    components::{
        badge::{Badge, Label, Status, Tone as Mood},
        button::{Button, Tone},
        confirm::Confirm,
        empty::Empty,
        icon::{Icon, Sign},
        page_header::PageHeader,
        table::{Column, Shown, Table},
        toast::Toasts,
    },
    query::{Query, Topic, query},
    submit::Submit,
};

/// The page.
#[component]
pub(crate) fn AuthKeys() -> impl IntoView {
    let scope = Scope::expect();
    let tenant = scope.tenant();
    let keys: Query<Vec<AuthKey>> = query(Topic::AuthKeys, move || {
        Some(AuthKeysPath { tenant }.to_path())
    });
    let creating = RwSignal::new(false);
    let revoking = RwSignal::new(None::<AuthKey>);
    let may = scope.may(Action::ManageAuthKeys);
    view! {
        <PageHeader title="Auth keys" help="A key lets machines join without a person at them. Its secret is shown once, when it is made.">
            {may
                .then(|| {
                    view! {
                        <Button tone=Tone::Primary attr:data-testid="create-key-open" on:click=move |_| creating.set(true)>
                            <Icon sign=Sign::Plus/>
                            "Create key"
                        </Button>
                    }
                })}
        </PageHeader>
        {loaded(keys, move |keys| view! { <List keys revoking may/> })}
        <CreateKey open=creating/>
        <Revoke chosen=revoking/>
    }
}

#[component]
fn List(
    keys: Signal<Arc<Vec<AuthKey>>>,
    revoking: RwSignal<Option<AuthKey>>,
    may: bool,
) -> impl IntoView {
    move || {
        let keys = keys.get();
        if keys.is_empty() {
            return view! {
                <div class="rounded-xl border border-line bg-surface">
                    <Empty
                        sign=Sign::Key
                        title="No auth keys"
                        hint="People join their own devices by signing in. Make a key for servers and scripts."
                    />
                </div>
            }
            .into_any();
        }
        let rows = keys
            .iter()
            .map(|key| view! { <Row key=key.clone() revoking may/> })
            .collect_view();
        view! {
            <Table
                label="Auth keys"
                columns=vec![
                    Column { name: "Key", shown: Shown::Always },
                    Column { name: "Machines get", shown: Shown::Medium },
                    Column { name: "Used", shown: Shown::Large },
                    Column { name: "State", shown: Shown::Medium },
                    Column { name: "", shown: Shown::Always },
                ]
            >
                {rows}
            </Table>
        }
        .into_any()
    }
}

#[component]
fn Row(key: AuthKey, revoking: RwSignal<Option<AuthKey>>, may: bool) -> impl IntoView {
    let title = if key.description.is_empty() {
        "No description".to_owned()
    } else {
        key.description.clone()
    };
    let uses = match key.uses {
        0 => "Not used".to_owned(),
        1 => "Once".to_owned(),
        n => format!("{n} times"),
    };
    let own = key.clone();
    let revocable = may && key.valid;
    let name = format!("Revoke {title}");
    view! {
        <tr data-testid="auth-key-row">
            <td class=Shown::Always.cell()>
                <div class="grid min-w-0 gap-1">
                    <span class="font-medium break-words">{title}</span>
                    <code class="font-mono text-xs break-all text-muted">{key.prefix.clone()} "…"</code>
                    <span class="text-muted">
                        {key.user_email.clone()} ", " <Ago then=key.created/>
                    </span>
                    <span class="md:hidden">
                        <State key=key.clone()/>
                    </span>
                </div>
            </td>
            <td class=Shown::Medium.cell()>
                <Gets key=key.clone()/>
            </td>
            <td class=Shown::Large.cell()>{uses}</td>
            <td class=Shown::Medium.cell()>
                <State key/>
            </td>
            <td class=Shown::Always.cell()>
                <div class="flex justify-end">
                    {revocable
                        .then(|| {
                            view! {
                                <Button
                                    attr:aria-label=name
                                    on:click=move |_| revoking.set(Some(own.clone()))
                                >
                                    "Revoke…"
                                </Button>
                            }
                        })}
                </div>
            </td>
        </tr>
    }
}

/// What a machine is that joins with it.
#[component]
fn Gets(key: AuthKey) -> impl IntoView {
    let owner = if key.tags.is_empty() {
        view! { <span class="text-muted">"the maker as owner"</span> }.into_any()
    } else {
        key.tags
            .iter()
            .map(|tag| view! { <Label text=tag.clone()/> })
            .collect_view()
            .into_any()
    };
    view! {
        <span class="flex flex-wrap items-center gap-1.5">
            {owner} {key.reusable.then(|| view! { <Badge text="Reusable"/> })}
            {key.ephemeral.then(|| view! { <Badge text="Ephemeral"/> })}
            {key.preapproved.then(|| view! { <Badge text="Pre-approved"/> })}
        </span>
    }
}

/// Whether it can be used.
#[component]
fn State(key: AuthKey) -> impl IntoView {
    if let Some(then) = key.revoked {
        return view! {
            <span class="grid gap-0.5">
                <Status tone=Mood::Neutral text="Revoked"/>
                <span class="text-muted">
                    <Ago then/>
                </span>
            </span>
        }
        .into_any();
    }
    let (tone, word) = match (key.valid, key.reusable, key.uses) {
        (true, _, _) => (Mood::Good, "Valid"),
        (false, false, 1..) => (Mood::Neutral, "Used up"),
        (false, _, _) => (Mood::Neutral, "Expired"),
    };
    view! {
        <span class="grid gap-0.5">
            <Status tone text=word/>
            <span class="text-muted">
                "expires " <Ago then=key.expires/>
            </span>
        </span>
    }
    .into_any()
}

#[component]
fn Revoke(chosen: RwSignal<Option<AuthKey>>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let open = RwSignal::new(false);
    let id = StoredValue::new(None::<AuthKeyId>);
    Effect::new(move |_| {
        if let Some(key) = chosen.get() {
            id.set_value(Some(key.id));
            submit.reset();
            open.set(true);
        }
    });
    Effect::new(move |before: Option<bool>| {
        let now = open.get();
        if before == Some(true) && !now {
            chosen.set(None);
        }
        now
    });
    let act = move |()| {
        let Some(key) = id.get_value() else {
            return;
        };
        submit.run(
            &[Topic::AuthKeys],
            api::auth_key::revoke(scope.tenant(), key),
            move |()| {
                toasts.good("The key is revoked.");
                open.set(false);
            },
        );
    };
    view! {
        <Confirm open title="Revoke the key?" name="revoke-key" act="Revoke key" busy=submit.busy() on_confirm=act>
            <p>
                "No machine can join with it any more. Machines that joined with it stay; remove them on the Machines "
                "page. This cannot be undone."
            </p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}
