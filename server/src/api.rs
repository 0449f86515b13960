//! The console's API: every [`wire::paths`] template, with the types of [`wire::api`].
//!
//! A handler is allowed, scoped and parsed before its first line runs: its
//! [`Ctx`] names the action it needs and is taken before the body is read.
//! What it does is an act ([`crate::act`]); nothing is decided here. What changes
//! something goes on when the browser goes away.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::Response,
    routing::{delete, get, patch, post, put},
};
use wire::{id::AccountId, paths};

use crate::{
    app::App,
    http::{
        csrf,
        layers::tidy,
        rate::{Buckets, Limiter},
    },
    login::session,
};

mod audit;
mod auth_key;
mod ctx;
mod events;
mod invite;
mod me;
mod node;
mod policy;
mod registration;
mod server;
mod sign_in;
mod tenant;
mod user;

pub use ctx::{Asker, Ctx, Signed};

/// Links that an address may try in vain at once, and one more each
/// [`LINK_REFILL`].
const LINK_BURST: u32 = 10;
const LINK_REFILL: Duration = Duration::from_secs(6);
/// Requests that a person may make at once, and one more each [`CALL_REFILL`].
const CALL_BURST: u32 = 200;
const CALL_REFILL: Duration = Duration::from_millis(50);

/// What the API's handlers share.
#[derive(Debug)]
pub struct Api {
    /// The server.
    pub app: Arc<App>,
    links: Limiter,
    calls: Buckets<AccountId>,
    streams: events::Streams,
}

/// Every route of the API, with its own layers: sessions, refusal of other
/// sites, problems.
pub fn router(app: Arc<App>) -> Router {
    let sessions = session::layer(&app);
    let api = Arc::new(Api {
        app,
        links: Limiter::new(LINK_BURST, LINK_REFILL),
        calls: Buckets::new(CALL_BURST, CALL_REFILL),
        streams: events::Streams::default(),
    });
    people()
        .merge(machines())
        .merge(law())
        .layer(sessions)
        .layer(map_response(session::mark_secure))
        .layer(from_fn(csrf::guard))
        .layer(from_fn_with_state(Arc::clone(&api), to_the_end))
        .layer(from_fn(tidy))
        .with_state(api)
}

/// A change that has begun is finished, whether the browser waits for it or not.
async fn to_the_end(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    api.app.finish(next.run(request)).await
}

type Routes = Router<Arc<Api>>;

/// Who is signed in, members, the tenant itself.
fn people() -> Routes {
    Router::new()
        .route(paths::MePath::TEMPLATE, get(me::get))
        .route(paths::LinkInspectPath::TEMPLATE, post(sign_in::inspect))
        .route(
            paths::SessionPath::TEMPLATE,
            post(sign_in::redeem).delete(sign_in::sign_out),
        )
        .route(paths::ServerPath::TEMPLATE, get(server::get))
        .route(
            paths::TenantPath::TEMPLATE,
            get(tenant::get).patch(tenant::update),
        )
        .route(paths::EventsPath::TEMPLATE, get(events::stream))
        .route(paths::UsersPath::TEMPLATE, get(user::list))
        .route(
            paths::UserPath::TEMPLATE,
            patch(user::update).delete(user::remove),
        )
        .route(paths::UserLoginLinkPath::TEMPLATE, post(user::login_link))
        .route(
            paths::InvitesPath::TEMPLATE,
            get(invite::list).post(invite::create),
        )
        .route(paths::InvitePath::TEMPLATE, delete(invite::withdraw))
}

/// Machines and how they join.
fn machines() -> Routes {
    Router::new()
        .route(
            paths::RegistrationPath::TEMPLATE,
            get(registration::get).post(registration::confirm),
        )
        .route(paths::NodesPath::TEMPLATE, get(node::list))
        .route(
            paths::NodePath::TEMPLATE,
            get(node::get).patch(node::rename).delete(node::remove),
        )
        .route(paths::NodeApprovePath::TEMPLATE, post(node::approve))
        .route(paths::NodeExpirePath::TEMPLATE, post(node::expire))
        .route(paths::NodeTagsPath::TEMPLATE, put(node::set_tags))
        .route(paths::NodeRoutesPath::TEMPLATE, patch(node::decide_routes))
        .route(
            paths::AuthKeysPath::TEMPLATE,
            get(auth_key::list).post(auth_key::create),
        )
        .route(paths::AuthKeyPath::TEMPLATE, delete(auth_key::revoke))
}

/// The policy, and what was done.
fn law() -> Routes {
    Router::new()
        .route(
            paths::PolicyPath::TEMPLATE,
            get(policy::get).put(policy::save),
        )
        .route(paths::PolicyCheckPath::TEMPLATE, post(policy::check))
        .route(paths::PolicyExplainPath::TEMPLATE, post(policy::explain))
        .route(paths::PolicyImpactPath::TEMPLATE, post(policy::impact))
        .route(paths::PolicyRevisionsPath::TEMPLATE, get(policy::revisions))
        .route(paths::PolicyRevisionPath::TEMPLATE, get(policy::revision))
        .route(paths::AuditPath::TEMPLATE, get(audit::page))
}

#[cfg(test)]
mod tests;
