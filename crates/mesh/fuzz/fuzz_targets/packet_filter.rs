//! Any packets, in and out, with rules changing between them: the filter decides as the obvious one does.
#![no_main]

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use libfuzzer_sys::fuzz_target;
use mesh::{
    filter::{Filter, Sources, reference::Reference},
    packet::Packet,
};
use wire::{
    filter::{DstPorts, FilterRule},
    net::{PortRange, Prefix},
};

fn rule(spec: [u8; 4]) -> FilterRule {
    let [source, protocol, first, last] = spec;
    FilterRule {
        src_ips: vec![match source % 4 {
            0 => "*".to_owned(),
            1 => "100.64.0.2".to_owned(),
            2 => "100.64.0.0/30".to_owned(),
            _ => "fd7a:115c:a1e0::2".to_owned(),
        }],
        dst_ports: vec![DstPorts {
            ip: if source & 4 == 0 { "*" } else { "100.64.0.1" }.to_owned(),
            ports: PortRange {
                first: first.min(last).into(),
                last: first.max(last).into(),
            },
        }],
        ip_proto: match protocol % 4 {
            0 => vec![],
            1 => vec![6],
            2 => vec![17],
            _ => vec![1, 58],
        },
        ..FilterRule::default()
    }
}

fuzz_target!(|input: (Vec<[u8; 4]>, Vec<[u8; 4]>, Vec<(bool, Vec<u8>)>)| {
    let (before, after, packets) = input;
    let local: [Prefix; 2] = ["100.64.0.1/32", "fd7a:115c:a1e0::1/128"].map(|p| p.parse().unwrap());
    let holders: Vec<(IpAddr, Vec<String>)> = Vec::new();
    let (mut filter, mut obvious) = (Filter::default(), Reference::default());
    let start = Instant::now();
    let half = packets.len() / 2;
    for (n, (inward, bytes)) in packets.iter().enumerate() {
        if n == 0 || n == half {
            let rules = if n == 0 { &before } else { &after };
            let rules: Vec<FilterRule> = rules.iter().take(8).map(|r| rule(*r)).collect();
            filter.set_rules(&rules, Sources::default(), &local, start);
            obvious.set_rules(&rules, &holders, &local);
        }
        let Ok(packet) = Packet::parse(bytes) else {
            continue;
        };
        let now = start + Duration::from_millis(n as u64);
        let (is, should) = if *inward {
            (filter.check_in(&packet, now), obvious.check_in(&packet))
        } else {
            (filter.check_out(&packet, now), obvious.check_out(&packet))
        };
        assert_eq!(is, should, "packet {n}: {packet:?}");
    }
});
