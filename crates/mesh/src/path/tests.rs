use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use simnet::clock::Clock;

use super::*;

const RELAY: RegionId = RegionId(900);
const MS: Duration = Duration::from_millis(1);

fn addr(n: u8) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, n], 41_641))
}

/// A path with its clock, its randomness and what it has sent.
struct Bench {
    path: PathAgent,
    rng: ChaCha20Rng,
    now: Instant,
    sent: Vec<Action>,
}

impl Bench {
    fn new(endpoints: &[u8]) -> Self {
        let mut path = PathAgent::default();
        let now = Clock::new().now();
        let endpoints: Vec<_> = endpoints.iter().map(|n| addr(*n)).collect();
        path.set_endpoints(&endpoints, now);
        path.set_relay(Some(RELAY));
        let rng = ChaCha20Rng::from_seed([1; 32]);
        Self {
            path,
            rng,
            now,
            sent: Vec::new(),
        }
    }

    /// Moves time, letting timers fire on their way.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.path.poll_timeout(self.now).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.path.handle_timeout(self.now, &mut self.rng);
            self.collect();
        }
        self.now = until;
    }

    fn send(&mut self) -> Route {
        let route = self.path.route(self.now);
        if self.path.note_sent(self.now) {
            self.path.handle_timeout(self.now, &mut self.rng);
        }
        self.collect();
        route
    }

    fn collect(&mut self) {
        self.sent.extend(self.path.take_actions());
    }

    /// The addresses pinged since the last call, in order.
    fn pings(&mut self) -> Vec<(SocketAddr, TxId)> {
        self.collect();
        let direct = |a: Action| match a {
            Action::Ping(PathAddr::Direct(addr), tx) => Some((addr, tx)),
            Action::Ping(PathAddr::Relay(_), _) | Action::Call(_) => None,
        };
        let pings = self.sent.iter().copied().filter_map(direct).collect();
        self.sent.clear();
        pings
    }

    fn answer(&mut self, tx: &TxId) {
        self.path.handle_pong(tx, self.now).unwrap();
        self.collect();
    }

    /// Sends, pings and answers until the path is direct.
    fn establish(&mut self, n: u8) {
        self.send();
        let pings = self.pings();
        let (_, tx) = pings.iter().find(|(a, _)| *a == addr(n)).unwrap();
        self.now += 20 * MS;
        self.answer(tx);
        assert_eq!(self.path.shown(self.now), Some(PathAddr::Direct(addr(n))));
    }
}

const BOTH: Route = Route {
    direct: None,
    relay: Some(RELAY),
};

#[test]
fn packets_go_through_the_relay_until_a_ping_is_answered() {
    let mut bench = Bench::new(&[1, 2]);
    assert_eq!(bench.send(), BOTH);
    assert!(bench.sent.contains(&Action::Call(RELAY)));
    bench.establish_second();
}

impl Bench {
    fn establish_second(&mut self) {
        let pings = self.pings();
        assert_eq!(pings.len(), 2);
        self.now += 20 * MS;
        self.answer(&pings[1].1);
        let direct = Some(pings[1].0);
        assert_eq!(
            self.send(),
            Route {
                direct,
                relay: None
            }
        );
    }
}

#[test]
fn a_path_without_answers_is_backed_by_the_relay_and_kept() {
    let mut bench = Bench::new(&[1]);
    bench.establish(1);
    bench.pass(probe::TRUST);
    let route = Route {
        direct: Some(addr(1)),
        relay: Some(RELAY),
    };
    assert_eq!(bench.send(), route);
    let (_, tx) = *bench.pings().last().unwrap();
    bench.answer(&tx);
    assert_eq!(bench.send().relay, None);
}

#[test]
fn heartbeats_stop_with_the_traffic() {
    let mut bench = Bench::new(&[1]);
    bench.establish(1);
    bench.pass(10 * probe::HEARTBEAT);
    assert!(bench.pings().len() >= 9);
    bench.pass(probe::SESSION);
    bench.pings();
    bench.pass(10 * probe::HEARTBEAT);
    assert_eq!(bench.pings(), vec![]);
}

#[test]
fn one_address_is_not_pinged_twice_within_the_pause() {
    let mut bench = Bench::new(&[1]);
    for _ in 0..49 {
        bench.send();
        bench.now += 100 * MS;
    }
    assert_eq!(bench.pings().len(), 1);
    bench.now += 100 * MS;
    bench.send();
    assert_eq!(bench.pings().len(), 1);
}

#[test]
fn a_slow_path_is_improved_once_a_minute_and_a_fast_one_left_alone() {
    for (rtt, others) in [(1, 0), (50, 1)] {
        let mut bench = Bench::new(&[1, 2]);
        bench.send();
        let first = bench.pings();
        bench.now += rtt * MS;
        bench.answer(&first[0].1);
        let mut second = 0;
        for _ in 0..61_000 / rtt {
            bench.send();
            let pings = bench.pings();
            bench.pass(rtt * MS);
            for (to, tx) in pings {
                if to == first[0].0 {
                    bench.answer(&tx);
                } else {
                    second += 1;
                }
            }
        }
        assert_eq!(second, others, "with {rtt} ms");
    }
}

