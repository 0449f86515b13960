//! The map stream and the reports beside it, for as long as the node is up.

use std::{pin::pin, sync::Arc, time::Duration};

use rand::rngs::OsRng;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep, timeout},
};
use wire::{MachineKey, control::MapResponse};

use super::{
    Party, Presence,
    backoff::Backoff,
    connect,
    connection::{Connection, RequestError},
    login::{self, LoginError, Progress},
    stream::MapStream,
};
use crate::nudge::heeding;

/// After a change of the network the server must answer within this.
pub(crate) const CHECK: Duration = Duration::from_secs(3);

/// A connection that held for so long is followed by a quick attempt; shorter
/// ones are not: two machines with the same key would push each other out.
const STEADY: Duration = Duration::from_secs(10);

/// What the session tells.
#[derive(Debug)]
pub enum Event {
    /// The stream is open: the next message says everything.
    Connected {
        /// The server's key, to be remembered.
        server_key: MachineKey,
    },
    /// The first message of a stream.
    First(Box<MapResponse>),
    /// What has changed since the one before.
    Delta(Box<MapResponse>),
    /// The connection is lost, or cannot be made; it is tried again.
    Trouble(String),
    /// The server does not know this node any more, or its key has expired: the session is over.
    Over(LoginError),
}

/// A session's way in.
#[derive(Debug, Clone)]
pub struct Handle {
    nudge: Arc<Notify>,
}

impl Handle {
    /// The network has changed: the connection is checked, a waiting one is tried at once.
    pub fn nudge(&self) {
        self.nudge.notify_one();
    }
}

/// A session.
#[derive(Debug)]
pub struct Session {
    party: Party,
    presence: watch::Receiver<Presence>,
    events: mpsc::Sender<Event>,
    nudge: Arc<Notify>,
}

/// How one connection ended.
enum End {
    /// Nobody listens any more.
    Unheard,
    Broken(String),
    /// The network changed before there was a stream.
    Moved,
    /// The server refuses the stream.
    Refused(String),
}

impl Session {
    /// A session that reports what `presence` holds and tells `events` what it hears.
    pub fn new(
        party: Party,
        presence: watch::Receiver<Presence>,
        events: mpsc::Sender<Event>,
    ) -> (Self, Handle) {
        let nudge = Arc::new(Notify::new());
        let handle = Handle {
            nudge: Arc::clone(&nudge),
        };
        (
            Self {
                party,
                presence,
                events,
                nudge,
            },
            handle,
        )
    }

