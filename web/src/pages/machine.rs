//! One machine: what is known of it, and what can be done to it.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    NodeId,
    api::{
        Action,
        node::{NodeDetail, Path},
        problem::Code,
    },
    paths::NodePath,
};

mod actions;
mod facts;
mod routes;

use actions::Actions;
use facts::{Addresses, Connectivity, Details};
use routes::Routes;

use super::{
    loaded::loaded,
    machines::row::{Badges, Owner, Seen},
    scope::Scope,
};
use crate::{
    components::{
        badge::{Badge, Tone as Mood},
        button::LinkButton,
        empty::Empty,
        icon::Sign,
        notice::Notice,
        page_header::PageHeader,
        panel::Panel,
        table::{Column, Shown, Table},
    },
    model::node_status::Standing,
    query::{Query, Topic, query},
    route::TenantPage,
};

/// The page.
#[component]
pub(crate) fn Machine(node: NodeId) -> impl IntoView {
    let scope = Scope::expect();
    let tenant = scope.tenant();
    let detail: Query<NodeDetail> = query(Topic::Nodes, move || {
        Some(NodePath { tenant, node }.to_path())
    });
    let gone = Memo::new(move |_| {
        detail
            .failure
            .with(|f| f.as_ref().and_then(crate::api::Failure::code) == Some(Code::NotFound))
    });
    move || {
        if gone.get() {
            view! {
                <PageHeader title="Machine"/>
                <div class="rounded-xl border border-line bg-surface">
                    <Empty
                        sign=Sign::Machines
                        title="This machine is not here"
                        hint="It was removed, or it is not yours to see."
                    >
                        <LinkButton href=scope.path(TenantPage::Machines)>"All machines"</LinkButton>
                    </Empty>
                </div>
            }
            .into_any()
        } else {
            loaded(detail, move |detail| view! { <Sheet detail/> }).into_any()
        }
    }
}

#[component]
fn Sheet(detail: Signal<Arc<NodeDetail>>) -> impl IntoView {
    let scope = Scope::expect();
    let back = (scope.path(TenantPage::Machines), "Machines".to_owned());
    let name = Memo::new(move |_| detail.with(|d| d.node.name.clone()));
    view! {
        <PageHeader title=name back>
            <Actions detail/>
        </PageHeader>
        {move || {
            let detail = detail.get();
            let node = detail.node.clone();
            let paths = detail.paths_detail.clone();
            view! {
                <div class="grid gap-4">
                    <div class="flex flex-wrap items-center gap-x-5 gap-y-2 text-sm">
                        <Seen node=node.clone()/>
                        <Owner node=node.clone()/>
                        <Badges node/>
                    </div>
                    <Standings detail=Arc::clone(&detail)/>
                    <div class="grid items-start gap-4 lg:grid-cols-2">
                        <div class="grid min-w-0 gap-4">
                            <Addresses detail=Arc::clone(&detail)/>
                            <Connectivity detail=Arc::clone(&detail)/>
                        </div>
                        <div class="grid min-w-0 gap-4">
                            <Details detail=Arc::clone(&detail)/>
                            <Paths paths/>
                        </div>
                    </div>
                </div>
            }
        }}
        <Routes detail/>
    }
}

/// Why it is not part of the network at the moment.
#[component]
fn Standings(detail: Arc<NodeDetail>) -> impl IntoView {
    let scope = Scope::expect();
    let text = match Standing::of(&detail.node) {
        Standing::NeedsApproval if scope.may(Action::ManageNodes) => {
            "It has joined, but reaches nobody until you approve it."
        }
        Standing::NeedsApproval => {
            "It has joined, but reaches nobody until an administrator approves it."
        }
        Standing::Expired => {
            "Its key has ended: it reaches nobody until somebody signs it in again with `warren up` on the machine."
        }
        Standing::Online | Standing::Offline => return None,
    };
    Some(view! {
        <Notice tone=Mood::Caution>
            <p>{text}</p>
        </Notice>
    })
}

#[component]
fn Paths(paths: Vec<Path>) -> impl IntoView {
    let scope = Scope::expect();
    if paths.is_empty() {
        return view! {
            <Panel title="Paths">
                <p class="text-sm text-muted">
                    "No active peers, or its client does not report how it reaches them."
                </p>
            </Panel>
        }
        .into_any();
    }
    let rows = paths
        .into_iter()
        .map(|path| {
            let way = match path.direct {
                Some(address) => view! {
                    <span class="flex flex-wrap items-center gap-2">
                        <Badge tone=Mood::Good text="Direct"/>
                        <span class="font-mono text-xs break-all">{address.to_string()}</span>
                    </span>
                }
                .into_any(),
                None => view! { <Badge tone=Mood::Caution text="Relayed"/> }.into_any(),
            };
            let trip = path.rtt_us.map_or_else(
                || "–".to_owned(),
                |us| format!("{}.{} ms", us / 1000, us % 1000 / 100),
            );
            view! {
                <tr data-testid="path-row">
                    <td class=Shown::Always.cell()>
                        <a class="link break-all" href=scope.path(TenantPage::Machine(path.peer))>
                            {path.peer_name}
                        </a>
                    </td>
                    <td class=Shown::Always.cell()>{way}</td>
                    <td class=Shown::Medium.cell()>{trip}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="grid gap-2">
            <h2 class="font-semibold">"Paths"</h2>
            <Table
                label="Paths"
                columns=vec![
                    Column { name: "Peer", shown: Shown::Always },
                    Column { name: "Path", shown: Shown::Always },
                    Column { name: "Round trip", shown: Shown::Medium },
                ]
            >
                {rows}
            </Table>
        </section>
    }
    .into_any()
}
