//! What the server says, and what follows from it.

use wire::MachineKey;

use super::{Daemon, plan::Standing};
use crate::{
    control::{NetMap, login::LoginError, session},
    local_api::{Reply, protocol::ErrorCode},
};

/// A clock that differs by more is named as a problem.
const SKEW_MICROS: i64 = 60_000_000;

impl Daemon {
    pub(super) async fn handle_session(&mut self, event: Option<session::Event>) {
        match event {
            None => self.session_lost(),
            Some(session::Event::Connected { server_key }) => {
                self.connected = true;
                self.trouble = None;
                self.remember(server_key);
            }
            Some(session::Event::First(message)) => {
                self.note_time(message.control_time);
                if let Some(map) = NetMap::first(*message, self.map.as_ref()) {
                    tracing::info!(peers = map.peers().len(), "netmap received");
                    self.hand_over(&map).await;
                    self.map = Some(map);
                    self.keeper.renewed();
                    self.tell_how_it_is();
                }
            }
            Some(session::Event::Delta(message)) => {
                let Some(mut map) = self.map.take() else {
                    return;
                };
                let touched = map.apply(*message);
                if touched.data {
                    self.hand_over(&map).await;
                }
                self.map = Some(map);
                if touched.any {
                    self.keeper.changed();
                    self.tell_how_it_is();
                }
            }
            Some(session::Event::Trouble(message)) => {
                self.connected = false;
                self.trouble = Some(message.clone());
                self.tell_of_trouble(message);
            }
            Some(session::Event::Over(why)) => self.over(&why).await,
        }
    }

    /// The session has ended without a word, as it does only when it is broken.
    fn session_lost(&mut self) {
        tracing::error!("the conversation with the server has ended by itself");
        self.session = None;
        self.connected = false;
        let why = "the conversation with the server has ended by itself: run `warren up`";
        self.trouble = Some(why.to_owned());
        self.tell(&Reply::error(ErrorCode::System, why));
    }

    /// The server does not want this node as it is.
    async fn over(&mut self, why: &LoginError) {
        tracing::warn!(error = %why, "the server has ended this node's session");
        self.standing = match why {
            LoginError::KeyExpired => Standing::Expired,
            LoginError::Connect(_)
            | LoginError::Refused(_)
            | LoginError::NeedsPerson
            | LoginError::Request(_) => Standing::Unknown,
        };
        self.session = None;
        self.connected = false;
        self.trouble = Some(why.to_string());
        self.forget_map().await;
        self.stop_engine().await;
        self.tell(&Reply::error(ErrorCode::Refused, why));
    }

    fn remember(&mut self, server_key: MachineKey) {
        if let Some(profile) = &mut self.stored.profile
            && profile.server_key.is_none()
        {
            profile.server_key = Some(server_key);
            self.save();
        }
    }

    fn note_time(&mut self, server: Option<wire::Timestamp>) {
        if let Some(server) = server {
            self.skew = server.unix_micros() - self.clock.wall().unix_micros();
        }
    }

    /// The difference between the clocks, when it is worth a word.
    pub(super) fn clock_problem(&self) -> Option<String> {
        clock_problem(self.skew)
    }

    /// Brings the data thread and the interface in line with the netmap.
    pub(super) async fn hand_over(&mut self, map: &NetMap) {
        let wall = self.wall();
        let Some(engine) = &mut self.engine else {
            return;
        };
        if let Err(why) = engine.set_netmap(map, wall).await {
            tracing::error!(error = %why, "the interface is not set up");
            self.trouble = Some(why.to_string());
        }
    }

    /// The same netmap once more.
    pub(super) async fn hand_over_again(&mut self) {
        if let Some(map) = self.map.take() {
            self.hand_over(&map).await;
            self.map = Some(map);
        }
    }
}

/// `skew`: microseconds by which the server's clock is ahead.
fn clock_problem(skew: i64) -> Option<String> {
    (skew.abs() > SKEW_MICROS).then(|| {
        let side = if skew > 0 { "behind" } else { "ahead of" };
        let seconds = skew.abs() / 1_000_000;
        format!("this machine's clock is {seconds} s {side} the server's: set it right")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_named_when_it_is_wrong_by_more_than_a_minute() {
        assert_eq!(clock_problem(59_000_000), None);
        assert_eq!(clock_problem(-59_000_000), None);
        let behind = clock_problem(3_600_000_000).unwrap();
        assert!(behind.contains("3600 s behind"), "{behind}");
        let ahead = clock_problem(-90_000_000).unwrap();
        assert!(ahead.contains("90 s ahead of"), "{ahead}");
    }
}
