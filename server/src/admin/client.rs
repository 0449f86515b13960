//! Asking the running server; or, where none runs, doing it here.

use std::{io::ErrorKind, os::unix::fs::MetadataExt as _, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{sleep, timeout},
};

use super::{Answer, Refused, Request, actor, perform};
use crate::{
    app::App,
    clock::SystemClock,
    config::Config,
    lifecycle::{InUse, login_of, own_uid},
};

/// How long the running server may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a server that is just starting or stopping is asked again.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// Has `request` done, by the running server or here.
pub async fn ask(config: &Config, request: &Request) -> Result<Result<Answer, Refused>> {
    must_exist(config)?;
    let path = config.admin_socket();
    let mut held = None;
    for _ in 0..TRIES {
        if let Some(stream) = connect(&path).await? {
            return converse(stream, request).await;
        }
        owner_only(&config.data_dir())?;
        match App::build(config.clone(), Arc::new(SystemClock)).await {
            Ok(app) => return Ok(here(app, request.clone()).await),
            Err(error) if error.is::<InUse>() => held = Some(error),
            Err(error) => return Err(error),
        }
        sleep(PAUSE).await;
    }
    let held = held.map_or_else(String::new, |error| error.to_string());
    bail!("{held}, which does not answer on {}", path.display())
}

/// A typing error in a path must not make an empty server elsewhere.
fn must_exist(config: &Config) -> Result<()> {
    let dir = config.data_dir();
    match dir.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => bail!(
            "there is no data directory {}: start `warren-server serve` once, or name the \
             server's configuration with --config",
            dir.display()
        ),
        Err(e) => Err(e).with_context(|| format!("looking for {}", dir.display())),
    }
}

/// Root opening another user's database would leave files that he cannot write.
fn owner_only(dir: &Path) -> Result<()> {
    let Ok(metadata) = std::fs::metadata(dir) else {
        return Ok(());
    };
    let (me, owner) = (own_uid(), metadata.uid());
    if me != owner {
        bail!(
            "no server runs, and {} belongs to {}: run this as that user, or start the server",
            dir.display(),
            login_of(owner)
        );
    }
    Ok(())
}

async fn connect(path: &Path) -> Result<Option<UnixStream>> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => bail!(
            "{} is for root and the user that the server runs as; try with sudo",
            path.display()
        ),
        Err(e) => Err(e).with_context(|| format!("connecting to {}", path.display())),
    }
}

async fn converse(mut stream: UnixStream, request: &Request) -> Result<Result<Answer, Refused>> {
    let work = async {
        stream.write_all(&serde_json::to_vec(request)?).await?;
        stream.shutdown().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(PATIENCE, work)
        .await
        .context("the running server does not answer")?
        .context("asking the running server")?;
    if answer.is_empty() {
        bail!("the running server closed the admin socket without an answer; its log says why");
    }
    serde_json::from_slice(&answer)
        .context("the running server's answer is not understood; is it another release?")
}

async fn here(app: Arc<App>, request: Request) -> Result<Answer, Refused> {
    let done = perform(&app, &actor(own_uid()), request).await;
    app.stop.cancel();
    if let Some(relay) = &app.relay {
        relay.stop().await;
    }
    app.tasks.close();
    app.tasks.wait().await;
    done.map_err(Refused::from)
}
