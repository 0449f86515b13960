//! All machines, live.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;
use wire::{NodeId, api::node::Node, paths::NodesPath};

use super::{loaded::loaded, scope::Scope};
use crate::{
    components::{
        button::{Button, LinkButton, Tone},
        empty::Empty,
        icon::{Icon, Sign},
        page_header::PageHeader,
        search_field::SearchField,
        segmented::Segmented,
        table::{Column, Shown, Table},
    },
    location::Location,
    model::{
        node_filter::{self, Show as Filter},
        node_status,
    },
    query::{Query, Topic, query},
    route::TenantPage,
};

pub(crate) mod row;

use row::Row;

/// All machines of the tenant.
pub(crate) fn nodes(scope: Scope) -> Query<Vec<Node>> {
    let url = NodesPath {
        tenant: scope.tenant(),
    }
    .to_path();
    query(Topic::Nodes, move || Some(url.clone()))
}

/// Rows drawn at first; more on demand.
const FIRST: usize = 200;

/// The page.
#[component]
pub(crate) fn Machines() -> impl IntoView {
    let scope = Scope::expect();
    let nodes = nodes(scope);
    let help = Signal::derive(move || {
        nodes.data.with(|nodes| {
            nodes
                .as_ref()
                .map(|nodes| node_status::count(nodes.iter()))
                .unwrap_or_default()
        })
    });
    view! {
        <PageHeader title="Machines" help>
            <LinkButton tone=Tone::Primary href=scope.path(TenantPage::AddDevice)>
                <Icon sign=Sign::Plus/>
                "Add device"
            </LinkButton>
        </PageHeader>
        {loaded(nodes, move |nodes| view! { <List nodes/> })}
    }
}

#[component]
fn List(nodes: Signal<Arc<Vec<Node>>>) -> impl IntoView {
    let scope = Scope::expect();
    let none = Memo::new(move |_| nodes.with(|nodes| nodes.is_empty()));
    move || {
        if none.get() {
            view! {
                <div class="rounded-xl border border-line bg-surface">
                    <Empty
                        sign=Sign::Machines
                        title="No machines yet"
                        hint="Add your first device: one command installs the agent and joins this network."
                    >
                        <LinkButton tone=Tone::Primary href=scope.path(TenantPage::AddDevice)>
                            "Add device"
                        </LinkButton>
                    </Empty>
                </div>
            }
            .into_any()
        } else {
            view! { <Found nodes/> }.into_any()
        }
    }
}

#[component]
fn Found(nodes: Signal<Arc<Vec<Node>>>) -> impl IntoView {
    let location: Location = expect_context();
    let search = Memo::new(move |_| location.parameter("q"));
    let show = Memo::new(move |_| location.parameter("show"));
    let found = Memo::new(move |_| {
        nodes.with(|nodes| node_filter::apply(nodes, &search.get(), Filter::parse(&show.get())))
    });
    let standings = Filter::ALL
        .map(|filter| (filter.word().to_owned(), filter.title().to_owned()))
        .to_vec();
    view! {
        <div class="mb-3 flex flex-wrap items-center gap-3">
            <SearchField
                label="Search machines"
                placeholder="Search name, owner, tag, address…"
                value=search
                on_change=move |text: String| location.set_parameter("q", &text)
            />
            <Segmented
                label="Show machines"
                options=standings
                value=show
                on_change=move |word: String| location.set_parameter("show", &word)
            />
        </div>
        <Show
            when=move || found.with(|found| !found.is_empty())
            fallback=move || {
                view! {
                    <div class="rounded-xl border border-line bg-surface">
                        <Empty
                            sign=Sign::Search
                            title="No machine matches"
                            hint="Every word must be found in the name, owner, tags, addresses, system or version."
                        >
                            <Button on:click=move |_| {
                                location.set_parameter("q", "");
                                location.set_parameter("show", "");
                            }>"Reset the filters"</Button>
                        </Empty>
                    </div>
                }
            }
        >
            <Rows nodes found/>
        </Show>
    }
}

#[component]
fn Rows(nodes: Signal<Arc<Vec<Node>>>, found: Memo<Vec<NodeId>>) -> impl IntoView {
    let by_id = Memo::new(move |_| {
        let nodes = nodes.get();
        let index: BTreeMap<NodeId, usize> = nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (node.id, at))
            .collect();
        (nodes, Arc::new(index))
    });
    let most = RwSignal::new(FIRST);
    let drawn =
        move || found.with(|found| found.iter().take(most.get()).copied().collect::<Vec<_>>());
    let left_out = move || found.with(|found| found.len().saturating_sub(most.get()));
    view! {
        <Table
            label="Machines"
            columns=vec![
                Column { name: "Machine", shown: Shown::Always },
                Column { name: "Addresses", shown: Shown::Medium },
                Column { name: "Version", shown: Shown::Large },
                Column { name: "Paths", shown: Shown::Large },
                Column { name: "Last seen", shown: Shown::Medium },
            ]
        >
            <For each=drawn key=|id| *id let:id>
                {
                    let node = Memo::new(move |before: Option<&Option<Node>>| {
                        by_id
                            .with(|(nodes, index)| index.get(&id).and_then(|at| nodes.get(*at)).cloned())
                            .or_else(|| before.cloned().flatten())
                    });
                    view! { <Row node/> }
                }
            </For>
        </Table>
        <Show when=move || { left_out() > 0 }>
            <div class="mt-3 text-center">
                <Button on:click=move |_| most.update(|most| *most += 1_000)>
                    {move || format!("Show more ({} left)", left_out())}
                </Button>
            </div>
        </Show>
    }
}
