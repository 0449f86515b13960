//! `cargo bench -p mesh`: what the packet filter costs by packet, by the number of rules.
//!
//! Each rule has a source of its own and a port of its own, as where every
//! person has a rule; half of the sources are named by capability. Where rules
//! are shared, every second one holds for all of the mesh besides.

#![expect(clippy::disallowed_methods, reason = "a bench has no clock to ask")]

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mesh::{
    filter::{Filter, Sources},
    packet::Packet,
};
use wire::{
    filter::{DstPorts, FilterRule},
    net::{PortRange, Prefix},
};

const COUNTS: [u32; 3] = [10, 1_000, 50_000];
const OWN: Ipv4Addr = Ipv4Addr::new(100, 127, 0, 1);

fn peer(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x6440_0001 + n)
}

fn port(n: u32) -> u16 {
    u16::try_from(1_024 + n % 60_000).unwrap_or(u16::MAX)
}

fn filter(count: u32, is_shared: bool, now: Instant) -> Filter {
    let mut sources = Sources::default();
    let rules: Vec<FilterRule> = (0..count)
        .map(|n| {
            let name = format!("warren-src-{n}");
            let source = if n % 2 == 0 {
                peer(n).to_string()
            } else {
                sources.insert(peer(n).into(), std::iter::once(name.as_str()));
                format!("cap:{name}")
            };
            let all = (is_shared && n % 2 == 0).then(|| "100.64.0.0/10".to_owned());
            FilterRule {
                src_ips: std::iter::once(source).chain(all).collect(),
                dst_ports: vec![DstPorts {
                    ip: "*".to_owned(),
                    ports: PortRange {
                        first: port(n),
                        last: port(n),
                    },
                }],
                ip_proto: vec![6],
                ..FilterRule::default()
            }
        })
        .collect();
    let mut filter = Filter::default();
    let local = [Prefix::host(IpAddr::V4(OWN))];
    filter.set_rules(&rules, sources, &local, now);
    filter
}

/// A TCP segment that asks peer `n`'s connection to port `port`.
fn syn(n: u32, source_port: u16, port: u16) -> Vec<u8> {
    let mut p = vec![0; 40];
    p[0] = 0x45;
    p[2..4].copy_from_slice(&40_u16.to_be_bytes());
    p[9] = 6;
    p[12..16].copy_from_slice(&peer(n).octets());
    p[16..20].copy_from_slice(&OWN.octets());
    p[20..22].copy_from_slice(&source_port.to_be_bytes());
    p[22..24].copy_from_slice(&port.to_be_bytes());
    p[32] = 0x50;
    p[33] = 0x02;
    p
}

fn decide(c: &mut Criterion) {
    let mut group = c.benchmark_group("packet_filter");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    let now = Instant::now();
    for count in COUNTS {
        let middle = count / 2;
        let mut known = filter(count, false, now);
        let bytes = syn(middle, 40_000, port(middle));
        let packet = Packet::parse(&bytes).expect("a packet");
        group.bench_function(BenchmarkId::new("packet of a known flow", count), |b| {
            b.iter(|| black_box(known.check_in(black_box(&packet), now)));
        });
        let mut refusing = filter(count, false, now);
        let bytes = syn(middle, 40_000, 1);
        let packet = Packet::parse(&bytes).expect("a packet");
        group.bench_function(BenchmarkId::new("packet that no rule allows", count), |b| {
            b.iter(|| black_box(refusing.check_in(black_box(&packet), now)));
        });
        // More sources than flows are kept, so that none is remembered.
        let all: Vec<Vec<u8>> = (0..50_000).map(|n| syn(n % count, 40_000, 1)).collect();
        let packets: Vec<Packet<'_>> = all.iter().filter_map(|b| Packet::parse(b).ok()).collect();
        for (name, is_shared) in [
            ("packets of all sources in turn", false),
            ("the same where rules are shared", true),
        ] {
            let mut fresh = filter(count, is_shared, now);
            let mut next = packets.iter().cycle();
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter(|| {
                    let packet = next.next().expect("a cycle has no end");
                    black_box(fresh.check_in(black_box(packet), now))
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
