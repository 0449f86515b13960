//! What can be done to a member or an invitation.

use leptos::prelude::*;
use wire::api::user::{Invite, OneTimeLink, User};

use super::{
    super::{loaded::Problem, scope::Scope},
    Act,
    invite::{ShowLink, meaning, roles},
};
use crate::{
    api,
    components::{
        button::{Button, Tone},
        confirm::Confirm,
        dialog::{Dialog, DialogActions, open_while},
        select_field::SelectField,
        toast::Toasts,
    },
    query::Topic,
    submit::Submit,
};

/// A dialog that is open while `act` is of its kind: the flag and its subject.
fn opened<T: Clone + Send + Sync + 'static>(
    act: RwSignal<Option<Act>>,
    submit: Submit,
    subject: fn(&Act) -> Option<&T>,
) -> (RwSignal<bool>, StoredValue<Option<T>>) {
    let held = StoredValue::new(None);
    Effect::new(move |_| {
        let found = act.with(|act| act.as_ref().and_then(subject).cloned());
        if found.is_some() {
            held.set_value(found);
            submit.reset();
        }
    });
    (open_while(act, move |act| subject(act).is_some()), held)
}

fn email(held: StoredValue<Option<User>>) -> String {
    held.with_value(|user| user.as_ref().map(|u| u.email.clone()).unwrap_or_default())
}

/// Makes a sign-in link.
#[component]
pub(super) fn LoginLink(act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    let submit = Submit::new();
    let (open, held) = opened(act, submit, |act| match act {
        Act::Link(user) => Some(user),
        Act::Role(_) | Act::Remove(_) | Act::Withdraw(_) => None,
    });
    let link = RwSignal::new(None::<OneTimeLink>);
    Effect::new(move |_| {
        if !open.get() {
            link.set(None);
        }
    });
    let make = move || {
        if let Some(user) = held.with_value(|user| user.as_ref().map(|u| u.id)) {
            let work = api::user::login_link(scope.tenant(), user);
            submit.run(&[], work, move |made| link.set(Some(made)));
        }
    };
    view! {
        <Dialog open title="Sign-in link" name="login-link">
            {move || match link.get() {
                Some(link) => view! { <ShowLink link open/> }.into_any(),
                None => {
                    view! {
                        <form
                            class="grid gap-4"
                            on:submit=move |ev| {
                                ev.prevent_default();
                                make();
                            }
                        >
                            <p class="text-sm">
                                "Whoever opens the link is signed in as " <strong>{email(held)}</strong>
                                ". Making it is written to the audit log."
                            </p>
                            <Problem failure=submit.failure()/>
                            <DialogActions>
                                <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                                <Button tone=Tone::Primary submit=true busy=submit.busy()>
                                    "Create link"
                                </Button>
                            </DialogActions>
                        </form>
                    }
                        .into_any()
                }
            }}
        </Dialog>
    }
}

/// Gives a member another role.
#[component]
pub(super) fn ChangeRole(act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let (open, held) = opened(act, submit, |act| match act {
        Act::Role(user) => Some(user),
        Act::Link(_) | Act::Remove(_) | Act::Withdraw(_) => None,
    });
    let role = RwSignal::new(String::new());
    Effect::new(move |_| {
        if open.get() {
            role.set(held.with_value(|u| u.as_ref().map_or("", |u| u.role.as_str()).to_owned()));
        }
    });
    let save = move || {
        let user = held.with_value(|user| user.as_ref().map(|u| u.id));
        if let (Some(user), Ok(role)) = (user, role.get_untracked().parse()) {
            let work = api::user::set_role(scope.tenant(), user, role);
            submit.run(&[Topic::Users, Topic::Policy], work, move |()| {
                toasts.good("The role is changed.");
                open.set(false);
            });
        }
    };
    view! {
        <Dialog open title="Change role" name="change-role">
            <form
                class="grid gap-4"
                on:submit=move |ev| {
                    ev.prevent_default();
                    save();
                }
            >
                <p class="text-sm">
                    "The new role holds for " <strong>{email(held)}</strong> " at once."
                </p>
                <SelectField label="Role" value=role options=roles(scope) hint=meaning(role) error=submit.field("/role", role)/>
                <Problem failure=submit.failure()/>
                <DialogActions>
                    <Button on:click=move |_| open.set(false)>"Cancel"</Button>
                    <Button tone=Tone::Primary submit=true busy=submit.busy()>
                        "Change role"
                    </Button>
                </DialogActions>
            </form>
        </Dialog>
    }
}

/// Removes a member.
#[component]
pub(super) fn Remove(act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let (open, held) = opened(act, submit, |act| match act {
        Act::Remove(user) => Some(user),
        Act::Link(_) | Act::Role(_) | Act::Withdraw(_) => None,
    });
    let typed = Signal::derive(move || {
        open.track();
        email(held)
    });
    let run = move |()| {
        if let Some(user) = held.with_value(|user| user.as_ref().map(|u| u.id)) {
            let work = api::user::remove(scope.tenant(), user);
            submit.run(&[Topic::Users, Topic::Nodes], work, move |()| {
                toasts.good("The person is no member any more.");
                open.set(false);
            });
        }
    };
    view! {
        <Confirm
            open
            title=Signal::derive(move || format!("Remove {}?", typed.get()))
            name="remove-user"
            act="Remove user"
            typed
            busy=submit.busy()
            on_confirm=run
        >
            <p>
                {move || {
                    let machines = held.with_value(|u| u.as_ref().map_or(0, |u| u.nodes));
                    let _ = typed.get();
                    match machines {
                        0 => "The person loses access to this network at once.".to_owned(),
                        1 => {
                            "The person loses access to this network at once, and one machine is removed and cut off \
                             within seconds."
                                .to_owned()
                        }
                        n => {
                            format!(
                                "The person loses access to this network at once, and {n} machines are removed and \
                                 cut off within seconds.",
                            )
                        }
                    }
                }}
            </p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}

/// Takes an invitation back.
#[component]
pub(super) fn Withdraw(act: RwSignal<Option<Act>>) -> impl IntoView {
    let scope = Scope::expect();
    let toasts = Toasts::expect();
    let submit = Submit::new();
    let (open, held) = opened::<Invite>(act, submit, |act| match act {
        Act::Withdraw(invite) => Some(invite),
        Act::Link(_) | Act::Role(_) | Act::Remove(_) => None,
    });
    let run = move |()| {
        if let Some(invite) = held.with_value(|invite| invite.as_ref().map(|i| i.id)) {
            let work = api::user::withdraw(scope.tenant(), invite);
            submit.run(&[Topic::Users], work, move |()| {
                toasts.good("The invitation is withdrawn.");
                open.set(false);
            });
        }
    };
    view! {
        <Confirm
            open
            title="Withdraw the invitation?"
            name="withdraw-invite"
            act="Withdraw"
            busy=submit.busy()
            on_confirm=run
        >
            <p>"Its link stops working at once. You can invite the person again."</p>
            <Problem failure=submit.failure()/>
        </Confirm>
    }
}
