//! Callers of `warren up` who wait, and what they are told.

use tokio::sync::mpsc;

use super::Daemon;
use crate::local_api::{Reply, protocol::ErrorCode};

impl Daemon {
    /// Tells who waits for `up` how it is, if that is an answer.
    pub(super) fn tell_how_it_is(&mut self) {
        let Some(map) = self.map.as_ref().filter(|_| self.session.is_some()) else {
            return;
        };
        if !self.connected || self.entry.is_some() {
            return;
        }
        let reply = if map.is_expired(self.wall()) {
            let why = "this machine's key has expired: run `warren up` to sign in again";
            Reply::error(ErrorCode::Refused, why)
        } else if map.node().machine_authorized {
            Reply::Up {
                name: map.node().name.trim_end_matches('.').to_owned(),
                addresses: map.node().addresses.iter().map(|a| a.addr).collect(),
            }
        } else {
            Reply::NeedsApproval
        };
        self.tell(&reply);
    }

    /// With a netmap that was kept the node is up without the server.
    pub(super) fn tell_of_trouble(&mut self, message: String) {
        if self.map.is_some() {
            self.tell(&Reply::done(format!(
                "up, with what was known last; the server is away: {message}"
            )));
        } else {
            self.tell(&Reply::Trouble { message });
        }
    }

    pub(super) fn tell(&mut self, reply: &Reply) {
        for replies in &self.waiting {
            answer(replies, reply.clone());
        }
        self.waiting.retain(|w| !w.is_closed());
        if reply.is_last() {
            self.waiting.clear();
        }
    }

    pub(super) fn cancel_waiting(&mut self, why: &str) {
        self.tell(&Reply::error(ErrorCode::Cancelled, why));
    }
}

/// Who does not read his replies loses some.
pub(super) fn answer(replies: &mpsc::Sender<Reply>, reply: Reply) {
    let _ = replies.try_send(reply);
}
