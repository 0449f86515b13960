//! Small marks: a pill for a state, a square for a label, a dot with its word.

use leptos::prelude::*;

/// What a mark means, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// Nothing special.
    #[default]
    Neutral,
    /// Good.
    Good,
    /// To be looked at.
    Caution,
    /// Bad.
    Bad,
}

/// A pill.
#[component]
pub(crate) fn Badge(#[prop(optional)] tone: Tone, #[prop(into)] text: String) -> impl IntoView {
    let colours = match tone {
        Tone::Neutral => "bg-sunken text-muted",
        Tone::Good => "bg-accent-soft text-accent-ink",
        Tone::Caution => "bg-caution-soft text-caution",
        Tone::Bad => "bg-danger-soft text-danger",
    };
    view! {
        <span class=format!(
            "inline-flex items-center rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap {colours}",
        )>{text}</span>
    }
}

/// A square label.
#[component]
pub(crate) fn Label(#[prop(into)] text: String) -> impl IntoView {
    view! {
        <span class="inline-block max-w-full truncate rounded border border-line bg-sunken px-1.5 font-mono text-xs \
        leading-5 text-ink">{text}</span>
    }
}

/// A dot and its word.
#[component]
pub(crate) fn Status(tone: Tone, #[prop(into)] text: String) -> impl IntoView {
    let dot = match tone {
        Tone::Neutral => "border-2 border-line-strong",
        Tone::Good => "bg-positive",
        Tone::Caution => "bg-caution",
        Tone::Bad => "bg-danger",
    };
    view! {
        <span class="inline-flex items-center gap-2 whitespace-nowrap">
            <span class=format!("size-2 shrink-0 rounded-full {dot}") aria-hidden="true"></span>
            {text}
        </span>
    }
}
