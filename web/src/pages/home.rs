//! The address without a page: leads to the tenant that was open last, or the first one.

use leptos::prelude::*;

use super::{blank::Blank, gate::gate};
use crate::{
    location::{Location, Step},
    route::TenantPage,
    theme::storage,
};

/// The short name of the tenant that was open last.
const LAST_TENANT: &str = "warren.tenant";

/// Remembers a tenant for the next visit.
pub(crate) fn remember_tenant(slug: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(LAST_TENANT, slug);
    }
}

/// Leads on, or says that there is nowhere to go.
#[component]
pub(crate) fn Home() -> impl IntoView {
    let location: Location = expect_context();
    gate(move |me| {
        let last = storage().and_then(|storage| storage.get_item(LAST_TENANT).ok()?);
        let known = me
            .memberships
            .iter()
            .find(|m| Some(&m.slug) == last.as_ref());
        let Some(first) = known.or(me.memberships.first()) else {
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
        let path = TenantPage::first_for(first.role).path(&first.slug);
        request_animation_frame(move || location.go(&path, Step::Replace));
        ().into_any()
    })
}
