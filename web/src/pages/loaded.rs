//! From a query to what is drawn: loading, a problem, or the content.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    api::Failure,
    components::{
        button::Button,
        notice::{Trouble, TroubleNotice},
        skeleton::Skeleton,
    },
    query::Query,
};

/// A failure as it is shown.
pub(crate) fn trouble(failure: &Failure) -> Trouble {
    Trouble {
        title: failure.title(),
        detail: failure.detail(),
        request_id: failure.request_id(),
    }
}

/// Shows a failure while there is one.
#[component]
pub(crate) fn Problem(#[prop(into)] failure: Signal<Option<Failure>>) -> impl IntoView {
    let trouble = Signal::derive(move || failure.with(|f| f.as_ref().map(trouble)));
    view! { <TroubleNotice trouble/> }
}

/// The content once there is an answer; it is built once and follows later
/// answers through its signal. A failure is shown above what is known.
pub(crate) fn loaded<T, V>(
    query: Query<T>,
    content: impl Fn(Signal<Arc<T>>) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: PartialEq + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let known = Memo::new(move |_| query.data.with(Option::is_some));
    view! {
        <Show when=move || query.failure.with(Option::is_some)>
            <div class="mb-4 grid justify-items-start gap-3">
                <div class="w-full">
                    <Problem failure=query.failure/>
                </div>
                <Button on:click=move |_| query.retry()>"Try again"</Button>
            </div>
        </Show>
        {move || {
            if known.get() {
                let data = Memo::new(move |before: Option<&Arc<T>>| {
                    query
                        .data
                        .get()
                        .or_else(|| before.cloned())
                        .expect("content is built when there is an answer")
                });
                content(data.into()).into_any()
            } else if query.failure.with(Option::is_some) {
                ().into_any()
            } else {
                view! { <Skeleton/> }.into_any()
            }
        }}
    }
}
