//! One machine in the list.

use leptos::prelude::*;
use wire::api::node::Node;

use super::super::{ago::Ago, scope::Scope};
use crate::{
    components::{
        badge::{Badge, Label, Status, Tone},
        copy::CopyText,
        table::Shown,
    },
    model::{
        node_routes,
        node_status::{self, Standing},
    },
    route::TenantPage,
};

/// The row; it is drawn anew when its own machine changes, and only then.
#[component]
pub(crate) fn Row(node: Memo<Option<Node>>) -> impl IntoView {
    let scope = Scope::expect();
    move || {
        let node = node.get()?;
        let addresses = node.addresses.clone();
        let first = addresses.first().map(ToString::to_string);
        Some(view! {
            <tr class="hover:bg-canvas" data-testid="machine-row" data-name=node.name>
                <td class=Shown::Always.cell()>
                    <div class="grid min-w-0 gap-1">
                        <div class="flex flex-wrap items-center gap-x-2 gap-y-1">
                            <a
                                class="font-medium wrap-anywhere hover:underline"
                                href=scope.path(TenantPage::Machine(node.id))
                            >
                                {node.name.clone()}
                            </a>
                            <Badges node=node.clone()/>
                        </div>
                        <Owner node=node.clone()/>
                        <div class="flex min-w-0 flex-col items-start gap-1 text-muted md:hidden">
                            {first.map(|address| view! { <CopyText text=address label="address"/> })}
                            <Seen node=node.clone()/>
                        </div>
                    </div>
                </td>
                <td class=Shown::Medium.cell()>
                    <div class="flex min-w-0 flex-col items-start gap-0.5">
                        {addresses
                            .iter()
                            .map(|a| view! { <CopyText text=a.to_string() label="address"/> })
                            .collect_view()}
                    </div>
                </td>
                <td class=Shown::Large.cell()>
                    <div class="grid gap-0.5">
                        <span>{node.client_version.clone()}</span>
                        <span class="text-muted">{node.os.clone()}</span>
                    </div>
                </td>
                <td class=Shown::Large.cell()>
                    {node_status::paths(node.paths)
                        .map_or_else(
                            || {
                                view! {
                                    <span class="text-muted" title="This client does not report its paths">
                                        "–"
                                    </span>
                                }
                                    .into_any()
                            },
                            IntoAny::into_any,
                        )}
                </td>
                <td class=Shown::Medium.cell()>
                    <Seen node=node.clone()/>
                </td>
            </tr>
        })
    }
}

/// Whose it is, or what.
#[component]
pub(crate) fn Owner(node: Node) -> impl IntoView {
    let tags = node_status::tags(&node.owner).to_vec();
    if tags.is_empty() {
        view! { <span class="truncate text-muted">{node_status::owner(&node.owner)}</span> }
            .into_any()
    } else {
        view! {
            <span class="flex flex-wrap gap-1">
                {tags.into_iter().map(|tag| view! { <Label text=tag/> }).collect_view()}
            </span>
        }
        .into_any()
    }
}

/// What is special about it.
#[component]
pub(crate) fn Badges(node: Node) -> impl IntoView {
    let mut badges = Vec::new();
    match Standing::of(&node) {
        standing @ Standing::NeedsApproval => {
            badges.push((Tone::Caution, standing.words().to_owned()));
        }
        standing @ Standing::Expired => badges.push((Tone::Bad, standing.words().to_owned())),
        Standing::Online | Standing::Offline => {}
    }
    if node.ephemeral {
        badges.push((Tone::Neutral, "Ephemeral".to_owned()));
    }
    for role in node_routes::roles(node.routes) {
        badges.push((Tone::Neutral, role.to_owned()));
    }
    if let Some(text) = node_routes::waiting(node.routes) {
        badges.push((Tone::Caution, text));
    }
    badges
        .into_iter()
        .map(|(tone, text)| view! { <Badge tone text/> })
        .collect_view()
}

/// Online, or when it was last.
#[component]
pub(crate) fn Seen(node: Node) -> impl IntoView {
    if node.online {
        return view! { <Status tone=Tone::Good text="Online"/> }.into_any();
    }
    let seen = node.last_seen.map_or_else(
        || "never".into_any(),
        |then| view! { <Ago then/> }.into_any(),
    );
    view! {
        <span class="grid gap-0.5">
            <Status tone=Tone::Neutral text="Offline"/>
            <span class="text-muted">{seen}</span>
        </span>
    }
    .into_any()
}
