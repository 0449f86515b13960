//! A tenant's pages: who may see which, and what they share.

use leptos::prelude::*;

use super::{
    access::AccessControls, add_device::AddDevice, audit::Audit, auth_keys::AuthKeys, gate::gate,
    home::remember_tenant, machine::Machine, machines::Machines, not_found::NotFound,
    revisions::Revisions, scope::Scope, settings::Settings, shell::Shell, users::Users,
};
use crate::{
    components::{empty::Empty, icon::Sign, page_header::PageHeader},
    live,
    location::Location,
    route::{Page, TenantPage},
};

/// The pages of one tenant, while its short name stays in the address.
#[component]
pub(crate) fn Tenant(slug: String) -> impl IntoView {
    gate(move |me| {
        let Some(membership) = me.memberships.iter().find(|m| m.slug == slug).cloned() else {
            return NotFound().into_any();
        };
        remember_tenant(&membership.slug);
        let location: Location = expect_context();
        let scope = Scope::new(membership);
        provide_context(scope);
        provide_context(live::follow(scope.tenant()));
        let page = Memo::new(move |_| match Page::parse(&location.path()) {
            Page::Tenant(_, page) => page,
            Page::Home | Page::SignIn | Page::Register(_) | Page::NotFound => TenantPage::Machines,
        });
        view! {
            <Shell me page>
                {move || content(page.get(), scope)}
            </Shell>
        }
        .into_any()
    })
}

fn content(page: TenantPage, scope: Scope) -> AnyView {
    if page.needs().is_some_and(|action| !scope.may(action)) {
        return view! {
            <PageHeader title=page.title()/>
            <Empty
                sign=Sign::Shield
                title="Not for your role"
                hint=format!(
                    "As {} you cannot see this page. An owner or administrator can give you another role.",
                    scope.role().title(),
                )
            />
        }
        .into_any();
    }
    match page {
        TenantPage::Machines => Machines().into_any(),
        TenantPage::Machine(node) => view! { <Machine node/> }.into_any(),
        TenantPage::AddDevice => AddDevice().into_any(),
        TenantPage::AccessControls => AccessControls().into_any(),
        TenantPage::Revisions => Revisions().into_any(),
        TenantPage::Users => Users().into_any(),
        TenantPage::AuthKeys => AuthKeys().into_any(),
        TenantPage::Audit => Audit().into_any(),
        TenantPage::Settings => Settings().into_any(),
    }
}
