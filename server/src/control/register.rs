//! `POST /machine/register`: a machine joins, comes back, signs in again,
//! rotates its key or logs out.
//!
//! | the node key is | and the machine brings | then |
//! |---|---|---|
//! | known, of this machine | an expiry in the past | log out |
//! | | an earlier expiry than ours | shorten, never extend |
//! | | anything else | how things stand; nothing is consumed |
//! | not known | an expiry in the past | nothing to do |
//! | | an auth key | join by it |
//! | | the link of a former answer | wait for the person |
//! | | nothing | a new link for a person |

mod join;
mod known;
mod person;

use std::sync::Arc;

use wire::{
    CapabilityVersion, Timestamp,
    control::{RegisterRequest, RegisterResponse, too_old},
};

use super::{
    Control, Session,
    hostinfo::bounded,
    known::{Holder, find, plain},
    pending::Asked,
};
use crate::error::Result;

/// Answers one request.
pub(super) async fn register(
    control: &Arc<Control>,
    session: &Session,
    request: RegisterRequest,
) -> Result<RegisterResponse> {
    if request.version < CapabilityVersion::MINIMUM {
        return Ok(refused(too_old(request.version)));
    }
    if request.node_key.is_zero() {
        return Ok(refused("the client sent no node key; restart it"));
    }
    if let Holder::Ours(node) = find(&control.app, &session.machine, &request.node_key).await? {
        let with = Arc::clone(control);
        let work = async move { known::answer(&with, *node, &request).await };
        return control.app.finish(work).await;
    }
    let now = control.app.clock.now();
    if wish(&request).is_some_and(|expiry| expiry <= now) {
        return Ok(logged_out());
    }
    let secret = request.auth.as_ref().map(|auth| auth.auth_key.clone());
    let followup = request.followup.clone();
    let asked = asked(session, request, now);
    match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => {
            let with = Arc::clone(control);
            let work = async move { join::by_key(&with, asked, &secret).await };
            control.app.finish(work).await
        }
        None => person::ask(control, asked, &followup).await,
    }
}

/// The expiry that a client wishes, if any.
fn wish(request: &RegisterRequest) -> Option<Timestamp> {
    request.expiry.filter(|expiry| !expiry.is_zero())
}

fn asked(session: &Session, request: RegisterRequest, now: Timestamp) -> Asked {
    Asked {
        machine: session.machine,
        node_key: request.node_key,
        old_node_key: request.old_node_key,
        previous: None,
        hostinfo: bounded(request.hostinfo.unwrap_or_default()),
        ephemeral: request.ephemeral,
        version: request.version,
        address: session.address,
        created: now,
    }
}

/// An answer that tells the person at the machine why not.
fn refused(why: impl AsRef<str>) -> RegisterResponse {
    RegisterResponse {
        error: plain(why.as_ref()),
        ..RegisterResponse::default()
    }
}

fn logged_out() -> RegisterResponse {
    RegisterResponse {
        node_key_expired: true,
        ..RegisterResponse::default()
    }
}
