use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use simnet::clock::Clock;
use wire::{filter::DstPorts, net::PortRange};

use super::{reference::Reference, *};

const ADDRESSES: u8 = 4;
const PORTS: [u16; 6] = [0, 22, 80, 443, 40_000, 65_535];

fn v4(n: u8) -> IpAddr {
    Ipv4Addr::new(100, 64, 0, n).into()
}

fn v6(n: u8) -> IpAddr {
    Ipv6Addr::new(0xfd7a, 0, 0, 0, 0, 0, 0, n.into()).into()
}

/// A packet in a small world.
#[derive(Debug, Clone)]
struct Shape {
    is_v6: bool,
    src: u8,
    dst: u8,
    fragment: Option<(u16, u16, bool)>,
    upper: UpperShape,
}

#[derive(Debug, Clone)]
enum UpperShape {
    Tcp(u16, u16, u8),
    Udp(u16, u16),
    Icmp(u8, u16),
    /// An ICMP error about a packet.
    Error(Box<Shape>),
    Raw(u8),
}

impl Shape {
    fn addr(&self, n: u8) -> IpAddr {
        if self.is_v6 { v6(n) } else { v4(n) }
    }

    fn bytes(&self) -> Vec<u8> {
        let upper = self.upper.bytes(self.is_v6);
        let protocol = self.upper.protocol(self.is_v6);
        let fragment = self.fragment.map(|(id, offset, more)| {
            let offset = offset * 8;
            (id, offset, more)
        });
        match (self.addr(self.src), self.addr(self.dst)) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let mut p = vec![0; 20];
                p[0] = 0x45;
                let len = u16::try_from(20 + upper.len()).unwrap();
                p[2..4].copy_from_slice(&len.to_be_bytes());
                if let Some((id, offset, more)) = fragment {
                    p[4..6].copy_from_slice(&id.to_be_bytes());
                    let field = (offset / 8) | if more { 0x2000 } else { 0 };
                    p[6..8].copy_from_slice(&field.to_be_bytes());
                }
                p[9] = protocol;
                p[12..16].copy_from_slice(&src.octets());
                p[16..20].copy_from_slice(&dst.octets());
                p.extend(upper);
                p
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let mut p = vec![0; 40];
                p[0] = 0x60;
                p[6] = protocol;
                p[8..24].copy_from_slice(&src.octets());
                p[24..40].copy_from_slice(&dst.octets());
                if let Some((id, offset, more)) = fragment {
                    p[6] = 44;
                    let field = offset | u16::from(more);
                    p.extend([protocol, 0]);
                    p.extend(field.to_be_bytes());
                    p.extend(u32::from(id).to_be_bytes());
                }
                p.extend(upper);
                let len = u16::try_from(p.len() - 40).unwrap();
                p[4..6].copy_from_slice(&len.to_be_bytes());
                p
            }
            _ => unreachable!("one family"),
        }
    }
}

impl UpperShape {
    fn protocol(&self, is_v6: bool) -> u8 {
        match self {
            Self::Tcp(..) => protocol::TCP,
            Self::Udp(..) => protocol::UDP,
            Self::Icmp(..) | Self::Error(_) if is_v6 => protocol::ICMPV6,
            Self::Icmp(..) | Self::Error(_) => protocol::ICMP,
            Self::Raw(protocol) => *protocol,
        }
    }

    fn bytes(&self, is_v6: bool) -> Vec<u8> {
        let mut p = vec![0; 20];
        match self {
            Self::Tcp(src, dst, flags) => {
                p[..2].copy_from_slice(&src.to_be_bytes());
                p[2..4].copy_from_slice(&dst.to_be_bytes());
                p[12] = 0x50;
                p[13] = *flags;
            }
            Self::Udp(src, dst) => {
                p[..2].copy_from_slice(&src.to_be_bytes());
                p[2..4].copy_from_slice(&dst.to_be_bytes());
            }
            Self::Icmp(kind, id) => {
                p[0] = *kind;
                p[4..6].copy_from_slice(&id.to_be_bytes());
            }
            Self::Error(about) => {
                p.truncate(8);
                p[0] = if is_v6 { 1 } else { 3 };
                p.extend(about.bytes());
            }
            Self::Raw(_) => {}
        }
        p
    }
}

fn port() -> impl Strategy<Value = u16> {
    prop::sample::select(PORTS.to_vec())
}