#[test]
fn a_call_has_every_listed_address_pinged_at_once_but_not_too_often() {
    let mut bench = Bench::new(&[]);
    let listed = [addr(1), addr(2)];
    bench.path.handle_call(&listed, bench.now, &mut bench.rng);
    assert_eq!(bench.pings().len(), 2);
    bench.now += 1000 * MS;
    bench.path.handle_call(&listed, bench.now, &mut bench.rng);
    assert_eq!(bench.pings().len(), 0);
}

#[test]
fn a_ping_from_a_new_address_is_pinged_back_and_doubts_the_old_one() {
    let mut bench = Bench::new(&[1]);
    bench.establish(1);
    bench.pings();
    bench.path.handle_ping(addr(9), bench.now, &mut bench.rng);
    let pinged: Vec<_> = bench.pings().into_iter().map(|(a, _)| a).collect();
    assert_eq!(pinged, vec![addr(1), addr(9)]);
    assert_eq!(bench.send().relay, Some(RELAY));
}

#[test]
fn strangers_cannot_make_us_remember_without_end() {
    let mut bench = Bench::new(&[]);
    for n in 1..=200 {
        bench.path.handle_ping(addr(n), bench.now, &mut bench.rng);
    }
    assert!(bench.path.candidates.len() <= MAX_HEARD);
}

#[test]
fn a_pong_that_nobody_asked_for_proves_nothing() {
    let mut bench = Bench::new(&[1]);
    bench.send();
    assert_eq!(bench.path.handle_pong(&[0; 12], bench.now), None);
    assert_eq!(bench.send(), BOTH);
}

#[test]
fn a_change_of_network_tries_everything_again() {
    let mut bench = Bench::new(&[1, 2]);
    bench.establish(1);
    bench.pings();
    bench.path.link_changed(bench.now, &mut bench.rng);
    assert_eq!(bench.pings().len(), 2);
    assert_eq!(bench.send().relay, Some(RELAY));
}

#[derive(Debug, Clone)]
enum Step {
    Send,
    Pass(u16),
    Answer(prop::sample::Index),
    Ping(u8),
    Call(Vec<u8>),
    Netmap(Vec<u8>),
    LinkChanged,
}

fn step() -> impl Strategy<Value = Step> {
    let addrs = || prop::collection::vec(1u8..12, 0..5);
    prop_oneof![
        4 => Just(Step::Send),
        4 => (0u16..8000).prop_map(Step::Pass),
        4 => any::<prop::sample::Index>().prop_map(Step::Answer),
        2 => (1u8..12).prop_map(Step::Ping),
        1 => addrs().prop_map(Step::Call),
        1 => addrs().prop_map(Step::Netmap),
        1 => Just(Step::LinkChanged),
    ]
}

proptest! {
    /// Whatever happens: packets always have a way, a direct one alone only
    /// right after proof, and unasked pings keep their pause.
    #[test]
    fn a_packet_always_has_a_proved_way_or_the_relay(steps in prop::collection::vec(step(), 1..120)) {
        let mut bench = Bench::new(&[1, 2]);
        let mut open: Vec<(SocketAddr, TxId)> = Vec::new();
        let mut proved: BTreeMap<SocketAddr, Instant> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Send => {
                    let route = bench.send();
                    match (route.direct, route.relay) {
                        (Some(addr), None) => {
                            let at = proved.get(&addr).copied();
                            prop_assert!(at.is_some_and(|at| bench.now < at + probe::TRUST));
                        }
                        (_, relay) => prop_assert_eq!(relay, Some(RELAY)),
                    }
                }
                Step::Pass(ms) => bench.pass(MS * u32::from(ms)),
                Step::Answer(index) if !open.is_empty() => {
                    let (addr, tx) = open.swap_remove(index.index(open.len()));
                    if bench.path.handle_pong(&tx, bench.now).is_some() {
                        proved.insert(addr, bench.now);
                    }
                }
                Step::Answer(_) => {}
                Step::Ping(n) => bench.path.handle_ping(addr(n), bench.now, &mut bench.rng),
                Step::Call(list) => {
                    let list: Vec<_> = list.into_iter().map(addr).collect();
                    bench.path.handle_call(&list, bench.now, &mut bench.rng);
                }
                Step::Netmap(list) => {
                    let list: Vec<_> = list.into_iter().map(addr).collect();
                    bench.path.set_endpoints(&list, bench.now);
                }
                Step::LinkChanged => bench.path.link_changed(bench.now, &mut bench.rng),
            }
            open.extend(bench.pings());
            prop_assert!(bench.path.is_consistent());
        }
    }
}
