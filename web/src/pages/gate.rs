//! Lets signed-in people through; others are told how to sign in.

use leptos::prelude::*;
use wire::api::me::Me;

use super::{blank::Blank, loaded::Problem, sign_in::how::HowToSignIn};
use crate::{
    components::{button::Button, notice::Notice, skeleton::Skeleton},
    session::{Session, State},
};

/// Shows `content` to a signed-in person.
pub(crate) fn gate<V: IntoView + 'static>(
    content: impl Fn(Me) -> V + Send + Sync + 'static,
) -> impl IntoView {
    let session = Session::expect();
    move || match session.state() {
        State::Asking => view! {
            <Blank>
                <Skeleton lines=3/>
            </Blank>
        }
        .into_any(),
        State::Person(me) => content(me).into_any(),
        State::Nobody { ended } => view! {
            <Blank>
                {ended
                    .then(|| {
                        view! {
                            <div class="mb-5">
                                <Notice>
                                    <p>"Your session has ended. Sign in again to go on."</p>
                                </Notice>
                            </div>
                        }
                    })}
                <HowToSignIn/>
            </Blank>
        }
        .into_any(),
        State::Failed(failure) => view! {
            <Blank>
                <div class="grid justify-items-start gap-4">
                    <Problem failure=Signal::stored(Some(failure))/>
                    <Button on:click=move |_| session.load()>"Try again"</Button>
                </div>
            </Blank>
        }
        .into_any(),
    }
}
