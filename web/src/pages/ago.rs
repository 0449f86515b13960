//! A moment in words that stay true while the page is open.

use leptos::prelude::*;
use wire::Timestamp;

use crate::{clock, components::relative_time::RelativeTime, model::since};

/// `3 minutes ago`.
#[component]
pub(crate) fn Ago(then: Timestamp) -> impl IntoView {
    let words = Signal::derive(move || since::relative(clock::now(), then));
    view! { <RelativeTime datetime=then.to_string() title=since::absolute(then) words/> }
}
