//! The networks that a machine routes for others, and what is decided about them.

use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;
use wire::api::{
    Action,
    node::{NodeDetail, RouteStanding},
};

use super::super::{ago::Ago, loaded::Problem, scope::Scope};
use crate::{
    api,
    components::{
        badge::{Badge, Tone as Mark},
        button::{Button, Tone},
        confirm::Confirm,
        dialog::open_while,
        panel::Panel,
        table::{Column, Shown, Table},
        toast::Toasts,
    },
    model::node_routes::{Line, Mood, in_order_of, lines},
    query::Topic,
    submit::Submit,
};

/// The section.
#[component]
pub(super) fn Routes(detail: Signal<Arc<NodeDetail>>) -> impl IntoView {
    // What is decided stays where it is: nothing moves under the pointer.
    let lines = Memo::new(move |before: Option<&Vec<Line>>| {
        let now = detail.with(|d| lines(&d.routes_detail));
        in_order_of(now, before.map(Vec::as_slice).unwrap_or_default())
    });
    let asked = RwSignal::new(None::<Line>);
    let approving = Submit::new();
    let acted = StoredValue::new(None::<String>);
    Effect::new(move |_| {
        lines.track();
        if let Some(title) = acted.get_value() {
            request_animation_frame(move || {
                if focus_again(&title) {
                    acted.set_value(None);
                }
            });
        }
    });
    view! {
        <section id="routes" class="mt-4 grid gap-2">
            {move || {
                let lines = lines.get();
                if lines.is_empty() {
                    return view! {
                        <Panel title="Routes">
                            <p class="text-sm text-muted">
                                "It offers no network behind it, and is no exit node."
                            </p>
                        </Panel>
                    }
                        .into_any();
                }
                let rows = lines
                    .into_iter()
                    .map(|line| view! { <Row detail line asked approving acted/> })
                    .collect_view();
                view! {
                    <h2 class="font-semibold">"Routes"</h2>
                    <Table
                        label="Routes"
                        columns=vec![
                            Column { name: "Route", shown: Shown::Always },
                            Column { name: "Decided", shown: Shown::Medium },
                            Column { name: "", shown: Shown::Always },
                        ]
                    >
                        {rows}
                    </Table>
                }
                    .into_any()
            }}
            <Problem failure=approving.failure()/>
            <Withdraw detail asked acted/>
        </section>
    }
}

/// Gives the focus, if it went with the button that was pressed, to the route's next button.
/// True when it has it.
fn focus_again(title: &str) -> bool {
    let active = document().active_element();
    if active.is_some_and(|element| element.tag_name() != "BODY") {
        return false;
    }
    let found = document().query_selector(&format!("[data-name={title:?}] button"));
    let button = found.ok().flatten();
    let button = button.and_then(|button| button.dyn_into::<HtmlElement>().ok());
    button.is_some_and(|button| button.focus().is_ok())
}

#[component]
fn Row(
    detail: Signal<Arc<NodeDetail>>,
    line: Line,
    asked: RwSignal<Option<Line>>,
    approving: Submit,
    /// The route of which a button was pressed.
    acted: StoredValue<Option<String>>,
) -> impl IntoView {
    let (mood, word) = line.state();
    let mark = match mood {
        Mood::Good => Mark::Good,
        Mood::Idle => Mark::Neutral,
        Mood::Caution => Mark::Caution,
        Mood::Bad => Mark::Bad,
    };
    let beside = line.is_exit().then(|| {
        view! { <span class="text-muted">"All traffic to the Internet of those who choose it"</span> }
    });
    view! {
        <tr data-testid="route-row" data-name=line.title()>
            <td class=Shown::Always.cell()>
                <div class="grid min-w-0 gap-1">
                    <div class="flex flex-wrap items-center gap-x-2 gap-y-1">
                        <span class="font-mono text-[0.8125rem] break-all">{line.title()}</span>
                        <Badge tone=mark text=word/>
                        {line.primary.then(|| view! { <Badge tone=Mark::Good text="Primary"/> })}
                    </div>
                    {beside}
                    <div class="text-muted md:hidden"><Decided line=line.clone()/></div>
                </div>
            </td>
            <td class=Shown::Medium.cell()><Decided line=line.clone()/></td>
            <td class=Shown::Always.cell()><Acts detail line=line.clone() asked approving acted/></td>
        </tr>
    }
}

