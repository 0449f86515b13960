//! A table in a sheet. Narrow screens hide columns; the first cell then says more.

use leptos::prelude::*;

/// A column's head: its name, and whether narrow screens show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// When it is shown.
    pub(crate) shown: Shown,
}

/// From which width on a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// On every screen.
    Always,
    /// From a tablet on.
    Medium,
    /// From a small desktop on.
    Large,
}

impl Shown {
    /// The classes of a cell of such a column.
    pub(crate) fn cell(self) -> &'static str {
        match self {
            Self::Always => "px-4 py-3 align-top",
            Self::Medium => "hidden px-4 py-3 align-top md:table-cell",
            Self::Large => "hidden px-4 py-3 align-top lg:table-cell",
        }
    }
}

/// The table; `children` are its rows.
#[component]
pub(crate) fn Table(
    #[prop(into)] label: String,
    columns: Vec<Column>,
    children: Children,
) -> impl IntoView {
    let heads = columns
        .into_iter()
        .map(|column| {
            let class = format!("{} text-xs font-medium text-muted", column.shown.cell());
            view! {
                <th scope="col" class=class>
                    {if column.name.is_empty() {
                        view! { <span class="sr-only">"Actions"</span> }.into_any()
                    } else {
                        column.name.into_any()
                    }}
                </th>
            }
        })
        .collect_view();
    view! {
        <div class="overflow-hidden rounded-xl border border-line bg-surface">
            <table class="w-full table-auto text-left text-sm" aria-label=label>
                <thead class="border-b border-line">
                    <tr>{heads}</tr>
                </thead>
                <tbody class="divide-y divide-line">{children()}</tbody>
            </table>
        </div>
    }
}
