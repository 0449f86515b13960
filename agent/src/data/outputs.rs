//! Where the core's outputs go: sockets, relays and the TUN.

use std::{io, sync::Arc};

use mesh::{
    event::{Transmit, Via},
    offload::Offload,
};

use super::{counters::Counters, relay_queue::RelayQueue};
use crate::io::{tun::Tun, udp::Sockets};

/// Every way out. Nothing here fails for long: what cannot be sent is counted.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) tun: Tun,
    pub(super) sockets: Sockets,
    pub(super) relays: RelayQueue,
    pub(super) counters: Arc<Counters>,
}

/// The `gso_type` of UDP superpackets in a `virtio_net_hdr`, whose second byte it is.
const GSO_UDP: u8 = 5;

impl Outputs {
    pub(super) fn transmit(&mut self, train: &Transmit<'_>) {
        match train.via {
            Via::Udp(to) => {
                let sent = self.sockets.send(to, train.segment_size, train.bytes);
                self.counters.udp_trains.add(1);
                self.counters.udp_datagrams.add(sent.datagrams);
                self.counters.udp_lost.add(sent.lost);
            }
            Via::Relay { region, peer } => {
                let size = train.segment_size;
                let count = if self.relays.push(region, peer, size, train.bytes) {
                    &self.counters.relay_trains
                } else {
                    &self.counters.relay_lost
                };
                count.add(1);
            }
        }
    }

    /// Writes a frame; what the TUN takes at most, when it takes less than was thought.
    pub(super) fn write_tun(&self, frame: &[u8]) -> Option<Offload> {
        let Err(error) = self.tun.write(frame) else {
            self.counters.tun_writes.add(1);
            return None;
        };
        self.counters.tun_refused.add(1);
        refused_offload(&error, frame)
    }
}

/// Which offload is left when the TUN has refused a frame. An interface that
/// is down refuses everything and says nothing about offload.
fn refused_offload(error: &io::Error, frame: &[u8]) -> Option<Offload> {
    if error.raw_os_error() != Some(libc::EINVAL) {
        return None;
    }
    match frame.get(1)? & 0x7f {
        0 => None,
        GSO_UDP => Some(Offload::Tcp),
        _ => Some(Offload::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_superpacket_switches_an_offload_off() {
        let invalid = io::Error::from_raw_os_error(libc::EINVAL);
        let down = io::Error::from_raw_os_error(libc::EIO);
        let frame = |kind| [1, kind, 0, 0];
        assert_eq!(refused_offload(&invalid, &frame(5)), Some(Offload::Tcp));
        assert_eq!(refused_offload(&invalid, &frame(1)), Some(Offload::None));
        assert_eq!(refused_offload(&invalid, &frame(0)), None);
        assert_eq!(refused_offload(&down, &frame(1)), None);
    }
}
