//! Joining, coming back, going, leaving.

use std::{io, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::AbortOnDropHandle;
use wire::{MachineKey, NodeSecret};

use super::{
    Daemon, QUEUE, Session,
    engine::Engine,
    entry::{self, Entered, Entry},
    host,
    plan::{self, NewLogin, Plan, Standing},
    waiting::answer,
};
use crate::{
    control::{
        NetMap, Party, Presence,
        connection::Connection,
        login::{self, LoginError, Progress},
        session,
    },
    local_api::{
        Reply,
        protocol::{ErrorCode, Up},
    },
    state::Profile,
    tls::Trust,
};

/// How long the server may take to take note of a logout.
const LOGOUT: Duration = Duration::from_secs(10);
/// What a logout that went well says.
const LEFT: &str = "this machine has left the mesh, and its keys are forgotten";

impl Daemon {
    // === up ===

    /// After a start: back to what was, with the netmap that was kept.
    pub(super) async fn resume(&mut self) {
        let Some(profile) = self.stored.profile.clone() else {
            return;
        };
        let Some(node) = profile.node_key.clone() else {
            return;
        };
        match self.dir.load_netmap() {
            Ok(kept) => {
                let kept = kept.and_then(|m| NetMap::first(m, None));
                self.map = kept.filter(|m| m.node().key == node.public());
            }
            Err(why) => tracing::warn!(
                error = &why as &dyn std::error::Error,
                "the kept netmap is left aside"
            ),
        }
        if let Err(why) = self.come_back(profile).await {
            tracing::error!(error = %why, "cannot come up");
            self.trouble = Some(system_error(&why));
        }
    }

    pub(super) async fn up(&mut self, up: &Up, replies: mpsc::Sender<Reply>) {
        if self.map.as_ref().is_some_and(|m| m.is_expired(self.wall())) {
            self.standing = Standing::Expired;
        }
        let plan = match plan::plan(&self.stored, self.standing, up) {
            Ok(plan) => plan,
            Err(no) => return answer(&replies, Reply::error(no.code, no.message)),
        };
        let done = match plan {
            Plan::Return(profile) => self.come_back(*profile).await,
            Plan::Login(login) => self.enter(*login).await,
        };
        if let Err(why) = done {
            return answer(
                &replies,
                Reply::error(ErrorCode::System, system_error(&why)),
            );
        }
        self.waiting.retain(|w| !w.is_closed());
        self.waiting.push(replies);
        self.tell_how_it_is();
    }

    /// Up again as the node that the server knows.
    async fn come_back(&mut self, profile: Profile) -> io::Result<()> {
        let Some(node) = profile.node_key.clone() else {
            return Ok(());
        };
        let trust = profile.trust().unwrap_or(Trust::Public);
        self.ensure_engine(node.clone(), trust.clone())?;
        self.announce(&profile);
        let party = self.party(&profile, trust, node);
        self.stored.profile = Some(profile);
        self.stored.want_up = true;
        self.save();
        self.hand_over_again().await;
        if self.session.is_none() {
            self.start_session(party, None);
        }
        Ok(())
    }

    /// Logs in with a new node key; what was is kept until that has worked.
    async fn enter(&mut self, login: NewLogin) -> io::Result<()> {
        tokio::task::yield_now().await;
        let trust = login.profile.trust().unwrap_or(Trust::Public);
        let current = self.stored.profile.as_ref();
        let current = current.and_then(|p| p.node_key.clone());
        self.ensure_engine(current.unwrap_or_else(|| login.node.clone()), trust)?;
        let profile = &login.profile;
        let host = host::info(profile.hostname.as_deref(), &profile.tags);
        let machine = self.stored.machine_key.clone();
        self.sign_in = None;
        self.trouble = None;
        self.cancel_waiting("another `warren up` took its place");
        self.entry = Some(Entry::start(login, self.tls.clone(), machine, host));
        Ok(())
    }

    pub(super) async fn handle_entry(&mut self, news: entry::News) {
        match news {
            entry::News::Progress(Progress::SignIn(url)) => {
                self.sign_in = Some(url.clone());
                self.tell(&Reply::SignIn { url });
            }
            entry::News::Progress(Progress::Trouble(message)) => {
                self.trouble = Some(message.clone());
                self.tell(&Reply::Trouble { message });
            }
            entry::News::Ended(outcome) => {
                self.entry = None;
                self.sign_in = None;
                match *outcome {
                    Ok(entered) => self.entered(entered).await,
                    Err(why) => self.not_entered(&why).await,
                }
            }
        }
    }

    async fn entered(&mut self, entered: Entered) {
        let Entered {
            mut profile,
            mut party,
            node,
            logged_in,
        } = entered;
        tracing::info!(server = %profile.server, "logged in");
        profile.node_key = Some(node.clone());
        profile.server_key = Some(logged_in.server_key);
        profile.login_name = logged_in.login_name;
        party.server.key = Some(logged_in.server_key);
        self.trouble = None;
        self.standing = Standing::Good;
        self.session = None;
        self.forget_map().await;
        self.announce(&profile);
        let trust = party.server.trust.clone();
        self.stored.profile = Some(profile);
        self.stored.want_up = true;
        self.save();
        if let Some(engine) = &mut self.engine {
            engine.set_identity(node, trust).await;
        }
        let open = (logged_in.connection, logged_in.server_key);
        self.start_session(party, Some(open));
    }

    async fn not_entered(&mut self, why: &LoginError) {
        let code = match why {
            LoginError::Connect(_) => ErrorCode::Server,
            LoginError::Refused(_)
            | LoginError::NeedsPerson
            | LoginError::KeyExpired
            | LoginError::Request(_) => ErrorCode::Refused,
        };
        tracing::warn!(error = %why, "not logged in");
        self.trouble = Some(why.to_string());
        self.tell(&Reply::error(code, why));
        if self.session.is_none() {
            self.stop_engine().await;
        }
    }

    fn ensure_engine(&mut self, node: NodeSecret, trust: Trust) -> io::Result<()> {
        if self.engine.is_some() {
            return Ok(());
        }
        let engine = Engine::start(&self.config, node, self.tls.clone(), trust)?;
        let disco = engine.disco;
        self.presence.send_modify(|p| {
            *p = Presence {
                host: std::mem::take(&mut p.host),
                disco,
                ..Presence::default()
            };
        });
        self.engine = Some(engine);
        Ok(())
    }

    /// What the machine says of itself, from now on.
    fn announce(&self, profile: &Profile) {
        let host = host::info(profile.hostname.as_deref(), &profile.tags);
        self.presence.send_if_modified(|p| {
            let changed = p.host != host;
            p.host = host;
            changed
        });
    }

    fn party(&self, profile: &Profile, trust: Trust, node: NodeSecret) -> Party {
        Party {
            server: profile.server(trust),
            tls: self.tls.clone(),
            machine: self.stored.machine_key.clone(),
            node,
        }
    }

    fn start_session(&mut self, party: Party, open: Option<(Connection, MachineKey)>) {
        let (events_out, events) = mpsc::channel(QUEUE);
        let presence = self.presence.subscribe();
        let (session, handle) = session::Session::new(party, presence, events_out);
        let task = tokio::spawn(session.run(open));
        self.connected = false;
        self.session = Some(Session {
            events,
            handle,
            _task: AbortOnDropHandle::new(task),
        });
    }

    // === down, logout ===

    pub(super) async fn down(&mut self) -> Reply {
        let was_up = self.stored.want_up || self.entry.is_some();
        self.stored.want_up = false;
        self.save();
        self.end_all("`warren down` ended it").await;
        Reply::done(if was_up {
            "disconnected, and still a member: `warren up` comes back"
        } else {
            "it was down already"
        })
    }

    pub(super) async fn logout(&mut self, replies: mpsc::Sender<Reply>) {
        let profile = self.stored.profile.take();
        self.stored.want_up = false;
        self.save();
        self.end_all("`warren logout` ended it").await;
        self.forget_map().await;
        self.standing = Standing::Good;
        self.trouble = None;
        let Some(profile) = profile else {
            return answer(
                &replies,
                Reply::done("this machine was not a member of a mesh"),
            );
        };
        let (Some(node), Some(trust)) = (profile.node_key.clone(), profile.trust()) else {
            return answer(&replies, Reply::done(LEFT));
        };
        let party = self.party(&profile, trust, node);
        let host = host::info(profile.hostname.as_deref(), &profile.tags);
        tokio::spawn(async move {
            let told = timeout(LOGOUT, login::logout(&party, host)).await;
            let why = match told {
                Ok(Ok(())) => return answer(&replies, Reply::done(LEFT)),
                Ok(Err(why)) => why,
                Err(_) => "it does not answer".to_owned(),
            };
            let message = format!(
                "this machine has forgotten its membership, but the server could not be told \
                 ({why}): remove the machine in the console"
            );
            answer(&replies, Reply::done(message));
        });
    }

    async fn end_all(&mut self, why: &str) {
        self.cancel_waiting(why);
        self.entry = None;
        self.session = None;
        self.connected = false;
        self.sign_in = None;
        self.stop_engine().await;
    }

    pub(super) async fn stop_engine(&mut self) {
        self.paths_due = None;
        if let Some(engine) = self.engine.take() {
            engine.stop().await;
        }
    }

    pub(super) async fn forget_map(&mut self) {
        self.map = None;
        self.keeper.forget().await;
        if let Err(why) = self.dir.remove_netmap() {
            tracing::warn!(
                error = &why as &dyn std::error::Error,
                "the kept netmap is not removed"
            );
        }
    }

    pub(super) fn save(&mut self) {
        if let Err(why) = self.dir.save(&self.stored) {
            tracing::error!(
                error = &why as &dyn std::error::Error,
                "keys and preferences are not kept"
            );
            self.trouble = Some(format!("{:#}", anyhow::Error::new(why)));
        }
    }
}

/// What the machine does not allow, and what would help.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum grows")]
fn system_error(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "the daemon may not make a network interface ({why}): run `warren daemon` as root"
        ),
        io::ErrorKind::NotFound => {
            format!("this machine has no TUN: {why}")
        }
        io::ErrorKind::ResourceBusy => format!(
            "the interface is in use ({why}): is another warren running? Give this one another \
             name: warren daemon --interface warren1"
        ),
        _ => format!("the network interface cannot be made: {why}"),
    }
}
