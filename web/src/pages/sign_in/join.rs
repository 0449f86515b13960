//! The three kinds of links: the first owner, a known person, an invited one.

use leptos::prelude::*;
use wire::api::Role;

use super::{super::loaded::Problem, UseLink};
use crate::{
    components::{
        button::{Button, Tone},
        page_header::PageHeader,
        text_field::TextField,
    },
    model::form,
};

/// Makes the first owner and the first network.
#[component]
pub(super) fn SetUp(use_link: UseLink) -> impl IntoView {
    let submit = use_link.submit();
    let (name, email, network) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let send = move || {
        let address = form::email(&email.get_untracked());
        let tenant = form::required(&network.get_untracked(), "Give the network a name.");
        let address = submit.check("/email", address);
        let tenant = submit.check("/tenant_name", tenant);
        if let (Some(address), Some(tenant)) = (address, tenant) {
            let name = name.get_untracked();
            use_link.redeem(|link| {
                link.email = Some(address);
                link.tenant_name = Some(tenant);
                link.display_name = Some(name).filter(|n| !n.trim().is_empty());
            });
        }
    };
    view! {
        <PageHeader title="Set up Warren" help="You become the owner of this server's first network."/>
        <form
            class="grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                send();
            }
        >
            <TextField label="Your name" value=name autocomplete="name" autofocus=true error=submit.field("/display_name", name)/>
            <TextField
                label="Your e-mail address"
                value=email
                kind="email"
                autocomplete="email"
                error=submit.field("/email", email)
            />
            <TextField
                label="Name of the network"
                value=network
                hint="For people, such as your company's name. It can be changed later."
                error=submit.field("/tenant_name", network)
            />
            <Problem failure=submit.failure()/>
            <div>
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Create the network"
                </Button>
            </div>
        </form>
    }
}

/// Signs a known person in.
#[component]
pub(super) fn Known(email: String, use_link: UseLink) -> impl IntoView {
    let submit = use_link.submit();
    view! {
        <PageHeader title="Sign in" help=format!("This link signs you in as {email}. It works once.")/>
        <form
            class="grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                use_link.redeem(|_| ());
            }
        >
            <Problem failure=submit.failure()/>
            <div>
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Sign in"
                </Button>
            </div>
        </form>
    }
}

/// Makes an invited person a member.
#[component]
pub(super) fn Invited(
    email: String,
    tenant: String,
    role: Role,
    use_link: UseLink,
) -> impl IntoView {
    let submit = use_link.submit();
    let name = RwSignal::new(String::new());
    view! {
        <PageHeader
            title=format!("Join {tenant}")
            help=format!("You are invited as {} and sign in as {email}.", role.title())
        />
        <form
            class="grid gap-4"
            on:submit=move |ev| {
                ev.prevent_default();
                let name = name.get_untracked();
                use_link
                    .redeem(|link| {
                        link.display_name = Some(name).filter(|n| !n.trim().is_empty());
                    });
            }
        >
            <TextField label="Your name" value=name autocomplete="name" autofocus=true error=submit.field("/display_name", name)/>
            <Problem failure=submit.failure()/>
            <div>
                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                    "Join"
                </Button>
            </div>
        </form>
    }
}
