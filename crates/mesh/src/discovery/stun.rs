//! STUN: what address do the outside's servers see us under (RFC 8489, Binding only).

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use rand_core::RngCore;
use wire::relay_map::{RegionId, RelayMap};

const MAGIC: u32 = 0x2112_A442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const SOFTWARE: u16 = 0x8022;
const FINGERPRINT: u16 = 0x8028;
const HEADER_LEN: usize = 20;
/// The product name that Tailscale's servers answer to.
const SOFTWARE_NAME: &[u8; 8] = b"tailnode";
/// The port when the relay map names none.
const DEFAULT_PORT: u16 = 3478;

/// How long a round waits for answers.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How long an unanswered request waits before it is sent again.
const RETRY: Duration = Duration::from_millis(500);

/// What ties an answer to its request.
pub(crate) type TxId = [u8; 12];

/// One server to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) region: RegionId,
}

/// The servers of a relay map that have literal addresses.
pub(crate) fn servers(map: &RelayMap) -> Vec<Server> {
    let mut servers: Vec<_> = map
        .regions
        .iter()
        .flat_map(|(region, r)| r.nodes.iter().map(|n| (*region, n)))
        .filter_map(|(region, host)| {
            let port = match host.stun_port {
                0 => DEFAULT_PORT,
                port => u16::try_from(port).ok()?,
            };
            let named = host.host_name.parse::<IpAddr>().ok();
            let v4 = literal::<Ipv4Addr>(&host.ipv4, named.filter(IpAddr::is_ipv4));
            let v6 = literal::<Ipv6Addr>(&host.ipv6, named.filter(IpAddr::is_ipv6));
            Some([v4, v6].into_iter().flatten().map(move |ip| Server {
                addr: SocketAddr::new(ip, port),
                region,
            }))
        })
        .flatten()
        .collect();
    servers.sort_unstable();
    servers.dedup();
    servers
}

/// The address a field holds; `none` switches the family off, an empty one falls back.
fn literal<T: std::str::FromStr + Into<IpAddr>>(
    field: &str,
    fallback: Option<IpAddr>,
) -> Option<IpAddr> {
    if field.is_empty() {
        return fallback;
    }
    field.parse::<T>().ok().map(Into::into)
}

/// One question to all servers.
#[derive(Debug)]
pub(crate) struct Round {
    started: Instant,
    retry_at: Instant,
    asked: BTreeMap<TxId, (Server, Instant)>,
    answers: BTreeMap<Server, Answer>,
    servers: Vec<Server>,
}

/// What one server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) mapped: SocketAddr,
    pub(crate) rtt: Duration,
}

impl Round {
    pub(crate) fn new(servers: Vec<Server>, now: Instant) -> Self {
        Self {
            started: now,
            retry_at: now,
            asked: BTreeMap::new(),
            answers: BTreeMap::new(),
            servers,
        }
    }

    /// The requests to send now: to every server that has not answered, every half second.
    pub(crate) fn requests(
        &mut self,
        now: Instant,
        rng: &mut impl RngCore,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        if now < self.retry_at {
            return Vec::new();
        }
        self.retry_at = now + RETRY;
        let silent = self
            .servers
            .iter()
            .filter(|s| !self.answers.contains_key(s));
        silent
            .map(|server| {
                let mut tx = [0; 12];
                rng.fill_bytes(&mut tx);
                self.asked.insert(tx, (*server, now));
                (server.addr, request(&tx))
            })
            .collect()
    }

    /// Takes an answer; false when nobody asked for it.
    pub(crate) fn handle_answer(&mut self, packet: &[u8], now: Instant) -> bool {
        let Some((tx, mapped)) = parse_answer(packet) else {
            return false;
        };
        let Some((server, sent)) = self.asked.remove(&tx) else {
            return false;
        };
        let rtt = now.saturating_duration_since(sent);
        self.answers.entry(server).or_insert(Answer { mapped, rtt });
        true
    }

    /// Whether there is nothing left to wait for. One that has some answers does
    /// not wait for servers that stay silent over several retries.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        let patience = if self.answers.is_empty() {
            PATIENCE
        } else {
            3 * RETRY
        };
        self.answers.len() == self.servers.len() || now >= self.started + patience
    }

    /// When to look again.
    pub(crate) fn next_at(&self) -> Instant {
        self.retry_at.min(self.started + PATIENCE)
    }

    pub(crate) const fn answers(&self) -> &BTreeMap<Server, Answer> {
        &self.answers
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }
}

