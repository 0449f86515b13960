//! What the core wants done, in the order of its contract: transmits, the TUN, events.

use mesh::{event::Event, offload::Offload};

use super::DataThread;
use crate::data::Notice;

impl DataThread {
    /// What nothing more can join, between the reads of one portion.
    pub(in crate::data) fn drain_full(&mut self) {
        while let Some(train) = self.node.poll_full_transmit() {
            self.outputs.transmit(&train);
        }
        let mut refused = None;
        while let Some(write) = self.node.poll_full_tun() {
            refused = self.outputs.write_tun(write.frame).or(refused);
        }
        self.give_up_offload(refused);
    }

    /// Everything, after the last read of a portion or a command.
    pub(in crate::data) fn drain(&mut self) {
        while let Some(train) = self.node.poll_transmit() {
            self.outputs.transmit(&train);
        }
        let mut refused = None;
        while let Some(write) = self.node.poll_tun() {
            refused = self.outputs.write_tun(write.frame).or(refused);
        }
        self.give_up_offload(refused);
        while let Some(event) = self.node.poll_event() {
            self.tell(event);
        }
    }

    fn give_up_offload(&mut self, refused: Option<Offload>) {
        if let Some(left) = refused {
            tracing::warn!(?left, "the TUN refuses superpackets: continuing without");
            self.node.set_tun_offload(left);
        }
    }

    fn tell(&mut self, event: Event) {
        let notice = match event {
            Event::EndpointsChanged(endpoints) => Notice::Endpoints(endpoints),
            Event::HomeRelayChosen(region) => Notice::HomeRelay(region),
            Event::RelayWanted(region) => Notice::RelayWanted(region),
            Event::RelayUnwanted(region) => Notice::RelayUnwanted(region),
            Event::NetInfoChanged(report) => Notice::NetInfo(report),
            Event::PathChanged { peer, from, to } => Notice::PathChanged { peer, from, to },
            Event::SelfExpired => Notice::SelfExpired,
            Event::NetcheckFinished(report) => {
                for asked in self.netchecks.drain(..) {
                    let _ = asked.send(report.clone());
                }
                return;
            }
            Event::PingFinished { id, result, .. } => {
                if let Some(index) = self.pings.iter().position(|(p, _)| *p == id) {
                    let (_, asked) = self.pings.swap_remove(index);
                    let _ = asked.send(result);
                }
                return;
            }
        };
        self.outbox.push(notice, self.clock.now());
    }
}