fn upper() -> impl Strategy<Value = UpperShape> {
    let flags = prop::sample::select(vec![0x02, 0x12, 0x10, 0x11, 0x04]);
    prop_oneof![
        4 => (port(), port(), flags).prop_map(|(s, d, f)| UpperShape::Tcp(s, d, f)),
        4 => (port(), port()).prop_map(|(s, d)| UpperShape::Udp(s, d)),
        3 => (prop::sample::select(vec![0, 8, 13, 128, 129, 133]), 0_u16..3)
            .prop_map(|(k, id)| UpperShape::Icmp(k, id)),
        1 => prop::sample::select(vec![1, 47, 58, 132]).prop_map(UpperShape::Raw),
    ]
}

fn flat_shape() -> impl Strategy<Value = Shape> {
    let fragment = prop::option::weighted(0.2, (0_u16..2, 0_u16..4, any::<bool>()));
    (any::<bool>(), 0..ADDRESSES, 0..ADDRESSES, fragment, upper()).prop_map(
        |(is_v6, src, dst, fragment, upper)| Shape {
            is_v6,
            src,
            dst,
            fragment,
            upper,
        },
    )
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        6 => flat_shape(),
        1 => (flat_shape(), flat_shape()).prop_map(|(outer, about)| Shape {
            is_v6: about.is_v6,
            upper: UpperShape::Error(Box::new(about)),
            fragment: None,
            ..outer
        }),
    ]
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0_u8..3).prop_map(|n| format!("cap:warren-src-{n}")),
        2 => (any::<bool>(), 0..ADDRESSES).prop_map(|(six, n)| if six { v6(n) } else { v4(n) }.to_string()),
        1 => (0..ADDRESSES, 0..ADDRESSES).prop_map(|(a, b)| format!("{}-{}", v4(a), v4(b))),
        1 => prop::sample::select(vec!["*", "100.64.0.0/31", "100.64.0.1/31", "fd7a::/127", "nonsense", ""])
            .prop_map(str::to_owned),
    ]
}

fn destination() -> impl Strategy<Value = DstPorts> {
    let ip = prop_oneof![
        3 => (any::<bool>(), 0..ADDRESSES).prop_map(|(six, n)| if six { v6(n) } else { v4(n) }.to_string()),
        2 => prop::sample::select(vec!["*", "100.64.0.0/30", "fd7a::/126", "100.64.0.2-100.64.0.1", "x"])
            .prop_map(str::to_owned),
    ];
    let ports = prop_oneof![
        1 => Just(PortRange::ANY),
        2 => (port(), port()).prop_map(|(first, last)| PortRange { first, last }),
    ];
    (ip, ports).prop_map(|(ip, ports)| DstPorts { ip, ports })
}

fn rule() -> impl Strategy<Value = FilterRule> {
    (
        prop::collection::vec(source(), 0..3),
        // Few and many are found in different ways.
        prop_oneof![
            9 => prop::collection::vec(destination(), 0..3),
            1 => prop::collection::vec(destination(), 15..40),
        ],
        prop::collection::vec(prop::sample::select(vec![1, 6, 17, 47, 58, -1, 300]), 0..3),
    )
        .prop_map(|(src_ips, dst_ports, ip_proto)| FilterRule {
            src_ips,
            dst_ports,
            ip_proto,
            cap_grant: Vec::new(),
        })
}

#[derive(Debug, Clone)]
enum Step {
    Rules(Vec<FilterRule>),
    Holders(Vec<Vec<u8>>),
    In(Shape),
    Out(Shape),
    /// The answer to what came in or went out this many steps ago.
    Back(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => prop::collection::vec(rule(), 0..6).prop_map(Step::Rules),
        1 => prop::collection::vec(prop::collection::vec(0_u8..3, 0..3), usize::from(ADDRESSES))
            .prop_map(Step::Holders),
        6 => shape().prop_map(Step::In),
        4 => shape().prop_map(Step::Out),
        4 => (0_usize..6).prop_map(Step::Back),
    ]
}

fn answer(shape: &Shape) -> Shape {
    let upper = match &shape.upper {
        UpperShape::Tcp(s, d, _) => UpperShape::Tcp(*d, *s, tcp::ACK),
        UpperShape::Udp(s, d) => UpperShape::Udp(*d, *s),
        UpperShape::Icmp(8, id) => UpperShape::Icmp(0, *id),
        UpperShape::Icmp(128, id) => UpperShape::Icmp(129, *id),
        other @ (UpperShape::Icmp(..) | UpperShape::Error(_) | UpperShape::Raw(_)) => other.clone(),
    };
    Shape {
        src: shape.dst,
        dst: shape.src,
        upper,
        ..shape.clone()
    }
}

type Holders = Vec<(IpAddr, Vec<String>)>;

fn holders(sets: &[Vec<u8>]) -> Holders {
    (0..ADDRESSES)
        .zip(sets)
        .flat_map(|(n, set)| {
            let names: Vec<_> = set.iter().map(|c| format!("warren-src-{c}")).collect();
            [(v4(n), names.clone()), (v6(n), names)]
        })
        .collect()
}