/// A Binding request as Tailscale's servers demand it: SOFTWARE and FINGERPRINT.
pub(crate) fn request(tx: &TxId) -> Vec<u8> {
    let mut packet = Vec::with_capacity(40);
    packet.extend_from_slice(&BINDING_REQUEST.to_be_bytes());
    packet.extend_from_slice(&20u16.to_be_bytes());
    packet.extend_from_slice(&MAGIC.to_be_bytes());
    packet.extend_from_slice(tx);
    packet.extend_from_slice(&SOFTWARE.to_be_bytes());
    packet.extend_from_slice(&8u16.to_be_bytes());
    packet.extend_from_slice(SOFTWARE_NAME);
    let fingerprint = crc32(&packet) ^ 0x5354_554e;
    packet.extend_from_slice(&FINGERPRINT.to_be_bytes());
    packet.extend_from_slice(&4u16.to_be_bytes());
    packet.extend_from_slice(&fingerprint.to_be_bytes());
    packet
}

/// True when `packet` has the form of a STUN message.
pub(crate) fn looks_like(packet: &[u8]) -> bool {
    packet.len() >= HEADER_LEN && packet[0] & 0xc0 == 0 && packet[4..8] == MAGIC.to_be_bytes()
}

/// Transaction and mapped address of a success answer.
fn parse_answer(packet: &[u8]) -> Option<(TxId, SocketAddr)> {
    let (header, body) = packet.split_first_chunk::<HEADER_LEN>()?;
    if u16::from_be_bytes([header[0], header[1]]) != BINDING_SUCCESS || !looks_like(packet) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let tx: TxId = header[8..].try_into().ok()?;
    let mut rest = body.get(..length)?;
    let mut plain = None;
    while let Some((attribute, after)) = rest.split_first_chunk::<4>() {
        let kind = u16::from_be_bytes([attribute[0], attribute[1]]);
        let length = usize::from(u16::from_be_bytes([attribute[2], attribute[3]]));
        let value = after.get(..length)?;
        match kind {
            XOR_MAPPED_ADDRESS => return Some((tx, parse_address(value, Some(&tx))?)),
            MAPPED_ADDRESS => plain = parse_address(value, None),
            _ => {}
        }
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((tx, plain?))
}

/// An address attribute; with a transaction it is the exclusive-or form.
fn parse_address(value: &[u8], xor: Option<&TxId>) -> Option<SocketAddr> {
    let (&[_, family, hi, lo], ip) = value.split_first_chunk::<4>()?;
    let mut mask = [0; 16];
    if let Some(tx) = xor {
        mask[..4].copy_from_slice(&MAGIC.to_be_bytes());
        mask[4..].copy_from_slice(tx);
    }
    let port = u16::from_be_bytes([hi ^ mask[0], lo ^ mask[1]]);
    let ip = match (family, ip.len()) {
        (1, 4) => {
            let bytes: [u8; 4] = std::array::from_fn(|i| ip[i] ^ mask[i]);
            IpAddr::from(bytes)
        }
        (2, 16) => {
            let bytes: [u8; 16] = std::array::from_fn(|i| ip[i] ^ mask[i]);
            IpAddr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// CRC-32 as Ethernet has it, bit by bit: forty bytes a request.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            (c >> 1) ^ (0xEDB8_8320 & (c & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use simnet::clock::Clock;

    use super::*;

    /// The sample answer of RFC 5769, 2.2.
    const RFC_5769_ANSWER: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn the_published_answer_is_read() {
        let (_, mapped) = parse_answer(&bytes(RFC_5769_ANSWER)).unwrap();
        assert_eq!(mapped, "192.0.2.1:32853".parse().unwrap());
    }

    #[test]
    fn a_request_is_forty_bytes_and_its_fingerprint_is_right() {
        let packet = request(&[1; 12]);
        assert_eq!(packet.len(), 40);
        assert!(looks_like(&packet));
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            packet[36..],
            (crc32(&packet[..32]) ^ 0x5354_554e).to_be_bytes()
        );
    }

    #[test]
    fn truncated_answers_are_refused() {
        let whole = bytes(RFC_5769_ANSWER);
        for len in 0..whole.len() {
            let _ = parse_answer(&whole[..len]);
            assert!(len >= 20 || !looks_like(&whole[..len]));
        }
    }

    #[test]
    fn a_round_asks_again_and_ends() {
        let t0 = Clock::new().now();
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        let server = Server {
            addr: "192.0.2.1:3478".parse().unwrap(),
            region: RegionId(900),
        };
        let mut round = Round::new(vec![server], t0);
        assert_eq!(round.requests(t0, &mut rng).len(), 1);
        assert_eq!(round.requests(t0, &mut rng).len(), 0);
        assert_eq!(round.requests(t0 + RETRY, &mut rng).len(), 1);
        assert!(!round.is_over(t0 + RETRY));
        assert!(round.is_over(t0 + PATIENCE));
        assert!(!round.handle_answer(&bytes(RFC_5769_ANSWER), t0));
    }
}
