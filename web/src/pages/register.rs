//! A machine asks to join: who it says it is, into which network, and the confirmation.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    TenantId,
    api::{
        me::{Me, Membership},
        registration::{ConfirmedRegistration, Registration},
    },
    paths::{RegistrationPath, registration_link},
};

use super::{
    ago::{Ago, AgoProps},
    blank::Blank,
    gate::gate,
    loaded::{Problem, loaded},
    sign_in::come_back_to,
};
use crate::{
    api,
    components::{
        badge::{Label, Tone as Mood},
        button::{Button, LinkButton, Tone},
        definition::Definitions,
        notice::Notice,
        page_header::PageHeader,
        select_field::SelectField,
    },
    query::{Query, Topic, query},
    route::TenantPage,
    session::{Session, State},
    submit::Submit,
};

/// The page.
#[component]
pub(crate) fn Register(token: String) -> impl IntoView {
    let session = Session::expect();
    let path = registration_link("", &token);
    Effect::new(move |_| {
        if matches!(session.state(), State::Nobody { .. }) {
            come_back_to(&path);
        }
    });
    gate(move |me| {
        let token = token.clone();
        view! {
            <Blank>
                <Waiting token me/>
            </Blank>
        }
    })
}

#[component]
fn Waiting(token: String, me: Me) -> impl IntoView {
    let url = RegistrationPath {
        token: token.clone(),
    }
    .to_path();
    let registration: Query<Registration> = query(Topic::Server, move || Some(url.clone()));
    let joined = RwSignal::new(None::<(ConfirmedRegistration, Membership)>);
    view! {
        {move || {
            if let Some((confirmed, membership)) = joined.get() {
                view! { <Joined confirmed membership/> }.into_any()
            } else {
                let (token, me) = (token.clone(), me.clone());
                view! {
                    <PageHeader
                        title="Let this machine join?"
                        help="Go on only if you started this on the machine yourself, just now."
                    />
                    {loaded(
                        registration,
                        move |registration| {
                            view! {
                                <Ask registration=registration.get_untracked() token=token.clone() me=me.clone() joined/>
                            }
                        },
                    )}
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn Ask(
    registration: Arc<Registration>,
    token: String,
    me: Me,
    joined: RwSignal<Option<(ConfirmedRegistration, Membership)>>,
) -> impl IntoView {
    let fixed = registration.tenant;
    let open: Vec<Membership> = me
        .memberships
        .into_iter()
        .filter(|m| fixed.is_none_or(|tenant| tenant == m.tenant))
        .collect();
    let Some(first) = open.first().cloned() else {
        return view! {
            <Facts registration/>
            <div class="mt-5">
                <Notice tone=Mood::Caution>
                    "No network of yours can take this machine. Ask an administrator of its network for an invitation."
                </Notice>
            </div>
        }
        .into_any();
    };
    let submit = Submit::new();
    let chosen = RwSignal::new(first.tenant.to_string());
    let options = open
        .iter()
        .map(|m| (m.tenant.to_string(), m.name.clone()))
        .collect::<Vec<_>>();
    let single = options.len() == 1;
    let network = first.name;
    let email = me.email;
    let confirm = move || {
        let Ok(tenant) = chosen.get_untracked().parse::<TenantId>() else {
            return;
        };
        let Some(membership) = open.iter().find(|m| m.tenant == tenant).cloned() else {
            return;
        };
        let work = api::registration::confirm(token.clone(), tenant);
        submit.run(&[Topic::Nodes], work, move |confirmed| {
            joined.set(Some((confirmed, membership)));
        });
    };
    view! {
        <Facts registration/>
        <form
            class="mt-5 grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                confirm();
            }
        >
            {if single {
                view! {
                    <p class="text-sm">
                        "It joins " <strong>{network}</strong> " as a device of " <strong>{email}</strong> "."
                    </p>
                }
                    .into_any()
            } else {
                view! {
                    <SelectField
                        label="Network"
                        value=chosen
                        options
                        hint=Signal::stored(format!("It joins as a device of {email}."))
                    />
                }
                    .into_any()
            }}
            <Problem failure=submit.failure()/>
            <div class="flex flex-wrap gap-2">
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Let it join"
                </Button>
                <LinkButton href="/">"Not now"</LinkButton>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Facts(registration: Arc<Registration>) -> impl IntoView {
    let mono = |text: &str| {
        view! { <span class="font-mono text-[0.8125rem] break-all">{text.to_owned()}</span> }
            .into_any()
    };
    let hostname = registration.hostname.clone();
    let name = view! { <strong data-testid="registration-hostname">{hostname}</strong> };
    let system = format!(
        "{}, client {}",
        registration.os, registration.client_version
    );
    let mut entries = vec![
        ("Machine", name.into_any()),
        ("System", system.into_any()),
        ("Asks from", mono(&registration.address)),
        (
            "Asked",
            Ago(AgoProps {
                then: registration.created,
            })
            .into_any(),
        ),
        ("Key", mono(&registration.node_key)),
    ];
    if !registration.requested_tags.is_empty() {
        let tags = registration
            .requested_tags
            .iter()
            .map(|tag| view! { <Label text=tag.clone()/> })
            .collect_view();
        entries.push(("Asks for tags", tags.into_any()));
    }
    view! { <Definitions entries/> }
}

#[component]
fn Joined(confirmed: ConfirmedRegistration, membership: Membership) -> impl IntoView {
    let (title, help) = if confirmed.approved {
        (
            format!("{} has joined", confirmed.name),
            format!(
                "It is part of {} now. You can close this page.",
                membership.name
            ),
        )
    } else {
        (
            format!("{} waits for approval", confirmed.name),
            format!("An administrator of {} has to approve it.", membership.name),
        )
    };
    view! {
        <div data-testid="registration-done">
            <PageHeader title help/>
            <LinkButton tone=Tone::Primary href=TenantPage::Machines.path(&membership.slug)>
                "Show the machines"
            </LinkButton>
        </div>
    }
}
