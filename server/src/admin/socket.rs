//! The admin socket of a running server: one request and one answer a connection, both JSON.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};
use wire::api::problem::Code;

use super::{Answer, Refused, Request, actor, perform};
use crate::{app::App, lifecycle::own_uid};

/// Connections at a time.
const CONNECTIONS: usize = 64;
/// The most a request may hold: a policy of 1 MiB, as JSON text.
const REQUEST: u64 = 4 * 1024 * 1024;
/// How long a request may take to arrive, and an answer to leave.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest path of a unix socket.
const PATH: usize = 107;

/// The socket, bound.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds the socket of `app`'s data directory; the caller holds the directory's lock.
    pub fn bind(app: &App) -> Result<Self> {
        let path = app.config.admin_socket();
        ensure!(
            path.as_os_str().len() <= PATH,
            "{} is too long for a socket ({PATH} bytes at most): choose a shorter data_dir",
            path.display()
        );
        let _ = std::fs::remove_file(&path);
        // The directory is 0700, so nobody else reaches it before its mode is set.
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("making the admin socket {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers until `app.stop`.
    pub async fn serve(self, app: Arc<App>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = app.stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept on the admin socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                continue;
            };
            let with = Arc::clone(&app);
            app.tasks.spawn(async move {
                let _place = place;
                if let Err(error) = converse(&with, stream).await {
                    tracing::debug!(error = format!("{error:#}"), "admin request failed");
                }
            });
        }
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "the admin socket was gone already");
    }
}

async fn converse(app: &App, mut stream: UnixStream) -> Result<()> {
    let uid = stream.peer_cred()?.uid();
    ensure!(
        uid == 0 || uid == own_uid(),
        "user {uid} may not administer this server"
    );
    let mut bytes = Vec::new();
    let mut limited = (&mut stream).take(REQUEST + 1);
    timeout(PATIENCE, limited.read_to_end(&mut bytes)).await??;
    let answer = answer(app, uid, &bytes).await;
    let text = serde_json::to_vec(&answer)?;
    timeout(PATIENCE, stream.write_all(&text)).await??;
    stream.shutdown().await?;
    Ok(())
}

async fn answer(app: &App, uid: u32, bytes: &[u8]) -> Result<Answer, Refused> {
    if bytes.len() as u64 > REQUEST {
        return Err(Refused::new(Code::TooLarge, "the request is too large"));
    }
    let request: Request = serde_json::from_slice(bytes).map_err(|e| {
        Refused::new(
            Code::Malformed,
            format!(
                "the running server ({}) does not understand this request; is it another \
                 release than this program? ({e})",
                env!("CARGO_PKG_VERSION")
            ),
        )
    })?;
    perform(app, &actor(uid), request)
        .await
        .map_err(Refused::from)
}