fn sources(holders: &Holders) -> Sources {
    let mut sources = Sources::default();
    for (addr, names) in holders {
        sources.insert(*addr, names.iter().map(String::as_str));
    }
    sources
}

/// The first two addresses of each family are our own.
fn local() -> Vec<Prefix> {
    (0..2)
        .flat_map(|n| [Prefix::host(v4(n)), Prefix::host(v6(n))])
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// On every packet, through every change of rules, as the obvious filter.
    #[test]
    fn it_judges_as_the_reference(steps in prop::collection::vec(step(), 1..80)) {
        let now = Clock::new().now();
        let (mut filter, mut reference) = (Filter::default(), Reference::default());
        let (mut rules, mut held) = (Vec::new(), Vec::new());
        let mut sent: Vec<(bool, Shape)> = Vec::new();
        for step in steps {
            let (is_in, shape) = match step {
                Step::Rules(new) => {
                    rules = new;
                    filter.set_rules(&rules, sources(&held), &local(), now);
                    reference.set_rules(&rules, &held, &local());
                    continue;
                }
                Step::Holders(sets) => {
                    held = holders(&sets);
                    filter.set_rules(&rules, sources(&held), &local(), now);
                    reference.set_rules(&rules, &held, &local());
                    continue;
                }
                Step::In(shape) => (true, shape),
                Step::Out(shape) => (false, shape),
                Step::Back(ago) => match sent.iter().rev().nth(ago) {
                    Some((was_in, shape)) => (!was_in, answer(shape)),
                    None => continue,
                },
            };
            let bytes = shape.bytes();
            sent.push((is_in, shape));
            let Ok(packet) = Packet::parse(&bytes) else { continue };
            if is_in {
                prop_assert_eq!(filter.check_in(&packet, now), reference.check_in(&packet), "{:?}", packet);
            } else {
                prop_assert_eq!(filter.check_out(&packet, now), reference.check_out(&packet), "{:?}", packet);
            }
        }
    }

    /// A rule more never refuses what passed without it.
    #[test]
    fn more_rules_never_allow_less(
        rules in prop::collection::vec(rule(), 0..6),
        extra in rule(),
        shapes in prop::collection::vec(shape(), 1..20),
    ) {
        let now = Clock::new().now();
        for shape in shapes {
            let bytes = shape.bytes();
            let Ok(packet) = Packet::parse(&bytes) else { continue };
            let mut filter = Filter::default();
            filter.set_rules(&rules, Sources::default(), &local(), now);
            let without = filter.check_in(&packet, now);
            let mut more = rules.clone();
            more.push(extra.clone());
            let mut filter = Filter::default();
            filter.set_rules(&more, Sources::default(), &local(), now);
            let with = filter.check_in(&packet, now);
            prop_assert!(with == Verdict::Allow || without == Verdict::Refuse);
        }
    }
}

// === facts ===

struct World {
    filter: Filter,
    now: Instant,
}

impl World {
    fn new(rules: &[FilterRule]) -> Self {
        let now = Clock::new().now();
        let mut world = Self {
            filter: Filter::default(),
            now,
        };
        world.set(rules);
        world
    }

    fn set(&mut self, rules: &[FilterRule]) {
        self.filter
            .set_rules(rules, Sources::default(), &local(), self.now);
    }

    fn is_let_in(&mut self, upper: UpperShape) -> bool {
        let bytes = from_peer(upper).bytes();
        self.filter
            .check_in(&Packet::parse(&bytes).unwrap(), self.now)
            == Verdict::Allow
    }

    fn is_let_out(&mut self, upper: UpperShape) -> bool {
        let shape = from_peer(upper);
        let bytes = Shape {
            src: shape.dst,
            dst: shape.src,
            ..shape
        }
        .bytes();
        self.filter
            .check_out(&Packet::parse(&bytes).unwrap(), self.now)
            == Verdict::Allow
    }
}

fn from_peer(upper: UpperShape) -> Shape {
    Shape {
        is_v6: false,
        src: 3,
        dst: 1,
        fragment: None,
        upper,
    }
}

fn open(port: u16) -> FilterRule {
    FilterRule {
        src_ips: vec!["*".to_owned()],
        dst_ports: vec![DstPorts {
            ip: v4(1).to_string(),
            ports: PortRange::one(port),
        }],
        ..FilterRule::default()
    }
}

const SYN: u8 = tcp::SYN;
const ACK: u8 = tcp::ACK;

