//! The local API's verbs.

use tokio::sync::mpsc;

use super::{Daemon, answers, report, waiting::answer};
use crate::local_api::{
    Reply, Request,
    protocol::{ErrorCode, State},
    server::Call,
};

impl Daemon {
    pub(super) async fn handle_call(&mut self, call: Call) {
        let Call { request, replies } = call;
        tracing::debug!(?request, "local request");
        match request {
            Request::Up(up) => self.up(&up, replies).await,
            Request::Down => {
                let done = self.down().await;
                answer(&replies, done);
            }
            Request::Logout => self.logout(replies).await,
            Request::Status => {
                let status = self.status().await;
                answer(&replies, Reply::Status(Box::new(status)));
            }
            Request::Ping { host } => self.ping(&host, replies),
            Request::Netcheck => self.netcheck(replies),
            Request::Bugreport => {
                let status = self.status().await;
                let text = report::text(
                    &self.config,
                    &status,
                    self.engine.as_ref(),
                    &self.recent.lines(),
                );
                answer(&replies, Reply::Report { text });
            }
        }
    }

    fn ping(&self, host: &str, replies: mpsc::Sender<Reply>) {
        let (Some(engine), Some(map)) = (&self.engine, &self.map) else {
            return answer(&replies, self.not_up());
        };
        let Some(target) = answers::find(map, host) else {
            let why = format!("no machine that this one may see is called `{host}`");
            return answer(&replies, Reply::error(ErrorCode::UnknownHost, why));
        };
        let commands = engine.commands.clone();
        tokio::spawn(async move {
            let reply = answers::ping(&commands, target).await;
            answer(&replies, reply);
        });
    }

    fn netcheck(&self, replies: mpsc::Sender<Reply>) {
        let (Some(engine), Some(map)) = (&self.engine, &self.map) else {
            return answer(&replies, self.not_up());
        };
        let commands = engine.commands.clone();
        let profile = self.stored.profile.as_ref();
        let trust = profile.and_then(crate::state::Profile::trust);
        let (map, tls) = (map.relay_map().clone(), self.tls.clone());
        tokio::spawn(async move {
            let trust = trust.unwrap_or(crate::tls::Trust::Public);
            let reply = answers::netcheck(&commands, &map, &tls, &trust).await;
            answer(&replies, reply);
        });
    }

    fn not_up(&self) -> Reply {
        let why = match self.state() {
            State::Stopped | State::Running | State::Starting => {
                "this machine is not up: run `warren up`"
            }
            State::NeedsLogin | State::Expired => {
                "this machine is not in a mesh at the moment: run `warren up`"
            }
            State::NeedsApproval => "an administrator has yet to approve this machine",
        };
        Reply::error(ErrorCode::NotUp, why)
    }
}
