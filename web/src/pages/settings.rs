//! A tenant's settings, and what the server says of itself.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    api::{
        Action,
        server::ServerInfo,
        tenant::{Settings as Values, Tenant, UpdateTenant},
    },
    paths::TenantPath,
};

use super::{
    add_device::server,
    loaded::{Problem, loaded},
    scope::Scope,
};
use crate::{
    api,
    components::{
        button::{Button, Tone},
        checkbox::Checkbox,
        copy::CopyText,
        definition::Definitions,
        notice::Notice,
        page_header::PageHeader,
        panel::Panel,
        text_field::TextField,
        toast::Toasts,
    },
    model::form,
    query::{Query, Topic, query},
    session::Session,
    submit::Submit,
};

/// The page.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    let scope = Scope::expect();
    let id = scope.tenant();
    let tenant: Query<Tenant> = query(Topic::Tenant, move || {
        Some(TenantPath { tenant: id }.to_path())
    });
    view! {
        <PageHeader title="Settings" help="What holds for this network as a whole."/>
        <div class="grid gap-4">
            {loaded(
                tenant,
                move |tenant| {
                    view! {
                        <Fixed tenant/>
                        {move || view! { <Form tenant=tenant.get()/> }}
                    }
                },
            )}
            {loaded(server(), move |server| view! { <Server server/> })}
        </div>
    }
}

fn copied(text: &str, label: &str) -> AnyView {
    view! { <CopyText text=text.to_owned() label/> }.into_any()
}

#[component]
fn Fixed(tenant: Signal<Arc<Tenant>>) -> impl IntoView {
    move || {
        let tenant = tenant.get();
        let entries = vec![
            ("Short name", tenant.slug.clone().into_any()),
            (
                "Machines' names end in",
                copied(&tenant.dns_suffix, "suffix"),
            ),
            ("Id", copied(&tenant.id.to_string(), "id")),
        ];
        view! {
            <Panel title="Network">
                <Definitions entries/>
            </Panel>
        }
    }
}

const EXPIRY: &str = "/settings/node_key_expiry_days";
const REMOVAL: &str = "/settings/ephemeral_removal_minutes";

#[component]
fn Form(tenant: Arc<Tenant>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let session = Session::expect();
    let submit = Submit::new();
    let locked = !scope.may(Action::ManageTenant);
    let values = &tenant.settings;
    let name = RwSignal::new(tenant.name.clone());
    let approval = RwSignal::new(values.device_approval);
    let expiry = RwSignal::new(values.node_key_expiry_days.to_string());
    let removal = RwSignal::new(values.ephemeral_removal_minutes.to_string());
    let old_name = tenant.name.clone();
    let save = move || {
        let checked_name = form::required(&name.get_untracked(), "Give the network a name.");
        let days = form::number(&expiry.get_untracked(), 1, 180);
        let minutes = form::number(&removal.get_untracked(), 1, 1440);
        let new_name = submit.check("/name", checked_name);
        let days = submit.check(EXPIRY, days);
        let minutes = submit.check(REMOVAL, minutes);
        let (Some(new_name), Some(days), Some(minutes)) = (new_name, days, minutes) else {
            return;
        };
        let renamed = new_name != old_name;
        let change = UpdateTenant {
            name: renamed.then_some(new_name),
            settings: Some(Values {
                device_approval: approval.get_untracked(),
                node_key_expiry_days: days,
                ephemeral_removal_minutes: minutes,
            }),
        };
        submit.run(
            &[Topic::Tenant],
            api::tenant::update(scope.tenant(), change),
            move |()| {
                toasts.good("The settings are saved.");
                if renamed {
                    session.load();
                }
            },
        );
    };
    view! {
        <Panel title="Settings">
            <form
                class="grid gap-4"
                on:submit=move |ev| {
                    ev.prevent_default();
                    save();
                }
            >
                {locked.then(|| view! { <Notice>{scope.refusal(Action::ManageTenant)}</Notice> })}
                <TextField label="Name" value=name error=submit.field("/name", name) disabled=locked/>
                <Checkbox
                    label="New machines need approval"
                    checked=approval
                    hint="A machine that joins reaches nobody until an administrator approves it, unless its auth key is pre-approved."
                    disabled=locked
                />
                <div class="grid gap-4 sm:grid-cols-2">
                    <TextField
                        label="Days until a person's device must sign in again"
                        value=expiry
                        kind="number"
                        hint="1 to 180. Holds for keys made from now on; tagged machines never expire."
                        error=submit.field(EXPIRY, expiry)
                        disabled=locked
                    />
                    <TextField
                        label="Minutes offline until an ephemeral machine is removed"
                        value=removal
                        kind="number"
                        hint="1 to 1440."
                        error=submit.field(REMOVAL, removal)
                        disabled=locked
                    />
                </div>
                <Problem failure=submit.failure()/>
                {(!locked)
                    .then(|| {
                        view! {
                            <div>
                                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                                    "Save settings"
                                </Button>
                            </div>
                        }
                    })}
            </form>
        </Panel>
    }
}

#[component]
fn Server(server: Signal<Arc<ServerInfo>>) -> impl IntoView {
    move || {
        let server = server.get();
        let mut entries = vec![
            ("Version", server.version.clone().into_any()),
            ("Machines connect to", copied(&server.url, "address")),
        ];
        if let Some(digest) = &server.ca_sha256 {
            let digest = copied(digest, "digest");
            let ca = view! {
                <span class="flex min-w-0 flex-col items-start gap-1">
                    {digest} <a class="link" href="/ca.pem" download="ca.pem">
                        "Download ca.pem"
                    </a>
                </span>
            };
            entries.push(("Own CA, SHA-256", ca.into_any()));
        }
        view! {
            <Panel title="Server">
                <Definitions entries/>
            </Panel>
        }
    }
}
