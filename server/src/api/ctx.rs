//! Who asks, for which tenant, and that he may: taken before a handler runs.

use std::{convert::Infallible, marker::PhantomData, sync::Arc};

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use tower_sessions::Session;
use wire::{
    TenantId,
    api::{Action, me::Actor},
};

use super::Api;
use crate::{
    act::node::Sight,
    app::App,
    authz::Permit,
    db::User,
    error::{Error, Result},
    http::{peer::Peer, scope},
    login::{SignedIn, session},
};

/// Somebody who is signed in, whatever his tenants.
#[derive(Debug)]
pub struct Signed {
    /// Who.
    pub who: SignedIn,
    /// His session.
    pub session: Session,
}

impl FromRequestParts<Arc<Api>> for Signed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self> {
        let session = session_of(parts)?;
        let who = session::who(&session)
            .await?
            .ok_or(Error::Unauthenticated)?;
        scope::note_account(who.account);
        api.calls
            .take(who.account, api.app.clock.instant())
            .map_err(Error::TooMany)?;
        Ok(Self { who, session })
    }
}

fn session_of(parts: &Parts) -> Result<Session> {
    let session = parts.extensions.get::<Session>().cloned();
    session.ok_or_else(|| Error::internal(anyhow::anyhow!("the route has no session layer")))
}

/// A member who may do `A` in the tenant of the path. A tenant that he is no
/// member of is not there, whether it exists or not.
#[derive(Debug)]
pub struct Ctx<A> {
    api: Arc<Api>,
    /// The tenant.
    pub tenant: TenantId,
    /// Who he is there.
    pub user: User,
    /// His session.
    pub signed: Signed,
    may: PhantomData<A>,
}

impl<A> Ctx<A> {
    /// The server.
    pub fn app(&self) -> &App {
        &self.api.app
    }

    pub(super) fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// Who acts, for the record.
    pub fn by(&self) -> Actor {
        actor(&self.user)
    }

    /// Whose machines he sees: those who look after machines or their rules see
    /// all, others their own.
    pub fn sight(&self) -> Sight {
        if self.user.role.may(Action::ViewPolicy) {
            Sight::All
        } else {
            Sight::Of(self.user.id)
        }
    }
}

/// A member, for the record.
pub(super) fn actor(user: &User) -> Actor {
    Actor::User {
        email: user.email.to_string(),
    }
}

impl<A: Permit> FromRequestParts<Arc<Api>> for Ctx<A> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self> {
        let signed = Signed::from_request_parts(parts, api).await?;
        let tenant = tenant_of(parts, api).await.ok_or(Error::NotFound)?;
        let user = member(&api.app, &signed.who, tenant).await?;
        if A::ACTION.is_some_and(|action| !user.role.may(action)) {
            return Err(Error::Forbidden);
        }
        Ok(Self {
            api: Arc::clone(api),
            tenant,
            user,
            signed,
            may: PhantomData,
        })
    }
}

async fn tenant_of(parts: &mut Parts, api: &Arc<Api>) -> Option<TenantId> {
    let params = RawPathParams::from_request_parts(parts, api).await.ok()?;
    let (_, tenant) = params.iter().find(|(name, _)| *name == "tenant")?;
    tenant.parse().ok()
}

/// Who a person is in a tenant.
pub(super) async fn member(app: &App, who: &SignedIn, tenant: TenantId) -> Result<User> {
    if !who.reach.covers(tenant) {
        return Err(Error::NotFound);
    }
    let rows = app.db.tenant(tenant).await?;
    let user = rows.find_user_by_account(who.account).await?;
    let user = user.ok_or(Error::NotFound)?;
    scope::note_tenant(tenant);
    Ok(user)
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Asker(pub Peer);

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Peer::noted_in(&parts.extensions)))
    }
}
