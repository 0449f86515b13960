//! A login in the background: the server's CA, then the registration.

use std::sync::Arc;

use rand::rngs::OsRng;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;
use wire::{MachineSecret, NodeSecret, control::Hostinfo};

use super::plan::NewLogin;
use crate::{
    control::{
        Party,
        backoff::Backoff,
        connect,
        login::{self, LoggedIn, Login, LoginError, Progress},
        session::CHECK,
    },
    nudge::heeding,
    state::Profile,
    tls::{Tls, Trust, parse_digest},
};

/// Reports that wait to be read.
const PROGRESS: usize = 8;

/// The login.
#[derive(Debug)]
pub(super) struct Entry {
    progress: mpsc::Receiver<Progress>,
    outcome: oneshot::Receiver<Result<Entered, LoginError>>,
    nudge: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

/// It worked.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) profile: Profile,
    pub(super) party: Party,
    pub(super) node: NodeSecret,
    pub(super) logged_in: LoggedIn,
}

/// What is heard of it.
#[derive(Debug)]
pub(super) enum News {
    Progress(Progress),
    Ended(Box<Result<Entered, LoginError>>),
}

impl Entry {
    pub(super) fn start(login: NewLogin, tls: Tls, machine: MachineSecret, host: Hostinfo) -> Self {
        let (progress_out, progress) = mpsc::channel(PROGRESS);
        let (outcome_out, outcome) = oneshot::channel();
        let nudge = Arc::new(Notify::new());
        let ways = Ways {
            progress: progress_out,
            nudge: Arc::clone(&nudge),
        };
        let task = tokio::spawn(async move {
            let outcome = enter(login, tls, machine, host, &ways).await;
            let _ = outcome_out.send(outcome);
        });
        Self {
            progress,
            outcome,
            nudge,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// The network has changed: what was asked over the old one is not waited for.
    pub(super) fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// The next news. Nothing follows the end.
    pub(super) async fn news(&mut self) -> News {
        tokio::select! {
            biased;
            Some(progress) = self.progress.recv() => News::Progress(progress),
            outcome = &mut self.outcome => News::Ended(Box::new(outcome.unwrap_or_else(|_| {
                Err(LoginError::Refused("the login was given up".to_owned()))
            }))),
        }
    }
}

/// The login's ways to and from the daemon.
struct Ways {
    progress: mpsc::Sender<Progress>,
    nudge: Arc<Notify>,
}

async fn enter(
    login: NewLogin,
    tls: Tls,
    machine: MachineSecret,
    host: Hostinfo,
    ways: &Ways,
) -> Result<Entered, LoginError> {
    let NewLogin {
        mut profile,
        node,
        old_key,
        proof,
    } = login;
    let trust = find_trust(&mut profile, &tls, ways).await?;
    let party = Party {
        server: profile.server(trust),
        tls,
        machine,
        node: node.clone(),
    };
    let login = Login {
        party: party.clone(),
        old_key,
        proof,
        host,
    };
    let logged_in = login::run(login, &ways.progress, &ways.nudge).await?;
    Ok(Entered {
        profile,
        party,
        node,
        logged_in,
    })
}

/// How the server is judged; its CA is fetched where only its digest is known.
async fn find_trust(profile: &mut Profile, tls: &Tls, ways: &Ways) -> Result<Trust, LoginError> {
    let digest = profile.ca_sha256.as_deref().and_then(parse_digest);
    let Some(digest) = digest.filter(|_| profile.server.is_tls()) else {
        return Ok(Trust::Public);
    };
    let mut backoff = Backoff::default();
    loop {
        if let Some(trust) = profile.trust() {
            return Ok(trust);
        }
        let found = connect::find_ca(tls, &profile.server, &digest);
        match heeding(found, CHECK, &ways.nudge).await {
            None => {}
            Some(Ok(trust)) => profile.set_trust(&trust),
            Some(Err(why)) if why.may_pass() => {
                let _ = ways.progress.send(Progress::Trouble(why.to_string())).await;
                tokio::select! {
                    () = sleep(backoff.next(&mut OsRng)) => {}
                    () = ways.nudge.notified() => {}
                }
            }
            Some(Err(why)) => return Err(LoginError::Connect(why)),
        }
    }
}
