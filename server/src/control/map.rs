//! `POST /machine/map`: the netmap as a stream or once, and reports of presence.
//!
//! A stream request reports nothing, except where the server holds no presence
//! of the node: official clients do not send it again after a restart of ours.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use rand::Rng as _;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wire::{
    CapabilityVersion,
    control::{MapRequest, too_old},
};

use super::{
    Control, Session,
    answer::{Body, text, whole},
    hostinfo::{bounded, bounded_endpoints},
    known::{Holder, Known, find},
};
use crate::{
    error::Result,
    rng,
    telemetry::metrics::Held,
    tenancy::{Attach, Changed, Compression, MapStream, Report, frame, keepalive},
};

mod gone;
mod rename;
mod retag;

/// Silence before a keepalive, in seconds: clients give up after 120, and all
/// at once would be a burst.
const KEEPALIVE: std::ops::Range<u64> = 50_000..60_000;

/// Answers one request.
pub(super) async fn map(
    control: &Arc<Control>,
    session: &Session,
    request: MapRequest,
) -> Result<Response<Body>> {
    if request.version < CapabilityVersion::MINIMUM {
        return Ok(text(StatusCode::BAD_REQUEST, too_old(request.version)));
    }
    let compress = match request.compress.as_str() {
        "" => Compression::Plain,
        "zstd" => Compression::Zstd,
        _ => {
            return Ok(text(
                StatusCode::BAD_REQUEST,
                "`Compress` may be empty or zstd",
            ));
        }
    };
    let holder = find(&control.app, &session.machine, &request.node_key).await?;
    let Holder::Ours(known) = holder else {
        if request.stream {
            let frame = frame(compress, &gone::answer(session, &request));
            let frames = Frames::Last(frame, control.app.stop.clone());
            return Ok(Response::new(body(frames, compress)));
        }
        return Ok(text(StatusCode::NOT_FOUND, "node not found"));
    };
    let (hub, tenant, node) = (&control.app.hub, known.tenant, known.node.id);
    match (request.stream, request.omit_peers) {
        (true, _) => {
            let (with, version) = (Arc::clone(control), request.version);
            let work = async move { note_version(&with, &known, version).await };
            control.app.finish(work).await?;
            let attach = Attach {
                compress,
                version: request.version,
                fallback: report(request),
            };
            let stream = hub.attach(tenant, node, attach).await?;
            let counted = Held::one(&control.app.metrics.map_streams);
            let frames = Frames::Live {
                stream,
                _counted: counted,
            };
            Ok(Response::new(body(frames, compress)))
        }
        (false, true) => {
            let report = report(request);
            if let Some(info) = &report.hostinfo {
                let (with, tags) = (Arc::clone(control), info.request_tags.clone());
                let hostname = info.hostname.clone();
                let work = async move {
                    retag::follow(&with, &known, &tags).await?;
                    rename::follow(&with, &known, &hostname).await
                };
                control.app.finish(work).await?;
            }
            hub.report(tenant, node, report).await?;
            Ok(Response::new(whole(Bytes::new())))
        }
        (false, false) => {
            let frame = hub.full(tenant, node, compress).await?;
            Ok(Response::new(whole(frame)))
        }
    }
}

fn report(request: MapRequest) -> Report {
    Report {
        hostinfo: request.hostinfo.map(bounded),
        endpoints: bounded_endpoints(request.endpoints),
        disco_key: request.disco_key,
        paths: request.paths,
    }
}

async fn note_version(control: &Control, known: &Known, version: CapabilityVersion) -> Result<()> {
    let (tenant, node) = (known.tenant, known.node.id);
    if known.node.capability == version {
        return Ok(());
    }
    let write = move |rows: crate::db::TenantRows| async move {
        rows.set_node_capability(node, version).await
    };
    control.app.db.write(tenant, write).await?;
    control.app.hub.changed(tenant, Changed::Node(node)).await;
    Ok(())
}

/// What a stream carries besides signs of life.
enum Frames {
    /// What the node's tenant tells.
    Live { stream: MapStream, _counted: Held },
    /// This, and then nothing until the server stops.
    Last(Bytes, CancellationToken),
    /// Nothing any more.
    Told(CancellationToken),
}

impl Frames {
    /// The next one; may be dropped while it waits.
    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Live { stream, .. } => stream.next().await,
            Self::Last(frame, stop) => {
                let frame = std::mem::take(frame);
                *self = Self::Told(stop.clone());
                Some(frame)
            }
            Self::Told(stop) => {
                stop.cancelled().await;
                None
            }
        }
    }
}

/// Frames as they come, and a sign of life when none came for a while.
fn body(frames: Frames, compress: Compression) -> Body {
    let stream = stream::unfold(frames, move |mut frames| async move {
        let silence = Duration::from_millis(rng::system().gen_range(KEEPALIVE));
        let frame = tokio::select! {
            frame = frames.next() => frame?,
            () = sleep(silence) => keepalive(compress),
        };
        Some((Ok::<_, Infallible>(Frame::data(frame)), frames))
    });
    StreamBody::new(Box::pin(stream)).boxed_unsync()
}
