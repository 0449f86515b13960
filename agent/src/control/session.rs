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
    login::{self, LoginError},
    stream::MapStream,
};

/// A stream that is silent for so long is dead: servers send a sign of life each minute.
const SILENCE: Duration = Duration::from_mins(2);
/// After a change of the network the server must answer within this.
const CHECK: Duration = Duration::from_secs(3);

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
            let begun = Instant::now();
            let end = match open.take() {
                Some((connection, key)) => self.hold(connection, key).await,
                None => match self.connect().await {
                    Ok((connection, key)) => self.hold(connection, key).await,
                    Err(why) => End::Broken(why),
                },
            };
            if begun.elapsed() > STEADY {
                backoff.reset();
            }
            let trouble = match end {
                End::Unheard => return,
                End::Broken(why) => why,
                End::Refused(why) => match self.ask_again().await {
                    Ok(connection) => {
                        open = connection;
                        why
                    }
                    Err(over) => {
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
                () = self.nudge.notified() => {}
            }
        }
    }

    async fn connect(&mut self) -> Result<(Connection, MachineKey), String> {
        let party = &mut self.party;
        let (connection, key) = connect::connect(&party.tls, &party.server, &party.machine)
            .await
            .map_err(|e| e.to_string())?;
        party.server.key = Some(key);
        Ok((connection, key))
    }

    /// The stream was refused: registering says why.
    async fn ask_again(&self) -> Result<Option<(Connection, MachineKey)>, LoginError> {
        let login = login::Login {
            party: self.party.clone(),
            old_key: wire::NodeKey::ZERO,
            proof: login::Proof::Known,
            host: self.presence.borrow().hostinfo(),
        };
        let (progress, _unheard) = mpsc::channel(1);
        let logged_in = login::run(login, &progress).await?;
        Ok(Some((logged_in.connection, logged_in.server_key)))
    }

    async fn hold(&mut self, connection: Connection, server_key: MachineKey) -> End {
        let node = self.party.node.public();
        let request = self.presence.borrow_and_update().stream(node);
        let stream = match connection.map(&request).await {
            Ok(stream) => stream,
            Err(why) => return refused_or_broken(&why),
        };
        if self
            .events
            .send(Event::Connected { server_key })
            .await
            .is_err()
        {
            return End::Unheard;
        }
        let events = self.events.clone();
        let mut reports = pin!(report(
            &connection,
            node,
            self.presence.clone(),
            Arc::clone(&self.nudge)
        ));
        let mut listen = pin!(listen(stream, &events));
        tokio::select! {
            end = &mut listen => end,
            end = &mut reports => end,
        }
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
        let message = match timeout(SILENCE, stream.next()).await {
            Ok(Ok(message)) => message,
            Ok(Err(why)) => return End::Broken(why.to_string()),
            Err(_) => return End::Broken("the server has gone silent".to_owned()),
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
        let limit = tokio::select! {
            changed = presence.changed() => {
                if changed.is_err() {
                    return End::Unheard;
                }
                SILENCE
            }
            () = nudge.notified() => CHECK,
        };
        let request = presence.borrow_and_update().report(node);
        match answered(connection.report(&request), limit, &nudge).await {
            Some(Ok(())) => {}
            Some(Err(why)) => return refused_or_broken(&why),
            None => return End::Broken("the server does not answer".to_owned()),
        }
    }
}

/// What the server says within `limit`. A change of the network under way
/// shortens the wait to [`CHECK`]: the connection may have died with the old one.
async fn answered<T>(asked: impl Future<Output = T>, limit: Duration, nudge: &Notify) -> Option<T> {
    let mut asked = pin!(asked);
    tokio::select! {
        answer = timeout(limit, &mut asked) => answer.ok(),
        () = nudge.notified() => timeout(CHECK, asked).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_of_the_network_shortens_the_wait_for_an_answer_under_way() {
        let nudge = Notify::new();
        let begun = Instant::now();
        nudge.notify_one();
        assert_eq!(answered(pending::<()>(), SILENCE, &nudge).await, None);
        assert_eq!(begun.elapsed(), CHECK);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_passed_on() {
        let nudge = Notify::new();
        nudge.notify_one();
        let slow = async {
            sleep(CHECK / 2).await;
            7
        };
        assert_eq!(answered(slow, SILENCE, &nudge).await, Some(7));
        assert_eq!(answered(pending::<()>(), CHECK, &nudge).await, None);
    }
}
