//! No such page.

use leptos::prelude::*;

use super::blank::Blank;
use crate::components::{button::LinkButton, page_header::PageHeader};

/// Says so and leads back.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    view! {
        <Blank>
            <PageHeader title="No such page" help="The address may be mistyped, or the page is not yours to see."/>
            <LinkButton href="/">"Go to the start"</LinkButton>
        </Blank>
    }
}
