//! What an administrator can do to a machine; each act names its consequence.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::{Action, node::NodeDetail};

mod edit;

use edit::{Rename, SetTags};

use super::super::{loaded::Problem, scope::Scope};
use crate::{
    api,
    components::{
        button::{Button, Tone},
        confirm::Confirm,
        icon::{Icon, Sign},
        menu::{Menu, MenuItem},
        toast::Toasts,
    },
    location::{Location, Step},
    query::Topic,
    route::TenantPage,
    submit::Submit,
};

/// The buttons and their dialogs; nothing for those who may only look.
#[component]
pub(super) fn Actions(detail: Signal<Arc<NodeDetail>>) -> impl IntoView {
    let scope = Scope::expect();
    if !scope.may(Action::ManageNodes) {
        return ().into_any();
    }
    let toasts = Toasts::expect();
    let (renaming, tagging, expiring, removing) = (
        RwSignal::new(false),
        RwSignal::new(false),
        RwSignal::new(false),
        RwSignal::new(false),
    );
    let approving = Submit::new();
    let approve = move |_| {
        let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
        approving.run(
            &[Topic::Nodes],
            api::node::approve(tenant, node),
            move |()| {
                toasts.good("The machine is approved.");
            },
        );
    };
    let expired = Memo::new(move |_| detail.with(|d| d.node.expired));
    view! {
        <Show when=move || detail.with(|d| !d.node.approved)>
            <Button tone=Tone::Primary busy=approving.busy() attr:data-testid="machine-approve" on:click=approve>
                "Approve"
            </Button>
        </Show>
        <Button attr:data-testid="machine-rename" on:click=move |_| renaming.set(true)>"Rename…"</Button>
        <Button attr:data-testid="machine-tags" on:click=move |_| tagging.set(true)>"Edit tags…"</Button>
        <Menu
            label="More actions"
            name="machine-menu"
            button=ViewFn::from(|| view! { <Icon sign=Sign::More/> })
        >
            <Show when=move || !expired.get()>
                <MenuItem attr:data-testid="machine-expire" on:click=move |_| expiring.set(true)>"Expire key…"</MenuItem>
            </Show>
            <MenuItem attr:data-testid="machine-remove" on:click=move |_| removing.set(true)>"Remove…"</MenuItem>
        </Menu>
        <div class="w-full empty:hidden">
            <Problem failure=approving.failure()/>
        </div>
        <Rename detail open=renaming/>
        <SetTags detail open=tagging/>
        <Expire detail open=expiring/>
        <Remove detail open=removing/>
    }
    .into_any()
}

#[component]
fn Expire(detail: Signal<Arc<NodeDetail>>, open: RwSignal<bool>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let name = Memo::new(move |_| detail.with(|d| d.node.name.clone()));
    let act = move |()| {
        let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
        submit.run(
            &[Topic::Nodes],
            api::node::expire(tenant, node),
            move |()| {
                toasts.good("The key has ended.");
                open.set(false);
            },
        );
    };
    view! {
        <Confirm
            open
            title=Signal::derive(move || format!("Expire the key of {}?", name.get()))
            name="expire-key"
            act="Expire key"
            busy=submit.busy()
            on_confirm=act
        >
            <p>
                "The machine is cut off from all others within seconds, directly and through the relay. It stays in the "
                "list with its name and addresses, and comes back when somebody signs it in again on the machine."
            </p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}

#[component]
fn Remove(detail: Signal<Arc<NodeDetail>>, open: RwSignal<bool>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let location: Location = expect_context();
    let submit = Submit::new();
    let name = Memo::new(move |_| detail.with(|d| d.node.name.clone()));
    let act = move |()| {
        let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
        let name = name.get_untracked();
        submit.run(
            &[Topic::Nodes],
            api::node::remove(tenant, node),
            move |()| {
                toasts.good(format!("{name} is removed."));
                location.go(&scope.path(TenantPage::Machines), Step::Replace);
            },
        );
    };
    view! {
        <Confirm
            open
            title=Signal::derive(move || format!("Remove {}?", name.get()))
            name="remove-machine"
            act="Remove machine"
            typed=name
            busy=submit.busy()
            on_confirm=act
        >
            <p>
                "The machine is cut off from all others within seconds and leaves the list. Its addresses go to another "
                "machine one day. It must join anew to come back. This cannot be undone."
            </p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}
