//! Making a node key known to the server: by auth key, by a person, or as before.

use std::time::Duration;

use rand::rngs::OsRng;
use tokio::sync::{Notify, mpsc};
use wire::{
    CapabilityVersion, MachineKey, NodeKey, Timestamp,
    control::{Hostinfo, RegisterAuth, RegisterRequest, RegisterResponse},
};

use super::{
    Party,
    backoff::Backoff,
    connect::{self, ConnectError},
    connection::{Connection, RequestError},
    session::CHECK,
};
use crate::nudge::heeding;

/// What logs out: the expiry that official clients send.
const LONG_AGO: Timestamp = Timestamp::from_unix_seconds(123);
/// A followup that is answered at once with the same link is asked again after this.
const FOLLOWUP_PAUSE: Duration = Duration::from_secs(2);

/// How the node proves that it may join.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is known already.
    Known,
    /// By an auth key.
    AuthKey(String),
    /// By a person who signs in.
    Person,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Known => "Known",
            Self::AuthKey(_) => "AuthKey(…)",
            Self::Person => "Person",
        })
    }
}

/// A login.
#[derive(Debug, Clone)]
pub struct Login {
    /// Who speaks to whom; its node key is the one to be made known.
    pub party: Party,
    /// The key that it replaces; zero: none.
    pub old_key: NodeKey,
    /// How it is proved.
    pub proof: Proof,
    /// What the machine says of itself, with the tags it asks for.
    pub host: Hostinfo,
}

/// How far a login is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A person must open this link.
    SignIn(String),
    /// It does not work at the moment; it is tried again.
    Trouble(String),
}

/// A login that worked.
#[derive(Debug)]
pub struct LoggedIn {
    /// The connection it came by.
    pub connection: Connection,
    /// The server's key, to be remembered.
    pub server_key: MachineKey,
    /// The owner's login name; empty for tagged nodes of some servers.
    pub login_name: String,
    /// False while an administrator has yet to approve the device.
    pub authorized: bool,
}

/// Why it did not.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server cannot be reached, for good.
    #[error(transparent)]
    Connect(ConnectError),
    /// The server said no.
    #[error("the server refused: {0}")]
    Refused(String),
    /// A person must sign in first.
    #[error("this machine must sign in again: run `warren up`")]
    NeedsPerson,
    /// The node key has expired.
    #[error("this machine's key has expired: run `warren up` to sign in again")]
    KeyExpired,
    /// A request failed, for good.
    #[error("the server does not let this machine register: {0}")]
    Request(RequestError),
}

/// Logs in, however often it must try and however long a person takes.
/// Reports what it waits for to `progress`; after a change of the network
/// (`nudge`) it does not wait for what was asked over the old one.
pub async fn run(
    login: Login,
    progress: &mpsc::Sender<Progress>,
    nudge: &Notify,
) -> Result<LoggedIn, LoginError> {
    let mut backoff = Backoff::default();
    let mut link = String::new();
    loop {
        // To ask twice is harmless: a server answers a key that it knows with how things stand.
        let trouble = match heeding(attempt(&login, &mut link, progress), CHECK, nudge).await {
            None => continue,
            Some(Ok(logged_in)) => return Ok(logged_in),
            Some(Err(Attempt::Final(why))) => return Err(why),
            Some(Err(Attempt::Again(why))) => why,
        };
        tracing::info!(why = %trouble, "login is tried again");
        let _ = progress.send(Progress::Trouble(trouble)).await;
        tokio::select! {
            () = tokio::time::sleep(backoff.next(&mut OsRng)) => {}
            () = nudge.notified() => {}
        }
    }
}

enum Attempt {
    Final(LoginError),
    Again(String),
}

impl From<ConnectError> for Attempt {
    fn from(why: ConnectError) -> Self {
        if why.may_pass() {
            Self::Again(why.to_string())
        } else {
            Self::Final(LoginError::Connect(why))
        }
    }
}

impl From<RequestError> for Attempt {
    fn from(why: RequestError) -> Self {
        if why.is_refusal() {
            Self::Final(LoginError::Request(why))
        } else {
            Self::Again(why.to_string())
        }
    }
}

async fn attempt(
    login: &Login,
    link: &mut String,
    progress: &mpsc::Sender<Progress>,
) -> Result<LoggedIn, Attempt> {
    let party = &login.party;
    let (connection, server_key) =
        connect::connect(&party.tls, &party.server, &party.machine).await?;
    loop {
        let answer = connection.register(&request(login, link)).await?;
        if !answer.error.is_empty() {
            return Err(Attempt::Final(LoginError::Refused(answer.error)));
        }
        if answer.node_key_expired {
            return Err(Attempt::Final(LoginError::KeyExpired));
        }
        if answer.auth_url.is_empty() {
            return Ok(logged_in(connection, server_key, answer));
        }
        if login.proof == Proof::Known {
            return Err(Attempt::Final(LoginError::NeedsPerson));
        }
        if answer.auth_url == *link {
            tokio::time::sleep(FOLLOWUP_PAUSE).await;
        } else {
            link.clone_from(&answer.auth_url);
            let _ = progress.send(Progress::SignIn(answer.auth_url)).await;
        }
    }
}

fn request(login: &Login, followup: &str) -> RegisterRequest {
    let auth = match &login.proof {
        Proof::AuthKey(key) => Some(RegisterAuth {
            auth_key: key.clone(),
        }),
        Proof::Known | Proof::Person => None,
    };
    RegisterRequest {
        version: CapabilityVersion::AGENT,
        node_key: login.party.node.public(),
        old_node_key: login.old_key,
        auth: auth.filter(|_| followup.is_empty()),
        followup: followup.to_owned(),
        hostinfo: Some(login.host.clone()),
        ..RegisterRequest::default()
    }
}

fn logged_in(connection: Connection, server_key: MachineKey, answer: RegisterResponse) -> LoggedIn {
    LoggedIn {
        connection,
        server_key,
        login_name: answer.login.login_name,
        authorized: answer.machine_authorized,
    }
}

/// Tells the server that this node key is not used any more.
pub async fn logout(party: &Party, host: Hostinfo) -> Result<(), String> {
    let (connection, _) = connect::connect(&party.tls, &party.server, &party.machine)
        .await
        .map_err(|e| e.to_string())?;
    let request = RegisterRequest {
        version: CapabilityVersion::AGENT,
        node_key: party.node.public(),
        expiry: Some(LONG_AGO),
        hostinfo: Some(host),
        ..RegisterRequest::default()
    };
    let answer = connection.register(&request).await;
    let answer = answer.map_err(|e| e.to_string())?;
    if answer.error.is_empty() {
        Ok(())
    } else {
        Err(answer.error)
    }
}
