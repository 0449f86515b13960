//! The exact command that brings a machine into the network, and a note that
//! turns when the machine is there.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    NodeId,
    api::{Action, server::ServerInfo},
    paths::ServerPath,
};

mod commands;

use commands::Commands;

use super::{
    key_form::{KeyFields, KeyForm},
    loaded::{Problem, loaded},
    machines::nodes,
    scope::Scope,
};
use crate::{
    api,
    components::{
        badge::Tone as Mood,
        button::{Button, Tone},
        notice::Notice,
        page_header::PageHeader,
        panel::Panel,
        segmented::Segmented,
    },
    model::command::Proof,
    query::{Query, Topic, query},
    route::TenantPage,
    submit::Submit,
};

/// What the server says of itself.
pub(crate) fn server() -> Query<ServerInfo> {
    query(Topic::Server, || Some(ServerPath {}.to_path()))
}

const KEY: &str = "key";
const BROWSER: &str = "browser";

/// The page.
#[component]
pub(crate) fn AddDevice() -> impl IntoView {
    let scope = Scope::expect();
    let may_key = scope.may(Action::ManageAuthKeys);
    let way = RwSignal::new(if may_key { KEY } else { BROWSER }.to_owned());
    let server = server();
    let back = (scope.path(TenantPage::Machines), "Machines".to_owned());
    view! {
        <PageHeader title="Add device" help="One command on the new machine, and it is part of the network." back/>
        <div class="grid gap-4">
            {may_key
                .then(|| {
                    view! {
                        <div>
                            <Segmented
                                label="How the machine proves itself"
                                options=vec![
                                    (KEY.to_owned(), "With an auth key".to_owned()),
                                    (BROWSER.to_owned(), "By signing in".to_owned()),
                                ]
                                value=way
                                on_change=move |word: String| way.set(word)
                            />
                        </div>
                    }
                })}
            {loaded(
                server,
                move |server| {
                    view! {
                        <div class="grid gap-4">
                            {move || {
                                if way.with(|way| way == KEY) {
                                    view! { <WithKey server/> }.into_any()
                                } else {
                                    view! { <BySigningIn server/> }.into_any()
                                }
                            }}
                            <Arrivals/>
                        </div>
                    }
                },
            )}
        </div>
    }
}

#[component]
fn BySigningIn(server: Signal<Arc<ServerInfo>>) -> impl IntoView {
    view! {
        <Panel
            title="Run this on the machine"
            help="It prints a link. Open it in any browser where you are signed in here, and confirm the machine."
        >
            <Commands server proof=Proof::Browser/>
        </Panel>
    }
}

#[component]
fn WithKey(server: Signal<Arc<ServerInfo>>) -> impl IntoView {
    let scope = Scope::expect();
    let secret = RwSignal::new(None::<String>);
    let form = KeyForm::new("24");
    let submit = Submit::new();
    let create = move || {
        if let Some(key) = form.read(submit) {
            let work = api::auth_key::create(scope.tenant(), key);
            submit.run(&[Topic::AuthKeys], work, move |made| {
                secret.set(Some(made.secret));
            });
        }
    };
    move || {
        match secret.get() {
        None => view! {
            <Panel title="The key" help="The command will carry a key that lets the machine in without a person at it.">
                <form
                    class="grid gap-4"
                    on:submit=move |ev| {
                        ev.prevent_default();
                        create();
                    }
                >
                    <KeyFields form submit/>
                    <Problem failure=submit.failure()/>
                    <div>
                        <Button tone=Tone::Primary submit=true busy=submit.busy()>
                            "Create key and show the command"
                        </Button>
                    </div>
                </form>
            </Panel>
        }
        .into_any(),
        Some(secret) => view! {
            <Panel title="Run this on the machine" help="The key in it is shown only now. Copy the command before you leave this page.">
                <Commands server proof=Proof::AuthKey(secret)/>
            </Panel>
        }
        .into_any(),
    }
    }
}

/// Machines that joined since the page was opened.
#[component]
fn Arrivals() -> impl IntoView {
    let scope = Scope::expect();
    let nodes = nodes(scope);
    let before = StoredValue::new(None::<Vec<NodeId>>);
    let arrived = Memo::new(move |_| {
        let Some(nodes) = nodes.data.get() else {
            return Vec::new();
        };
        if before.with_value(Option::is_none) {
            before.set_value(Some(nodes.iter().map(|node| node.id).collect()));
        }
        let known = before.get_value().unwrap_or_default();
        let mut new: Vec<_> = nodes
            .iter()
            .filter(|node| !known.contains(&node.id))
            .map(|node| (node.id, node.name.clone(), node.approved))
            .collect();
        new.sort();
        new
    });
    let waiting = move || arrived.with(Vec::is_empty);
    view! {
        <div role="status" data-testid="arrivals">
            <Show
                when=waiting
                fallback=move || {
                    arrived
                        .get()
                        .into_iter()
                        .map(|(id, name, approved)| {
                            view! {
                                <Notice tone=Mood::Good>
                                    <p>
                                        <a class="link font-medium" href=scope.path(TenantPage::Machine(id))>
                                            {name}
                                        </a>
                                        {if approved { " has joined." } else { " has joined and waits for approval." }}
                                    </p>
                                </Notice>
                            }
                        })
                        .collect_view()
                }
            >
                <p class="flex items-center gap-2 px-1 text-sm text-muted">
                    <span class="spinner" aria-hidden="true"></span>
                    "Waiting for a machine to join. It appears here by itself."
                </p>
            </Show>
        </div>
    }
}
