//! Which of two working addresses is better.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// How much a kind of address is worth, in percent of latency: addresses that
/// stay inside a machine or a site are preferred while latencies are alike,
/// and IPv6 a little, for it is rarely translated.
fn bonus(addr: IpAddr) -> i64 {
    let near = match addr {
        IpAddr::V4(v4) if v4.is_loopback() => 50,
        IpAddr::V4(v4) if v4.is_link_local() => 30,
        IpAddr::V4(v4) if v4.is_private() => 20,
        IpAddr::V6(v6) if v6.is_loopback() => 50,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => 30,
        IpAddr::V6(v6) if v6.is_unique_local() => 20,
        IpAddr::V4(_) | IpAddr::V6(_) => 0,
    };
    near + if addr.is_ipv6() { 10 } else { 0 }
}

/// By how many percent `a` is faster than `b`; 0 when it is not.
fn gain(a: Duration, b: Duration) -> i64 {
    if a >= b {
        return 0;
    }
    let percent = 100 - (a.as_nanos() * 100) / b.as_nanos().max(1);
    i64::try_from(percent).unwrap_or(0)
}

/// Whether `new` should replace `old`. A gain of one percent is none: paths must not flap.
pub(crate) fn is_better(new: (SocketAddr, Duration), old: (SocketAddr, Duration)) -> bool {
    if new.0 == old.0 {
        return false;
    }
    let new_points = gain(new.1, old.1) + bonus(new.0.ip());
    let old_points = gain(old.1, new.1) + bonus(old.0.ip());
    new_points > old_points + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address and milliseconds of the new and the old path, and whether the new one wins.
    /// The cases follow the questions of `TestBetterAddr` in Tailscale's magicsock.
    #[test]
    fn the_better_address_wins() {
        let table = [
            ("1.2.3.4:1", 5, "1.2.3.4:1", 10, false),
            ("1.2.3.4:1", 5, "1.2.3.4:2", 10, true),
            ("1.2.3.4:2", 10, "1.2.3.4:1", 5, false),
            ("1.2.3.4:1", 100, "1.2.3.4:2", 101, false),
            ("1.2.3.4:2", 101, "1.2.3.4:1", 100, false),
            ("1.2.3.4:2", 90, "1.2.3.4:1", 100, true),
            ("10.0.0.2:1", 100, "1.2.3.4:1", 100, true),
            ("1.2.3.4:1", 100, "10.0.0.2:1", 100, false),
            ("10.0.0.2:1", 100, "1.2.3.4:1", 91, true),
            ("10.0.0.2:1", 100, "1.2.3.4:1", 70, false),
            ("[2001::5]:1", 100, "1.2.3.4:1", 100, true),
            ("[2001::5]:1", 100, "1.2.3.4:1", 80, false),
            ("127.0.0.1:1", 100, "10.0.0.1:1", 90, true),
            ("169.254.0.1:1", 100, "10.0.0.1:1", 100, true),
        ];
        for (new, new_ms, old, old_ms, expected) in table {
            let new = (new.parse().unwrap(), Duration::from_millis(new_ms));
            let old = (old.parse().unwrap(), Duration::from_millis(old_ms));
            assert_eq!(is_better(new, old), expected, "{new:?} over {old:?}");
        }
    }
}
