//! The daemon's side of the socket.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::{MAX_REQUEST, Reply, Request, may_speak, protocol::ErrorCode};

/// Connections at a time.
const CONNECTIONS: usize = 64;
/// How long a request may take to arrive, and a reply to be read.
const PATIENCE: Duration = Duration::from_secs(5);
/// Replies that wait to be read.
const REPLIES: usize = 16;

/// A request, and where its replies go.
#[derive(Debug)]
pub struct Call {
    /// The request.
    pub request: Request,
    /// Takes the replies; closed when nobody waits any more.
    pub replies: mpsc::Sender<Reply>,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another daemon has it.
    #[error(
        "another warren daemon listens at {}; stop it, or give this one another --socket",
        .0.display()
    )]
    InUse(PathBuf),
    /// The system says no.
    #[error("cannot listen at {}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
}

/// The socket; removed when dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
    patience: Duration,
}

impl Server {
    /// Listens at `path`, in place of a socket that a killed daemon left.
    pub fn bind(path: &Path, owner: u32) -> Result<Self, ListenError> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(ListenError::InUse(path.to_owned()));
        }
        let listener = bind_private(path).map_err(|source| ListenError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            owner,
            patience: PATIENCE,
        })
    }

    /// Takes connections for as long as somebody takes their calls.
    pub async fn run(self, calls: mpsc::Sender<Call>) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = calls.closed() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(why) => {
                    tracing::warn!(error = &why as &dyn std::error::Error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (calls, owner, patience) = (calls.clone(), self.owner, self.patience);
            tokio::spawn(async move {
                serve(stream, owner, patience, calls).await;
                drop(permit);
            });
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The name appears when the mode is right, never before.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::DirBuilder::new()
            .mode(0o755)
            .recursive(true)
            .create(dir)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|m| !m.file_type().is_socket()) {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    match fs::remove_file(&temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&temporary)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
    fs::rename(&temporary, path)?;
    Ok(listener)
}

async fn serve(stream: UnixStream, owner: u32, patience: Duration, calls: mpsc::Sender<Call>) {
    let allowed = stream
        .peer_cred()
        .is_ok_and(|peer| may_speak(peer.uid(), owner));
    let (reader, mut writer) = stream.into_split();
    if !allowed {
        let denied = "only root and the daemon's own user may do this: run it with sudo";
        write(&mut writer, &Reply::error(ErrorCode::Denied, denied)).await;
        return;
    }
    let mut reader = BufReader::new(reader);
    let refusal = match timeout(patience, read(&mut reader)).await {
        Ok(Ok(request)) => return answer(request, reader, writer, calls).await,
        Ok(Err(why)) => why,
        Err(_) => "the request did not arrive in time".to_owned(),
    };
    write(&mut writer, &Reply::error(ErrorCode::BadRequest, refusal)).await;
}

async fn read(reader: &mut BufReader<OwnedReadHalf>) -> Result<Request, String> {
    let limit = u64::try_from(MAX_REQUEST).unwrap_or(u64::MAX);
    let mut line = zeroize::Zeroizing::new(Vec::new());
    let read = reader.take(limit).read_until(b'\n', &mut line).await;
    read.map_err(|e| e.to_string())?;
    if line.last() != Some(&b'\n') {
        return Err(format!(
            "a request is one line of at most {MAX_REQUEST} bytes"
        ));
    }
    // The text may hold an auth key: the error does not quote it.
    serde_json::from_slice(&line).map_err(|e| {
        format!(
            "the request cannot be read (column {}): is the command line of another version?",
            e.column()
        )
    })
}

/// Passes replies on until the last one, or until the caller hangs up.
async fn answer(
    request: Request,
    mut reader: BufReader<OwnedReadHalf>,
    mut writer: OwnedWriteHalf,
    calls: mpsc::Sender<Call>,
) {
    let (replies, mut queue) = mpsc::channel(REPLIES);
    if calls.send(Call { request, replies }).await.is_err() {
        return;
    }
    loop {
        let reply = tokio::select! {
            reply = queue.recv() => reply,
            // Nothing is expected from there but its end.
            _ = reader.read_u8() => return,
        };
        let Some(reply) = reply else { return };
        if !write(&mut writer, &reply).await || reply.is_last() {
            return;
        }
    }
}

/// Whether it was taken.
async fn write(writer: &mut OwnedWriteHalf, reply: &Reply) -> bool {
    let Ok(mut line) = serde_json::to_vec(reply) else {
        return false;
    };
    line.push(b'\n');
    matches!(timeout(PATIENCE, writer.write_all(&line)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests;
