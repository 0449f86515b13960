//! The address without a page: leads to the first tenant.

use leptos::prelude::*;

use super::{blank::Blank, gate::gate};
use crate::{
    location::{Location, Step},
    route::TenantPage,
};

/// Leads on, or says that there is nowhere to go.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let location: Location = expect_context();
    gate(move |me| {
        let Some(first) = me.memberships.first() else {
            return view! {
                <Blank>
                    <h1 class="text-xl font-semibold">"No network yet"</h1>
                    <p class="mt-2 text-sm text-muted">
                        "You are signed in as " {me.email.clone()}
                        ", but no network has you as a member. Ask an administrator for an invitation."
                    </p>
                </Blank>
            }
            .into_any();
        };
        let path = TenantPage::Machines.path(&first.slug);
        request_animation_frame(move || location.go(&path, Step::Replace));
        ().into_any()
    })
}
