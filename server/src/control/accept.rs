//! The way in: the server's key, and the upgrade of a connection to records.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts as _, Request, State, WebSocketUpgrade},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, StatusCode, header};
use hyper_util::rt::TokioIo;
use link::noise::{Accepted, INITIATION_LEN, accept, claimed_version, refusal};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use wire::{
    CapabilityVersion, MachineKey,
    control::{ServerKeys, too_old},
};

use super::{
    Control, Session,
    answer::failure,
    records::Records,
    session::{self, HANDSHAKE},
};
use crate::{
    error::{Error, Result},
    http::peer::Peer,
    relay::websocket::{ByteStream, MAX_MESSAGE},
    rng,
};

const PROTOCOL: &str = "tailscale-control-protocol";
const INITIATION: HeaderName = HeaderName::from_static("x-tailscale-handshake");

/// The server's key, over TLS: the one leg where the certificate matters.
pub(super) async fn key(State(control): State<Arc<Control>>) -> Json<ServerKeys> {
    Json(ServerKeys {
        legacy_public_key: MachineKey::ZERO,
        public_key: control.app.keys.noise.public(),
    })
}

/// What to say first on the upgraded connection.
enum Opening {
    /// The handshake's answer; then the session begins.
    Session(Box<Accepted>),
    /// Why not, in words; then the connection ends.
    Refusal(Vec<u8>),
}

/// `POST /ts2021`: the connection becomes records.
pub(super) async fn upgrade(State(control): State<Arc<Control>>, request: Request) -> Response {
    let headers = request.headers();
    if !lists(headers, &header::UPGRADE, PROTOCOL) {
        let upgrade = [(header::UPGRADE, PROTOCOL), (header::CONNECTION, "upgrade")];
        let why = format!("send `Upgrade: {PROTOCOL}` over HTTP/1.1\n");
        return (StatusCode::UPGRADE_REQUIRED, upgrade, why).into_response();
    }
    let initiation = headers.get(INITIATION).and_then(|v| v.to_str().ok());
    let peer = Peer::noted(&request);
    let opening = match begin(&control, peer, initiation.unwrap_or_default()) {
        Ok(opening) => opening,
        Err(e) => return failure(&e).map(axum::body::Body::new),
    };
    let upgraded = hyper::upgrade::on(request);
    let tasks = control.app.tasks.clone();
    tasks.spawn(async move {
        match timeout(HANDSHAKE, upgraded).await {
            Ok(Ok(stream)) => open(control, peer, opening, TokioIo::new(stream)).await,
            Ok(Err(error)) => tracing::debug!(%error, "control upgrade failed"),
            Err(_) => {}
        }
    });
    let answer = [(header::UPGRADE, PROTOCOL), (header::CONNECTION, "upgrade")];
    (StatusCode::SWITCHING_PROTOCOLS, answer).into_response()
}

/// `GET /ts2021`: the same inside a WebSocket, for clients in browsers.
pub(super) async fn websocket(State(control): State<Arc<Control>>, request: Request) -> Response {
    if !lists(request.headers(), &header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL) {
        let why = format!("use POST, or the WebSocket subprotocol {PROTOCOL}\n");
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let peer = Peer::noted(&request);
    let (mut parts, _) = request.into_parts();
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let initiation = query.ok().and_then(|query| {
        let mut pairs = query.0.into_iter();
        pairs.find_map(|(name, value)| {
            name.eq_ignore_ascii_case(INITIATION.as_str())
                .then_some(value)
        })
    });
    let opening = match begin(&control, peer, &initiation.unwrap_or_default()) {
        Ok(opening) => opening,
        Err(e) => return failure(&e).map(axum::body::Body::new),
    };
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade
            .protocols([PROTOCOL])
            .max_message_size(MAX_MESSAGE)
            .max_frame_size(MAX_MESSAGE)
            .on_upgrade(move |socket| {
                let tasks = control.app.tasks.clone();
                tasks.track_future(open(control, peer, opening, ByteStream::new(socket)))
            }),
        Err(refused) => refused.into_response(),
    }
}

/// Judges an initiation. Clients that are too old are told so in words on the
/// upgraded connection: anything else they would only show as a failed dial.
fn begin(control: &Control, peer: Peer, initiation: &str) -> Result<Opening> {
    let now = control.app.clock.instant();
    let limit = &control.failed_handshakes;
    limit.check(peer.addr, now).map_err(Error::TooMany)?;
    let malformed = || Error::Malformed(format!("{INITIATION} is not an initiation"));
    let bytes = STANDARD.decode(initiation).map_err(|_| malformed())?;
    if bytes.len() != INITIATION_LEN {
        return Err(malformed());
    }
    let version = claimed_version(&bytes).unwrap_or_default();
    if version < CapabilityVersion::MINIMUM {
        return Ok(Opening::Refusal(refusal(&too_old(version))));
    }
    match accept(&control.app.keys.noise, &bytes, &mut rng::system()) {
        Ok(accepted) => Ok(Opening::Session(Box::new(accepted))),
        Err(e) => {
            limit.failed(peer.addr, now);
            Err(Error::Malformed(e.to_string()))
        }
    }
}

async fn open<S>(control: Arc<Control>, peer: Peer, opening: Opening, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let accepted = match opening {
        Opening::Session(accepted) => *accepted,
        Opening::Refusal(words) => {
            let tell = async {
                stream.write_all(&words).await?;
                stream.shutdown().await
            };
            let _ = timeout(HANDSHAKE, tell).await;
            return;
        }
    };
    let session = Arc::new(Session {
        machine: accepted.machine,
        version: accepted.version,
        address: peer.addr,
    });
    let begin = async {
        stream.write_all(&accepted.response).await?;
        stream.flush().await?;
        let mut records = Records::new(stream, accepted.transport);
        records.first_words().await?;
        Ok::<_, std::io::Error>(records)
    };
    match timeout(HANDSHAKE, begin).await {
        Ok(Ok(records)) => session::run(control, session, records).await,
        Ok(Err(error)) => tracing::debug!(%error, "control handshake failed"),
        Err(_) => tracing::debug!("control handshake took too long"),
    }
}

/// True when a header that is a list of tokens holds `token`.
fn lists(headers: &HeaderMap, header: &HeaderName, token: &str) -> bool {
    headers
        .get_all(header)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|t| t.trim().eq_ignore_ascii_case(token))
}
