//! The sheets of facts about a machine.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::node::NodeDetail;

use super::super::ago::Ago;
use crate::{
    components::{copy::CopyText, definition::Definitions, panel::Panel},
    model::audit,
};

fn copied(text: String, label: &str) -> AnyView {
    view! { <CopyText text label/> }.into_any()
}

/// How it is reached by name and address.
#[component]
pub(super) fn Addresses(detail: Arc<NodeDetail>) -> impl IntoView {
    let node = &detail.node;
    let addresses = node
        .addresses
        .iter()
        .map(|a| copied(a.to_string(), "address"))
        .collect_view();
    let addresses =
        view! { <span class="flex min-w-0 flex-col items-start gap-0.5">{addresses}</span> };
    let entries = vec![
        ("Addresses", addresses.into_any()),
        ("Full name", copied(node.fqdn.clone(), "name")),
        ("Calls itself", detail.hostname.clone().into_any()),
    ];
    view! {
        <Panel title="Addresses and names">
            <Definitions entries/>
        </Panel>
    }
}

/// What it is and how it came here.
#[component]
pub(super) fn Details(detail: Arc<NodeDetail>) -> impl IntoView {
    let node = &detail.node;
    let system = format!("{} {}", node.os, detail.os_version);
    let expiry = match node.key_expiry {
        None => "Never".into_any(),
        Some(then) => view! { <Ago then/> }.into_any(),
    };
    let joiner = audit::actor(&detail.joined_by);
    let joined = view! {
        <Ago then=node.created/>
        ", by "
        {joiner}
    };
    let entries = vec![
        ("System", system.trim().to_owned().into_any()),
        ("Client", node.client_version.clone().into_any()),
        ("Joined", joined.into_any()),
        ("Key expires", expiry),
        ("Node key", copied(detail.node_key.clone(), "node key")),
        (
            "Machine key",
            copied(detail.machine_key.clone(), "machine key"),
        ),
        ("Id", node.id.to_string().into_any()),
    ];
    view! {
        <Panel title="Details">
            <Definitions entries/>
        </Panel>
    }
}

/// How it is connected.
#[component]
pub(super) fn Connectivity(detail: Arc<NodeDetail>) -> impl IntoView {
    let endpoints = if detail.endpoints.is_empty() {
        "None reported".into_any()
    } else {
        let list = detail
            .endpoints
            .iter()
            .map(|e| view! { <li class="break-all">{e.to_string()}</li> })
            .collect_view();
        view! { <ul class="grid gap-0.5 font-mono text-[0.8125rem]">{list}</ul> }.into_any()
    };
    let nat = match detail.hard_nat {
        Some(true) => "Hard: every destination sees another port, so many peers are relayed",
        Some(false) => "Easy",
        None => "Not reported",
    };
    let relay = detail.home_relay.map_or_else(
        || "Not reported".to_owned(),
        |region| format!("Region {region}"),
    );
    let entries = vec![
        ("Endpoints", endpoints),
        ("NAT", nat.into_any()),
        ("Home relay", relay.into_any()),
    ];
    view! {
        <Panel title="Connectivity">
            <Definitions entries/>
        </Panel>
    }
}
