//! From the network to the TUN.

use std::time::Instant;

use wire::{NodeKey, disco::Envelope};

use super::{Netmap, Node};
use crate::event::{Dropped, PathAddr};

impl Node {
    /// One datagram that is no STUN message.
    pub(super) fn receive(
        &mut self,
        from: PathAddr,
        _client: Option<NodeKey>,
        datagram: &mut [u8],
        now: Instant,
    ) {
        if !self.is_open() {
            return self.drop_packet(Dropped::Closed);
        }
        if Envelope::looks_like(datagram) {
            self.handle_disco(from, datagram, now);
        }
    }

    pub(super) fn renew_rules(&mut self, _netmap: &Netmap, _now: Instant) {}
}
