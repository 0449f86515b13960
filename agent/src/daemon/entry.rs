//! A login in the background: the server's CA, then the registration.

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use wire::{MachineSecret, NodeSecret, control::Hostinfo};

use super::plan::NewLogin;
use crate::{
    control::{
        Party, connect,
        login::{self, LoggedIn, Login, LoginError, Progress},
    },
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
        let task = tokio::spawn(async move {
            let outcome = enter(login, tls, machine, host, &progress_out).await;
            let _ = outcome_out.send(outcome);
        });
        Self {
            progress,
            outcome,
            _task: AbortOnDropHandle::new(task),
        }
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

async fn enter(
    login: NewLogin,
    tls: Tls,
    machine: MachineSecret,
    host: Hostinfo,
    progress: &mpsc::Sender<Progress>,
) -> Result<Entered, LoginError> {
    let NewLogin {
        mut profile,
        node,
        old_key,
        proof,
    } = login;
    let trust = find_trust(&mut profile, &tls, progress).await?;
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
    let logged_in = login::run(login, progress).await?;
    Ok(Entered {
        profile,
        party,
        node,
        logged_in,
    })
}

/// How the server is judged; its CA is fetched where only its digest is known.
async fn find_trust(
    profile: &mut Profile,
    tls: &Tls,
    progress: &mpsc::Sender<Progress>,
) -> Result<Trust, LoginError> {
    let digest = profile.ca_sha256.as_deref().and_then(parse_digest);
    let Some(digest) = digest.filter(|_| profile.server.is_tls()) else {
        return Ok(Trust::Public);
    };
    let mut backoff = crate::control::backoff::Backoff::default();
    loop {
        if let Some(trust) = profile.trust() {
            return Ok(trust);
        }
        match connect::find_ca(tls, &profile.server, &digest).await {
            Ok(trust) => profile.set_trust(&trust),
            Err(why) if why.may_pass() => {
                let _ = progress.send(Progress::Trouble(why.to_string())).await;
                tokio::time::sleep(backoff.next(&mut rand::rngs::OsRng)).await;
            }
            Err(why) => return Err(LoginError::Connect(why)),
        }
    }
}
