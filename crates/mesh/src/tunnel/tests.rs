use std::net::Ipv4Addr;

use mock_instant::MockClock;
use simnet::clock::Clock;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Two ends and the clocks of both libraries.
struct Pair {
    gates: [Gate; 2],
    ends: [Tunnel; 2],
    now: Instant,
}

fn secret(byte: u8) -> NodeSecret {
    NodeSecret::from_bytes([byte; 32])
}

fn packet(byte: u8) -> Vec<u8> {
    let mut packet = vec![byte; 100];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&100u16.to_be_bytes());
    packet
}

impl Pair {
    fn new() -> Self {
        MockClock::set_time(Duration::ZERO);
        let now = Clock::new().now();
        let gates = [Gate::new(&secret(1)), Gate::new(&secret(2))];
        let a = Tunnel::new(&gates[0], &secret(2).public(), 7, now);
        let b = Tunnel::new(&gates[1], &secret(1).public(), 9, now);
        Self {
            gates,
            ends: [a, b],
            now,
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        MockClock::advance(time);
    }

    fn seal(&mut self, end: usize, packet: &[u8]) -> (Sealed, Vec<u8>) {
        let mut out = vec![0; 2_000];
        let sealed = self.ends[end].seal(packet, &mut out, self.now);
        match sealed {
            Sealed::Data(n) | Sealed::Handshake(n) => out.truncate(n),
            Sealed::Waiting => out.clear(),
        }
        (sealed, out)
    }

    fn open(&mut self, end: usize, message: &[u8]) -> (Opened, Vec<u8>) {
        let mut out = vec![0; 2_000];
        let opened = self.ends[end].open(HERE, message, &mut out, self.now);
        match opened {
            Opened::Packet(n) | Opened::Reply(n) => out.truncate(n),
            Opened::Nothing | Opened::Refused(_) => out.clear(),
        }
        (opened, out)
    }

    fn tick(&mut self, end: usize) -> Option<Vec<u8>> {
        let mut out = [0; MAX_HANDSHAKE];
        let size = self.ends[end].tick(&mut out, self.now)?;
        Some(out[..size].to_vec())
    }

    fn waiting(&mut self, end: usize) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut out = vec![0; 2_000];
        while let Some(sealed) = self.ends[end].next_waiting(&mut out, self.now) {
            let Sealed::Data(n) = sealed else {
                panic!("{sealed:?} while there is a session")
            };
            messages.push(out[..n].to_vec());
        }
        messages
    }

    /// Shakes hands, `from` first, with one packet waiting, and delivers it.
    fn establish(&mut self, from: usize) {
        let to = 1 - from;
        let (sealed, initiation) = self.seal(from, &packet(1));
        assert_eq!(sealed, Sealed::Handshake(MAX_HANDSHAKE));
        let (_, response) = self.open(to, &initiation);
        let (opened, keepalive) = self.open(from, &response);
        assert_eq!(opened, Opened::Reply(OVERHEAD));
        assert_eq!(self.open(to, &keepalive).0, Opened::Nothing);
        let waiting = self.waiting(from);
        assert_eq!(waiting.len(), 1);
        assert_eq!(self.open(to, &waiting[0]).1, packet(1));
    }
}

#[test]
fn packets_wait_for_the_handshake_and_then_arrive_in_order() {
    let mut pair = Pair::new();
    let (sealed, initiation) = pair.seal(0, &packet(1));
    assert_eq!(sealed, Sealed::Handshake(MAX_HANDSHAKE));
    assert_eq!(pair.seal(0, &packet(2)).0, Sealed::Waiting);
    assert_eq!(classify(&initiation), Some(Kind::Initiation));
    let (_, response) = pair.open(1, &initiation);
    assert_eq!(classify(&response), Some(Kind::Response(7)));
    let (_, keepalive) = pair.open(0, &response);
    assert_eq!(classify(&keepalive), Some(Kind::Data(9)));
    pair.open(1, &keepalive);
    let waiting = pair.waiting(0);
    let got: Vec<_> = waiting.iter().map(|m| pair.open(1, m).1).collect();
    assert_eq!(got, [packet(1), packet(2)]);
    assert!(!pair.ends[0].has_waiting());
    assert!(!pair.ends[0].is_establishing());
    let (sealed, message) = pair.seal(1, &packet(3));
    assert_eq!(sealed, Sealed::Data(100 + OVERHEAD));
    assert_eq!(pair.open(0, &message).1, packet(3));
}

