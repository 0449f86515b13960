//! One-time links, looked at and used, and the end of a session. The first two
//! need no session; an address that tries many links in vain has to wait.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use tower_sessions::Session;
use wire::api::{
    me::Me,
    session::{InspectLink, LinkInfo, RedeemLink},
};

use super::{Api, Asker, Signed};
use crate::{
    error::{Error, Result},
    http::extract,
    login::{self, session},
};

pub(super) async fn inspect(
    State(api): State<Arc<Api>>,
    asker: Asker,
    extract::Json(body): extract::Json<InspectLink>,
) -> Result<Json<LinkInfo>> {
    api.may_try(asker)?;
    let found = login::inspect(&api.app, &body.token).await;
    Ok(Json(api.tried(asker, found)?))
}

pub(super) async fn redeem(
    State(api): State<Arc<Api>>,
    asker: Asker,
    session: Session,
    extract::Json(body): extract::Json<RedeemLink>,
) -> Result<Json<Me>> {
    api.may_try(asker)?;
    let already = session::who(&session).await?;
    let opened = login::redeem(&api.app, body, already.as_ref()).await;
    let who = api.tried(asker, opened)?;
    session::open(&session, &who).await?;
    Ok(Json(login::me(&api.app, &who).await?))
}

pub(super) async fn sign_out(State(api): State<Arc<Api>>, signed: Signed) -> Result<StatusCode> {
    login::sign_out(&api.app, &signed.who).await?;
    session::close(&signed.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Api {
    fn may_try(&self, asker: Asker) -> Result<()> {
        let now = self.app.clock.instant();
        self.links.check(asker.0.addr, now).map_err(Error::TooMany)
    }

    /// Counts a link that is not valid against the address that tried it.
    fn tried<T>(&self, asker: Asker, outcome: Result<T>) -> Result<T> {
        if matches!(outcome, Err(Error::LinkInvalid)) {
            self.links.failed(asker.0.addr, self.app.clock.instant());
        }
        outcome
    }
}
