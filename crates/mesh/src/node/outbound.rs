//! From the TUN to the peers.

use std::time::Instant;

use super::Node;
use crate::event::Dropped;

impl Node {
    pub(super) fn send_frame(&mut self, _frame: &mut [u8], _now: Instant) {
        if !self.is_open() {
            self.drop_packet(Dropped::Closed);
        }
    }
}
