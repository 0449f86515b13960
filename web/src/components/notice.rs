//! Words that must not be missed: a note in the page, and a problem with what to do.

use leptos::prelude::*;

use super::{
    badge::Tone,
    copy::CopyText,
    icon::{Icon, Sign},
};

/// A note.
#[component]
pub(crate) fn Notice(#[prop(optional)] tone: Tone, children: Children) -> impl IntoView {
    let (colours, sign) = match tone {
        Tone::Neutral => ("border-line bg-sunken", Sign::Info),
        Tone::Good => ("border-accent/40 bg-accent-soft", Sign::Check),
        Tone::Caution => ("border-caution/40 bg-caution-soft", Sign::Warning),
        Tone::Bad => ("border-danger/40 bg-danger-soft", Sign::Warning),
    };
    view! {
        <div class=format!("flex gap-3 rounded-lg border px-4 py-3 text-sm {colours}")>
            <span class="mt-0.5">
                <Icon sign/>
            </span>
            <div class="grid min-w-0 flex-1 gap-1">{children()}</div>
        </div>
    }
}

/// What went wrong, what to do, and what an operator finds it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What happened.
    pub(crate) title: String,
    /// What to do.
    pub(crate) detail: String,
    /// The request's id; may be empty.
    pub(crate) request_id: String,
}

/// Shows a trouble while there is one.
#[component]
pub(crate) fn TroubleNotice(#[prop(into)] trouble: Signal<Option<Trouble>>) -> impl IntoView {
    move || {
        trouble.get().map(|trouble| {
            let id = trouble.request_id;
            view! {
                <div role="alert" data-testid="problem">
                    <Notice tone=Tone::Bad>
                        <p class="font-medium">{trouble.title}</p>
                        <p>{trouble.detail}</p>
                        {(!id.is_empty())
                            .then(|| {
                                view! {
                                    <p class="flex flex-wrap items-center gap-x-1.5 text-muted">
                                        "Request" <CopyText text=id label="request id"/>
                                    </p>
                                }
                            })}
                    </Notice>
                </div>
            }
        })
    }
}