#[test]
fn a_replayed_and_a_flipped_message_are_refused() {
    let mut pair = Pair::new();
    pair.establish(0);
    let (_, message) = pair.seal(0, &packet(1));
    let mut flipped = message.clone();
    flipped[40] ^= 1;
    let refused = Opened::Refused(Dropped::NotAuthentic);
    assert_eq!(pair.open(1, &flipped).0, refused);
    assert_eq!(pair.open(1, &message).0, Opened::Packet(100));
    assert_eq!(pair.open(1, &message).0, refused);
}

#[test]
fn a_message_longer_than_the_output_is_refused_and_does_not_panic() {
    let mut pair = Pair::new();
    pair.establish(0);
    let (_, message) = pair.seal(0, &packet(1));
    for len in 0..message.len() {
        let mut out = vec![0; len];
        let opened = pair.ends[1].open(HERE, &message, &mut out, pair.now);
        assert_eq!(opened, Opened::Refused(Dropped::Malformed));
    }
}

#[test]
fn the_initiator_renews_the_session_after_two_minutes_of_traffic() {
    let mut pair = Pair::new();
    pair.establish(0);
    let mut renewed = 0;
    for _ in 0..300 {
        pair.pass(Duration::from_secs(1));
        for end in 0..2 {
            if let Some(message) = pair.tick(end) {
                let to = 1 - end;
                let (_, reply) = pair.open(to, &message);
                if classify(&message) == Some(Kind::Initiation) {
                    renewed += 1;
                    let (_, keepalive) = pair.open(end, &reply);
                    pair.open(to, &keepalive);
                }
            }
            let (sealed, message) = pair.seal(end, &packet(5));
            assert_eq!(
                sealed,
                Sealed::Data(100 + OVERHEAD),
                "never without a session"
            );
            assert_eq!(pair.open(1 - end, &message).1, packet(5));
        }
    }
    assert_eq!(renewed, 2);
}

#[test]
fn the_gate_names_the_initiator_and_refuses_strangers_to_our_key() {
    let mut pair = Pair::new();
    let (_, initiation) = pair.seal(0, &packet(1));
    let mut reply = [0; 64];
    assert_eq!(
        pair.gates[1].admit(HERE, &initiation, &mut reply),
        Admission::Admitted
    );
    assert_eq!(
        pair.gates[1].initiator(&initiation),
        Some(secret(1).public())
    );
    assert_eq!(
        pair.gates[0].admit(HERE, &initiation, &mut reply),
        Admission::Refused(Dropped::NotAuthentic)
    );
}

#[test]
fn under_load_initiators_prove_their_address_by_a_cookie() {
    let mut pair = Pair::new();
    let (_, initiation) = pair.seal(0, &packet(1));
    let mut reply = [0; 64];
    for _ in 0..HANDSHAKES_PER_SECOND {
        let admission = pair.gates[1].admit(HERE, &initiation, &mut reply);
        assert_eq!(admission, Admission::Admitted);
    }
    let admission = pair.gates[1].admit(HERE, &initiation, &mut reply);
    assert_eq!(admission, Admission::Cookie(64));
    assert_eq!(classify(&reply), Some(Kind::Cookie(7)));
    assert_eq!(pair.open(0, &reply).0, Opened::Nothing);
    let mut again = [0; MAX_HANDSHAKE];
    assert!(pair.ends[0].retry_handshake(&mut again).is_some());
    let admission = pair.gates[1].admit(HERE, &again, &mut reply);
    assert_eq!(admission, Admission::Admitted);
    pair.pass(Duration::from_secs(1));
    let admission = pair.gates[1].admit(HERE, &initiation, &mut reply);
    assert_eq!(admission, Admission::Admitted);
}
