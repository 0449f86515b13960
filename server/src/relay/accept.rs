//! The relay's HTTP endpoints.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{FromRequestParts as _, Request, State, WebSocketUpgrade},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper_util::rt::TokioIo;

use super::{Relay, session, websocket};

/// The longest challenge that is echoed.
const MAX_CHALLENGE: usize = 64;

/// `/derp` and its companions.
pub fn router<S>(relay: Arc<Relay>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/derp", get(connect))
        .route("/derp/probe", get(probe))
        .route("/derp/latency-check", get(probe))
        .route("/generate_204", get(generate_204))
        .route("/bootstrap-dns", get(bootstrap_dns))
        .with_state(relay)
}

/// Turns the connection into a relay session.
async fn connect(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    let headers = request.headers();
    // Fast start wants no 101, which the HTTP library cannot leave out.
    if headers.contains_key("derp-fast-start") {
        return (StatusCode::BAD_REQUEST, "fast start is not supported\n").into_response();
    }
    if names(headers, &header::UPGRADE, "websocket") {
        return connect_websocket(relay, request).await;
    }
    if !names(headers, &header::UPGRADE, "derp") {
        let upgrade = [(header::UPGRADE, "DERP"), (header::CONNECTION, "Upgrade")];
        return (StatusCode::UPGRADE_REQUIRED, upgrade, "relay\n").into_response();
    }
    let key = relay.secret.public().to_string();
    let answer = [
        (header::UPGRADE, "DERP"),
        (header::CONNECTION, "Upgrade"),
        (header::HeaderName::from_static("derp-version"), "2"),
        (header::HeaderName::from_static("derp-public-key"), &key),
    ];
    let response = (StatusCode::SWITCHING_PROTOCOLS, answer).into_response();
    let upgrade = hyper::upgrade::on(request);
    let tasks = relay.tasks.clone();
    tasks.spawn(async move {
        match upgrade.await {
            Ok(upgraded) => session::run(relay, TokioIo::new(upgraded)).await,
            Err(why) => tracing::debug!(
                error = &why as &dyn std::error::Error,
                "relay upgrade failed"
            ),
        }
    });
    response
}

async fn connect_websocket(relay: Arc<Relay>, request: Request) -> Response {
    if !names(request.headers(), &header::SEC_WEBSOCKET_PROTOCOL, "derp") {
        return (StatusCode::BAD_REQUEST, "the subprotocol must be derp\n").into_response();
    }
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .protocols(["derp"])
            .max_message_size(websocket::MAX_MESSAGE)
            .max_frame_size(websocket::MAX_MESSAGE)
            .on_upgrade(move |socket| {
                let tasks = relay.tasks.clone();
                tasks.track_future(session::run(relay, websocket::ByteStream::new(socket)))
            }),
        Err(refused) => refused.into_response(),
    }
}

/// True when a header that is a list of tokens holds `token`.
fn names(headers: &HeaderMap, header: &header::HeaderName, token: &str) -> bool {
    headers
        .get_all(header)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|t| t.trim().eq_ignore_ascii_case(token))
}

/// Answers latency measurements, also of pages in browsers.
async fn probe() -> Response {
    let anyone = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (StatusCode::OK, anyone).into_response()
}

/// Tells a client that nothing stands between it and the Internet: a captive
/// portal would not know the answer to the challenge.
async fn generate_204(headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let challenge = headers
        .get("x-tailscale-challenge")
        .and_then(|v| v.to_str().ok())
        .filter(|c| is_challenge(c));
    if let Some(challenge) = challenge
        && let Ok(answer) = HeaderValue::from_str(&format!("response {challenge}"))
    {
        response
            .headers_mut()
            .insert("x-tailscale-response", answer);
    }
    response
}

fn is_challenge(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    text.len() <= MAX_CHALLENGE && text.bytes().all(known)
}

/// The server's own names, for clients whose resolver is out of order.
async fn bootstrap_dns(State(relay): State<Arc<Relay>>) -> Json<BTreeMap<String, Vec<IpAddr>>> {
    Json(relay.bootstrap.clone())
}
