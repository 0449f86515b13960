//! Which router answers at which door.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use super::{
    assets, headers, install,
    layers::{Observer, observe, tidy},
};
use crate::{
    api,
    app::App,
    control,
    error::{Error, Result},
    relay,
};

/// The main door: console, API, control, the agent to install, and the relay.
pub fn main(app: &Arc<App>) -> Router {
    let people = Router::new()
        .route("/install.sh", get(script))
        .route("/dl/{file}", get(download))
        .route("/ca.pem", get(authority))
        .route("/policy.schema.json", get(policy_schema))
        // Where official clients send whoever is to approve them.
        .route("/admin", get(async || Redirect::to("/")))
        .fallback(console)
        .with_state(Arc::clone(app))
        .layer(from_fn(tidy));
    let mut all = people
        .merge(api::router(Arc::clone(app)))
        .merge(control::router(Arc::clone(app)))
        .merge(health(app));
    if let Some(relay) = &app.relay {
        all = all.merge(relay::router(Arc::clone(relay)));
    }
    observed(app, all.layer(from_fn(headers::add)))
}

/// The relay's own door.
pub fn relay_alone(app: &Arc<App>) -> Router {
    let mut all = health(app);
    if let Some(relay) = &app.relay {
        all = all.merge(relay::router(Arc::clone(relay)));
    }
    observed(app, all)
}

fn observed(app: &Arc<App>, router: Router) -> Router {
    let observer = Observer {
        metrics: Arc::clone(&app.metrics),
        trusted: app.config.http.trusted_proxies.clone().into(),
    };
    router.layer(from_fn_with_state(observer, observe))
}

fn health(app: &Arc<App>) -> Router {
    Router::new()
        .route("/health", get(alive))
        .route("/ready", get(ready))
        .with_state(Arc::clone(app))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// New work is welcome: the database answers and nobody has stopped the server.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let database = app.db.system(crate::db::Reason::Upkeep).await;
    if app.stop.is_cancelled() || database.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response();
    }
    "ready\n".into_response()
}

async fn script(State(app): State<Arc<App>>) -> Result<Response> {
    let agent = app.install.as_ref().ok_or(Error::NotFound)?;
    let base = app.config.public_url();
    let sha256 = agent.sha256().await?;
    let text = install::script(&base, &agent.url(&base), &sha256, &app.certificates.trust());
    let kind = (header::CONTENT_TYPE, "text/x-shellscript; charset=utf-8");
    Ok(([kind], text).into_response())
}

async fn download(
    State(app): State<Arc<App>>,
    axum::extract::Path(file): axum::extract::Path<String>,
) -> Result<Response> {
    let agent = app.install.as_ref().ok_or(Error::NotFound)?;
    match file.strip_suffix(".sha256").unwrap_or(&file) {
        name if name != install::FILE => Err(Error::NotFound),
        name if name == file => agent.answer().await,
        name => Ok(format!("{}  {name}\n", agent.sha256().await?).into_response()),
    }
}

/// The local CA's certificate, for those who install it by hand.
async fn authority(State(app): State<Arc<App>>) -> Result<Response> {
    let pem = app.certificates.facts().ca_pem.clone();
    let mut answer = pem.ok_or(Error::NotFound)?.into_response();
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-pem-file"),
    );
    Ok(answer)
}

/// The policy language for editors that read JSON schemas; it is the same for everybody.
async fn policy_schema() -> Response {
    static SCHEMA: LazyLock<String> = LazyLock::new(policy::schema::schema);
    let kind = (header::CONTENT_TYPE, "application/schema+json");
    ([kind], SCHEMA.as_str()).into_response()
}

async fn console(method: Method, uri: Uri, request: Request) -> Response {
    assets::serve(&method, &uri, request.headers())
}
