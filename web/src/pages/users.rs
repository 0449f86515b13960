//! Members and invitations.

use std::sync::Arc;

use leptos::prelude::*;
use wire::{
    api::{
        Action,
        user::{Invite, User},
    },
    paths::{InvitesPath, UsersPath},
};

mod acts;
mod invite;

use acts::{ChangeRole, LoginLink, Remove, Withdraw};
use invite::InviteDialog;

use super::{ago::Ago, loaded::loaded, scope::Scope};
use crate::{
    components::{
        badge::Badge,
        button::{Button, Tone},
        icon::{Icon, Sign},
        menu::{Menu, MenuItem},
        page_header::PageHeader,
        table::{Column, Shown, Table},
    },
    query::{Query, Topic, query},
};

/// What the person is about to do to a member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// Make a sign-in link for him.
    Link(User),
    /// Give him another role.
    Role(User),
    /// Remove him.
    Remove(User),
    /// Take an invitation back.
    Withdraw(Invite),
}

/// The page.
#[component]
pub(crate) fn Users() -> impl IntoView {
    let scope = Scope::expect();
    let tenant = scope.tenant();
    let may = scope.may(Action::ManageUsers);
    let users: Query<Vec<User>> = query(Topic::Users, move || Some(UsersPath { tenant }.to_path()));
    let invites: Query<Vec<Invite>> =
        query(Topic::Users, move || Some(InvitesPath { tenant }.to_path()));
    let inviting = RwSignal::new(false);
    let act = RwSignal::new(None::<Act>);
    view! {
        <PageHeader title="Users" help="Who belongs to this network, and what each may do in the console.">
            {may
                .then(|| {
                    view! {
                        <Button tone=Tone::Primary attr:data-testid="invite-open" on:click=move |_| inviting.set(true)>
                            <Icon sign=Sign::Plus/>
                            "Invite"
                        </Button>
                    }
                })}
        </PageHeader>
        {loaded(users, move |users| view! { <Members users act/> })}
        {loaded(invites, move |invites| view! { <Invites invites act/> })}
        <InviteDialog open=inviting/>
        <LoginLink act/>
        <ChangeRole act/>
        <Remove act/>
        <Withdraw act/>
    }
}

#[component]
fn Members(users: Signal<Arc<Vec<User>>>, act: RwSignal<Option<Act>>) -> impl IntoView {
    let rows = move || {
        users
            .get()
            .iter()
            .map(|user| view! { <Member user=user.clone() act/> })
            .collect_view()
    };
    view! {
        <Table
            label="Members"
            columns=vec![
                Column { name: "User", shown: Shown::Always },
                Column { name: "Role", shown: Shown::Medium },
                Column { name: "Machines", shown: Shown::Large },
                Column { name: "Last sign-in", shown: Shown::Medium },
                Column { name: "", shown: Shown::Always },
            ]
        >
            {rows}
        </Table>
    }
}

#[component]
fn Member(user: User, act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    let own = user.id == scope.user();
    let email = user.email.clone();
    let row_email = email.clone();
    let (role, nodes) = (user.role.title(), user.nodes);
    let name = if user.display_name.is_empty() {
        user.email.clone()
    } else {
        user.display_name.clone()
    };
    let seen = user.last_sign_in.map_or_else(
        || view! { <span class="text-muted">"never"</span> }.into_any(),
        |then| view! { <Ago then/> }.into_any(),
    );
    view! {
        <tr data-testid="user-row" data-email=row_email>
            <td class=Shown::Always.cell()>
                <div class="grid min-w-0 gap-0.5">
                    <span class="flex flex-wrap items-center gap-2 font-medium">
                        {name} {own.then(|| view! { <Badge text="You"/> })}
                    </span>
                    <span class="wrap-anywhere text-muted">{email}</span>
                    <span class="text-muted md:hidden">{role}</span>
                </div>
            </td>
            <td class=Shown::Medium.cell()>{role}</td>
            <td class=Shown::Large.cell()>{nodes}</td>
            <td class=Shown::Medium.cell()>{seen}</td>
            <td class=Shown::Always.cell()>
                <MemberMenu user own act/>
            </td>
        </tr>
    }
}

#[component]
fn MemberMenu(user: User, own: bool, act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    let above = user.role == wire::api::Role::Owner && !scope.may(Action::ManageOwners);
    if !scope.may(Action::ManageUsers) || above {
        return ().into_any();
    }
    let (link, role, remove) = (user.clone(), user.clone(), user.clone());
    view! {
        <div class="flex justify-end">
            <Menu
                label=format!("Actions for {}", user.email)
                name="user-menu"
                button=ViewFn::from(|| view! { <Icon sign=Sign::More/> })
            >
                <MenuItem attr:data-testid="user-link" on:click=move |_| act.set(Some(Act::Link(link.clone())))>"Sign-in link…"</MenuItem>
                {(!own)
                    .then(|| {
                        view! {
                            <MenuItem attr:data-testid="user-role" on:click=move |_| {
                                act.set(Some(Act::Role(role.clone())));
                            }>"Change role…"</MenuItem>
                            <MenuItem attr:data-testid="user-remove" on:click=move |_| {
                                act.set(Some(Act::Remove(remove.clone())));
                            }>"Remove…"</MenuItem>
                        }
                    })}
            </Menu>
        </div>
    }
    .into_any()
}

#[component]
fn Invites(invites: Signal<Arc<Vec<Invite>>>, act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    move || {
        let invites = invites.get();
        if invites.is_empty() {
            return ().into_any();
        }
        let rows = invites
            .iter()
            .map(|invite| {
                let own = invite.clone();
                let name = format!("Withdraw the invitation of {}", invite.email);
                view! {
                    <tr data-testid="invite-row">
                        <td class=Shown::Always.cell()>
                            <div class="grid gap-0.5">
                                <span class="font-medium wrap-anywhere">{invite.email.clone()}</span>
                                <span class="text-muted">
                                    {invite.role.title()} ", by " {invite.invited_by.clone()}
                                </span>
                            </div>
                        </td>
                        <td class=Shown::Medium.cell()>
                            "expires " <Ago then=invite.expires/>
                        </td>
                        <td class=Shown::Always.cell()>
                            <div class="flex justify-end">
                                {scope
                                    .may(Action::ManageUsers)
                                    .then(|| {
                                        view! {
                                            <Button
                                                attr:aria-label=name
                                                on:click=move |_| act.set(Some(Act::Withdraw(own.clone())))
                                            >
                                                "Withdraw…"
                                            </Button>
                                        }
                                    })}
                            </div>
                        </td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <section class="mt-8 grid gap-3">
                <h2 class="text-lg font-semibold">"Open invitations"</h2>
                <Table
                    label="Open invitations"
                    columns=vec![
                        Column { name: "Invited", shown: Shown::Always },
                        Column { name: "Expires", shown: Shown::Medium },
                        Column { name: "", shown: Shown::Always },
                    ]
                >
                    {rows}
                </Table>
            </section>
        }
        .into_any()
    }
}
