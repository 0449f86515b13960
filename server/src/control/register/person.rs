//! A machine that brings no key waits until a person lets it in.

use tokio::time::sleep;
use wire::{
    control::RegisterResponse,
    paths::{registration_link, registration_token},
};

use super::super::{
    Control,
    known::{Holder, find},
    pending::{Asked, Ticket},
};
use crate::error::{Error, Result};

/// Holds a machine that comes with its link until its person has decided; gives
/// one without a link, or with one that is lost, a new one.
pub(super) async fn ask(
    control: &Control,
    mut asked: Asked,
    followup: &str,
) -> Result<RegisterResponse> {
    let app = &control.app;
    if !followup.is_empty() {
        let token = registration_token(followup).unwrap_or_default();
        let held = app
            .pending
            .resume(token, asked.machine, asked.node_key, asked.created);
        if let Some(ticket) = held {
            wait(control, ticket).await?;
        }
        if let Holder::Ours(known) = find(app, &asked.machine, &asked.node_key).await? {
            return known.standing(app).await;
        }
        asked.created = app.clock.now();
    }
    if let Holder::Ours(old) = find(app, &asked.machine, &asked.old_node_key).await? {
        asked.previous = Some((old.tenant, old.node.id));
    }
    let ticket = app.pending.ask(asked, app.rng);
    Ok(RegisterResponse {
        auth_url: registration_link(&app.config.public_url(), &ticket.token),
        ..RegisterResponse::default()
    })
}

async fn wait(control: &Control, mut ticket: Ticket) -> Result<()> {
    let app = &control.app;
    let most = ticket.ends.since(app.clock.now());
    tokio::select! {
        () = ticket.left() => Ok(()),
        () = sleep(most) => Ok(()),
        () = app.stop.cancelled() => {
            Err(Error::unavailable(anyhow::anyhow!("the server stops")))
        }
    }
}