    /// Runs until it is over or nobody listens; `connection` is one that is open already.
    pub async fn run(mut self, connection: Option<(Connection, MachineKey)>) {
        let mut backoff = Backoff::default();
        let mut open = connection;
        loop {
            let (end, held) = self.once(open.take()).await;
            if held > STEADY {
                backoff.reset();
            }
            let trouble = match end {
                End::Unheard => return,
                // Its change was heeded: the new one is tried at once.
                End::Moved => {
                    backoff.reset();
                    continue;
                }
                End::Broken(why) => why,
                End::Refused(why) => match self.ask_again().await {
                    None => return,
                    Some(Ok(connection)) => {
                        open = Some(connection);
                        why
                    }
                    Some(Err(over)) => {
                        let _ = self.events.send(Event::Over(over)).await;
                        return;
                    }
                },
            };
            tracing::info!(why = %trouble, "control connection lost");
            if self.events.send(Event::Trouble(trouble)).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(backoff.next(&mut OsRng)) => {}
                // What failed over the old network says nothing of the new one.
                () = self.nudge.notified() => backoff.reset(),
            }
        }
    }

    /// One connection, and how long its stream held.
    async fn once(&mut self, open: Option<(Connection, MachineKey)>) -> (End, Duration) {
        let nudge = Arc::clone(&self.nudge);
        let (connection, key) = match open {
            Some(open) => open,
            None => match heeding(self.connect(), CHECK, &nudge).await {
                Some(Ok(connected)) => connected,
                Some(Err(why)) => return (End::Broken(why), Duration::ZERO),
                None => return (End::Moved, Duration::ZERO),
            },
        };
        self.hold(connection, key).await
    }

    async fn connect(&mut self) -> Result<(Connection, MachineKey), String> {
        let party = &mut self.party;
        let (connection, key) = connect::connect(&party.tls, &party.server, &party.machine)
            .await
            .map_err(|e| e.to_string())?;
        party.server.key = Some(key);
        Ok((connection, key))
    }

    /// The stream was refused: registering says why. `None`: nobody listens any more.
    async fn ask_again(&self) -> Option<Result<(Connection, MachineKey), LoginError>> {
        let login = login::Login {
            party: self.party.clone(),
            old_key: wire::NodeKey::ZERO,
            proof: login::Proof::Known,
            host: self.presence.borrow().hostinfo(),
        };
        let (progress, mut told) = mpsc::channel(1);
        let mut asked = pin!(login::run(login, &progress, &self.nudge));
        loop {
            let progress = tokio::select! {
                done = &mut asked => {
                    return Some(done.map(|new| (new.connection, new.server_key)));
                }
                Some(progress) = told.recv() => progress,
            };
            if let Progress::Trouble(why) = progress {
                self.events.send(Event::Trouble(why)).await.ok()?;
            }
        }
    }

    /// Streams and reports until that ends; how long the stream held.
    async fn hold(&mut self, connection: Connection, server_key: MachineKey) -> (End, Duration) {
        let node = self.party.node.public();
        let request = self.presence.borrow_and_update().stream(node);
        let stream = match heeding(connection.map(&request), CHECK, &self.nudge).await {
            Some(Ok(stream)) => stream,
            Some(Err(why)) => return (refused_or_broken(&why), Duration::ZERO),
            None => return (End::Moved, Duration::ZERO),
        };
        let begun = Instant::now();
        let connected = Event::Connected { server_key };
        if self.events.send(connected).await.is_err() {
            return (End::Unheard, Duration::ZERO);
        }
        let events = self.events.clone();
        let mut reports = pin!(report(
            &connection,
            node,
            self.presence.clone(),
            Arc::clone(&self.nudge)
        ));
        let mut listen = pin!(listen(stream, &events));
        let end = tokio::select! {
            end = &mut listen => end,
            end = &mut reports => end,
        };
        (end, begun.elapsed())
    }
}

fn refused_or_broken(why: &RequestError) -> End {
    if why.is_refusal() {
        End::Refused(why.to_string())
    } else {
        End::Broken(why.to_string())
    }
}

/// Passes on what the server says.
async fn listen(mut stream: MapStream, events: &mpsc::Sender<Event>) -> End {
    let mut begun = false;
    loop {
        let message = match stream.next().await {
            Ok(message) => message,
            Err(why) => return End::Broken(why.to_string()),
        };
        if message.keep_alive {
            continue;
        }
        let event = if begun {
            Event::Delta(Box::new(message))
        } else if message.node.is_some() {
            begun = true;
            Event::First(Box::new(message))
        } else {
            continue;
        };
        if events.send(event).await.is_err() {
            return End::Unheard;
        }
    }
}

/// Reports presence, at once and whenever it changes, and after a change of the network.
async fn report(
    connection: &Connection,
    node: wire::NodeKey,
    mut presence: watch::Receiver<Presence>,
    nudge: Arc<Notify>,
) -> End {
    presence.mark_changed();
    loop {
        let checked = tokio::select! {
            changed = presence.changed() => {
                if changed.is_err() {
                    return End::Unheard;
                }
                false
            }
            () = nudge.notified() => true,
        };
        let request = presence.borrow_and_update().report(node);
        let answer = connection.report(&request);
        let answer = if checked {
            timeout(CHECK, answer).await.ok()
        } else {
            heeding(answer, CHECK, &nudge).await
        };
        match answer {
            Some(Ok(())) => {}
            Some(Err(why)) => return refused_or_broken(&why),
            None => return End::Broken("the server does not answer".to_owned()),
        }
    }
}
