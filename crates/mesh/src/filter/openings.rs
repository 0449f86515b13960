//! What some rules open together, by protocol and port.

use wire::net::PortRange;

use super::has_ports;

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// Something is.
    pub(super) any: bool,
    /// By protocol.
    by_protocol: Vec<(u8, Ports)>,
}

#[derive(Debug, Default)]
struct Ports {
    /// One rule opens every port.
    all: bool,
    /// Apart from each other, in order.
    ranges: Vec<PortRange>,
}

impl Openings {
    pub(super) fn add(&mut self, protocols: &[u8], ports: PortRange) {
        self.any |= !protocols.is_empty();
        for protocol in protocols {
            let known = self.by_protocol.iter().position(|(p, _)| p == protocol);
            let at = known.unwrap_or_else(|| {
                self.by_protocol.push((*protocol, Ports::default()));
                self.by_protocol.len() - 1
            });
            let open = &mut self.by_protocol[at].1;
            open.all |= ports == PortRange::ANY;
            open.ranges.push(ports);
        }
    }

    /// Brings the ranges into order and joins those that meet.
    pub(super) fn sort(&mut self) {
        self.by_protocol.sort_by_key(|(protocol, _)| *protocol);
        for (_, ports) in &mut self.by_protocol {
            ports.ranges.sort();
            let mut joined: Vec<PortRange> = Vec::new();
            for range in ports.ranges.drain(..) {
                match joined.last_mut() {
                    Some(last) if range.first <= last.last.saturating_add(1) => {
                        last.last = last.last.max(range.last);
                    }
                    _ => joined.push(range),
                }
            }
            ports.ranges = joined;
        }
    }

    pub(super) fn contain(&self, protocol: u8, port: u16) -> bool {
        let Ok(at) = self
            .by_protocol
            .binary_search_by_key(&protocol, |(p, _)| *p)
        else {
            return false;
        };
        let ports = &self.by_protocol[at].1;
        if !has_ports(protocol) {
            return ports.all;
        }
        let next = ports.ranges.partition_point(|range| range.first <= port);
        next > 0 && ports.ranges[next - 1].contains(port)
    }
}
