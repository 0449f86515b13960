//! What is known about the network around this node, from STUN answers.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use wire::relay_map::RegionId;

/// What a NAT in front of this node does with ports (RFC 4787's mapping behaviour).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum NatKind {
    /// Not enough answers to tell.
    #[default]
    Unknown,
    /// None: servers see an own address and port.
    Open,
    /// Endpoint-independent mapping: one outside port whatever the destination.
    Easy,
    /// The outside port depends on the destination: others must not guess it.
    Hard,
    /// No UDP leaves or returns.
    Blocked,
}

impl NatKind {
    /// One word for people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Easy => "easy",
            Self::Hard => "hard",
            Self::Blocked => "blocked",
        }
    }
}

/// The network as STUN shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// UDP reaches a STUN server and its answer returns; `None` while unknown.
    pub udp: Option<bool>,
    /// The same over IPv6.
    pub ipv6: Option<bool>,
    /// The NAT of IPv4.
    pub nat: NatKind,
    /// What the servers saw, over IPv4.
    pub mapped_v4: Option<SocketAddr>,
    /// What the servers saw, over IPv6.
    pub mapped_v6: Option<SocketAddr>,
    /// The best round trip to each region.
    pub latency: BTreeMap<RegionId, Duration>,
    /// The relay others should reach this node through.
    pub home_relay: Option<RegionId>,
}

/// A new home must be this much nearer than the old one.
const HOME_GAIN: Duration = Duration::from_millis(10);

/// Which region others should reach us through. Without measurements the old
/// one stays, or the first of the map is as good as any; a measured one must be
/// clearly nearer, by 10 ms and a third, for a move costs every peer an update.
pub(crate) fn choose_home(
    usable: impl Iterator<Item = RegionId>,
    latency: &BTreeMap<RegionId, Duration>,
    current: Option<RegionId>,
) -> Option<RegionId> {
    let usable: Vec<_> = usable.collect();
    let current = current.filter(|c| usable.contains(c));
    let nearest = usable
        .iter()
        .filter_map(|r| Some((*latency.get(r)?, *r)))
        .min();
    let Some((best, region)) = nearest else {
        return current.or_else(|| usable.first().copied());
    };
    match current.map(|c| (c, latency.get(&c))) {
        None | Some((_, None)) => Some(region),
        Some((_, Some(old))) if best + HOME_GAIN < *old && best * 3 <= *old * 2 => Some(region),
        Some((current, Some(_))) => Some(current),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(latency_ms: &[(u16, u64)], current: Option<u16>) -> Option<u16> {
        let latency = latency_ms
            .iter()
            .map(|(r, ms)| (RegionId(*r), Duration::from_millis(*ms)))
            .collect();
        let usable = [900, 901].map(RegionId).into_iter();
        choose_home(usable, &latency, current.map(RegionId)).map(|r| r.0)
    }

    #[test]
    fn the_nearest_relay_becomes_home() {
        assert_eq!(home(&[(900, 30), (901, 10)], None), Some(901));
        assert_eq!(home(&[], None), Some(900));
    }

    #[test]
    fn home_moves_for_a_clear_gain_only() {
        assert_eq!(home(&[(900, 30), (901, 25)], Some(900)), Some(900));
        assert_eq!(home(&[(900, 30), (901, 21)], Some(900)), Some(900));
        assert_eq!(home(&[(900, 60), (901, 20)], Some(900)), Some(901));
        assert_eq!(home(&[], Some(901)), Some(901));
        assert_eq!(home(&[(900, 1)], Some(555)), Some(900));
    }
}