#[test]
fn nothing_comes_in_without_rules() {
    let mut world = World {
        filter: Filter::default(),
        now: Clock::new().now(),
    };
    assert!(!world.is_let_in(UpperShape::Tcp(40_000, 22, SYN)));
    assert!(!world.is_let_in(UpperShape::Icmp(8, 1)));
    world.set(&[]);
    assert!(!world.is_let_in(UpperShape::Udp(40_000, 53)));
}

#[test]
fn echo_passes_to_an_address_with_any_port_open() {
    let mut world = World::new(&[open(22)]);
    assert!(world.is_let_in(UpperShape::Icmp(8, 1)));
    assert!(
        !world.is_let_in(UpperShape::Icmp(13, 1)),
        "a timestamp request"
    );
    assert!(
        !world.is_let_in(UpperShape::Icmp(0, 1)),
        "a reply to nothing"
    );
    assert!(world.is_let_out(UpperShape::Icmp(8, 7)));
    assert!(world.is_let_in(UpperShape::Icmp(0, 7)));
}

#[test]
fn answers_to_what_we_opened_pass() {
    let mut world = World::new(&[]);
    assert!(!world.is_let_in(UpperShape::Tcp(443, 40_000, SYN | ACK)));
    assert!(world.is_let_out(UpperShape::Tcp(40_000, 443, SYN)));
    assert!(world.is_let_in(UpperShape::Tcp(443, 40_000, SYN | ACK)));
    assert!(!world.is_let_in(UpperShape::Tcp(443, 40_001, ACK)));
}

#[test]
fn an_open_flow_ends_with_its_rule_and_lives_again_with_it() {
    let mut world = World::new(&[open(80), open(22)]);
    assert!(world.is_let_in(UpperShape::Tcp(40_000, 80, SYN)));
    assert!(world.is_let_out(UpperShape::Tcp(80, 40_000, ACK)));
    world.set(&[open(22)]);
    assert!(!world.is_let_in(UpperShape::Tcp(40_000, 80, ACK)));
    assert!(
        !world.is_let_out(UpperShape::Tcp(80, 40_000, ACK)),
        "not by our own packets either"
    );
    assert!(!world.is_let_in(UpperShape::Tcp(40_000, 80, ACK)));
    world.set(&[open(80)]);
    assert!(world.is_let_out(UpperShape::Tcp(80, 40_000, ACK)));
    assert!(world.is_let_in(UpperShape::Tcp(40_000, 80, ACK)));
}

#[test]
fn a_connection_older_than_the_filter_is_taken_for_what_its_ports_say() {
    let mut world = World::new(&[]);
    assert!(world.is_let_out(UpperShape::Tcp(40_000, 22, ACK)));
    assert!(world.is_let_in(UpperShape::Tcp(22, 40_000, ACK)));
    assert!(world.is_let_out(UpperShape::Tcp(80, 40_000, ACK)));
    assert!(!world.is_let_in(UpperShape::Tcp(40_000, 80, ACK)));
}

#[test]
fn an_error_passes_only_when_it_is_about_a_packet_of_ours() {
    let mut world = World::new(&[]);
    let sent = Shape {
        src: 1,
        dst: 3,
        ..from_peer(UpperShape::Udp(40_000, 53))
    };
    let error = || UpperShape::Error(Box::new(sent.clone()));
    assert!(!world.is_let_in(error()));
    assert!(world.is_let_out(UpperShape::Udp(40_000, 53)));
    assert!(world.is_let_in(error()));
}

#[test]
fn later_fragments_follow_the_first() {
    let mut world = World::new(&[open(53)]);
    let piece = |offset, more| Shape {
        fragment: Some((7, offset, more)),
        ..from_peer(UpperShape::Udp(40_000, 53))
    };
    let mut passes = |shape: Shape| {
        let bytes = shape.bytes();
        let packet = Packet::parse(&bytes).unwrap();
        world.filter.check_in(&packet, world.now) == Verdict::Allow
    };
    assert!(!passes(piece(10, false)), "nobody has seen the ports");
    assert!(passes(piece(0, true)));
    assert!(passes(piece(10, false)));
}

#[test]
fn a_decision_is_not_looked_for_among_all_rules() {
    // Each rule names another source: were they walked for each packet, this
    // test would take minutes.
    let rules: Vec<_> = (0..20_000_u32)
        .map(|n| FilterRule {
            src_ips: vec![Ipv4Addr::from(0x6441_0000 + n).to_string()],
            ..open(22)
        })
        .collect();
    let mut world = World::new(&rules);
    assert!(!world.is_let_in(UpperShape::Tcp(1, 22, SYN)));
    for port in 0..50_000 {
        assert!(!world.is_let_in(UpperShape::Tcp(port, 22, SYN)));
    }
}
