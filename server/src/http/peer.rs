//! Who is at the other end of a request: the address that limits count, and
//! whether the person's browser speaks TLS.

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap, Request};
use wire::net::Prefix;

/// The two ends of one connection, put on every request by the accept loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The other end of the TCP connection: a proxy, maybe.
    pub remote: SocketAddr,
    /// Whether this connection is TLS.
    pub tls: bool,
}

/// Who asks, seen through trusted proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The asker's address.
    pub addr: IpAddr,
    /// Whether the asker speaks TLS, to us or to our proxy.
    pub secure: bool,
}

impl Peer {
    /// Believes `X-Forwarded-For` and `X-Forwarded-Proto` only from `trusted`
    /// networks, and takes the last address of the chain that is not one of them.
    pub fn of(line: Line, headers: &HeaderMap, trusted: &[Prefix]) -> Self {
        let believed = |addr: IpAddr| trusted.iter().any(|p| p.contains(addr));
        let direct = line.remote.ip().to_canonical();
        if !believed(direct) {
            return Self {
                addr: direct,
                secure: line.tls,
            };
        }
        let mut addr = direct;
        for hop in forwarded_for(headers).into_iter().rev() {
            let Some(hop) = hop else { break };
            addr = hop;
            if !believed(hop) {
                break;
            }
        }
        let secure = match headers
            .get("x-forwarded-proto")
            .and_then(|v| v.to_str().ok())
        {
            Some(proto) => proto.rsplit(',').next().map(str::trim) == Some("https"),
            None => line.tls,
        };
        Self { addr, secure }
    }

    /// The peer that the accept loop and the router's first layer noted; a
    /// request without one (in-process) counts as loopback without TLS.
    pub fn noted<B>(request: &Request<B>) -> Self {
        Self::noted_in(request.extensions())
    }

    /// As [`Self::noted`], from a request's extensions.
    pub fn noted_in(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self {
            addr: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            secure: false,
        })
    }
}

/// Each hop in order; `None` for one that is no address.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|hop| {
            let hop = hop.trim();
            let bare = hop.trim_start_matches('[').trim_end_matches(']');
            bare.parse::<IpAddr>()
                .or_else(|_| hop.parse::<SocketAddr>().map(|a| a.ip()))
                .ok()
                .map(|a| a.to_canonical())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(remote: &str, forwarded: &[&str]) -> Peer {
        let mut headers = HeaderMap::new();
        for f in forwarded {
            headers.append("x-forwarded-for", f.parse().unwrap());
        }
        headers.append("x-forwarded-proto", "https".parse().unwrap());
        let line = Line {
            remote: SocketAddr::new(remote.parse().unwrap(), 1),
            tls: false,
        };
        Peer::of(line, &headers, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let peer = peer("192.0.2.1", &["203.0.113.9"]);
        assert_eq!(peer.addr.to_string(), "192.0.2.1");
        assert!(!peer.secure);
    }

    #[test]
    fn a_proxy_is_believed_up_to_the_first_stranger() {
        assert_eq!(
            peer("10.0.0.1", &["203.0.113.9, 192.0.2.7", "10.2.2.2"])
                .addr
                .to_string(),
            "192.0.2.7"
        );
        assert_eq!(
            peer("10.0.0.1", &["[2001:db8::1]:443"]).addr.to_string(),
            "2001:db8::1"
        );
        assert!(peer("10.0.0.1", &["192.0.2.7"]).secure);
    }

    #[test]
    fn nonsense_in_the_chain_ends_the_belief() {
        assert_eq!(
            peer("10.0.0.1", &["203.0.113.9, nonsense"])
                .addr
                .to_string(),
            "10.0.0.1"
        );
        assert_eq!(peer("10.0.0.1", &[]).addr.to_string(), "10.0.0.1");
    }
}