/// Who decided, and when.
#[component]
fn Decided(line: Line) -> impl IntoView {
    let note = line.note();
    let at = match line.standing {
        RouteStanding::Approved { at, .. } | RouteStanding::Withdrawn { at, .. } => Some(at),
        RouteStanding::Waiting | RouteStanding::Unusable { .. } => None,
    };
    view! {
        <span class="wrap-anywhere text-muted">
            {note} {at.map(|then| view! { ", " <Ago then/> })}
        </span>
    }
}

/// The buttons; nothing for those who may only look.
#[component]
fn Acts(
    detail: Signal<Arc<NodeDetail>>,
    line: Line,
    asked: RwSignal<Option<Line>>,
    approving: Submit,
    acted: StoredValue<Option<String>>,
) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    if !scope.may(Action::ManageRoutes) {
        return ().into_any();
    }
    let title = line.title();
    if line.may_be_withdrawn() {
        let label = format!("Withdraw {title}");
        return view! {
            <div class="flex justify-end">
                <Button
                    attr:data-testid="route-withdraw"
                    attr:aria-label=label
                    on:click=move |_| asked.set(Some(line.clone()))
                >
                    "Withdraw…"
                </Button>
            </div>
        }
        .into_any();
    }
    if !line.may_be_approved() {
        return ().into_any();
    }
    let tone = if line.waits() {
        Tone::Primary
    } else {
        Tone::Plain
    };
    let label = format!("Approve {title}");
    let approve = move |_| {
        let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
        let title = title.clone();
        acted.set_value(Some(title.clone()));
        approving.run(
            &[Topic::Nodes],
            api::node::approve_route(tenant, node, line.prefix),
            move |()| {
                toasts.good(format!("{title} is approved."));
            },
        );
    };
    view! {
        <div class="flex justify-end">
            <Button
                tone
                busy=approving.busy()
                attr:data-testid="route-approve"
                attr:aria-label=label
                on:click=approve
            >
                "Approve"
            </Button>
        </div>
    }
    .into_any()
}

#[component]
fn Withdraw(
    detail: Signal<Arc<NodeDetail>>,
    asked: RwSignal<Option<Line>>,
    acted: StoredValue<Option<String>>,
) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let open = open_while(asked, |_| true);
    let title = Memo::new(move |before: Option<&String>| {
        let title = asked.with(|line| line.as_ref().map(Line::title));
        title.or_else(|| before.cloned()).unwrap_or_default()
    });
    Effect::new(move |_| {
        if open.get() {
            submit.reset();
        }
    });
    let act = move |()| {
        let (tenant, node) = (scope.tenant(), detail.with_untracked(|d| d.node.id));
        if let Some(line) = asked.get_untracked() {
            acted.set_value(Some(line.title()));
            submit.run(
                &[Topic::Nodes],
                api::node::withdraw_route(tenant, node, line.prefix),
                move |()| {
                    toasts.good("The route is withdrawn.");
                    open.set(false);
                },
            );
        }
    };
    view! {
        <Confirm
            open
            title=Signal::derive(move || format!("Withdraw {}?", title.get()))
            name="withdraw-route"
            act="Withdraw"
            busy=submit.busy()
            on_confirm=act
        >
            <p>
                "Within seconds nobody's traffic goes this way any more; where another machine serves the same network, "
                "that one takes over. The machine may offer it on, and the policy does not approve it again: only a "
                "person can."
            </p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}
