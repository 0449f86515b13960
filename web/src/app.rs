//! What every page stands on: contexts, and the choice of the page.

use leptos::prelude::*;

use crate::{
    clock,
    components::toast::{ToastRegion, Toasts},
    location::Location,
    pages,
    query::Cache,
    route::Page,
    session::Session,
    theme::Theme,
    unsaved::Drafts,
};

/// Puts the console into the document.
pub fn mount() {
    console_error_panic_hook::set_once();
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    provide_context(Toasts::new());
    provide_context(Cache::new());
    provide_context(Theme::new());
    clock::provide();
    let location = Location::start();
    provide_context(location);
    let first = untrack(|| Page::parse(&location.path()));
    provide_context(Session::start(&first));
    provide_context(Drafts::start());

    // A tenant's pages share what stands around them: going from one to another keeps it.
    let page = Memo::new(move |_| Page::parse(&location.path()).frame());
    view! {
        {move || match page.get() {
            Page::Home => pages::home::Home().into_any(),
            Page::SignIn => pages::sign_in::SignIn().into_any(),
            Page::Register(token) => view! { <pages::register::Register token/> }.into_any(),
            Page::Tenant(slug, _) => view! { <pages::tenant::Tenant slug/> }.into_any(),
            Page::NotFound => pages::not_found::NotFound().into_any(),
        }}
        <ToastRegion/>
    }
}
