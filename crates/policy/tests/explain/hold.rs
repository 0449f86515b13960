//! Answers about places, held against decisions about their addresses.

use std::net::IpAddr;

use policy::{
    Compiled, End, Explainer, NodeFacts,
    explain::{Case, Device, Explanation, Spot, Typed, Verdict},
};
use wire::net::PortRange;

use crate::sent::Sent;

/// A tenant whose answers are held.
pub(crate) struct Scene<'a> {
    pub(crate) explainer: &'a Explainer<'a>,
    pub(crate) law: &'a Compiled,
    pub(crate) nodes: &'a [NodeFacts],
    /// The document, for failures.
    pub(crate) text: &'a str,
}

/// An address at a device.
type Held = (usize, IpAddr);

/// First, last and some addresses between.
fn some(spot: &Spot) -> Vec<IpAddr> {
    let Some((first, last)) = spot.ends() else {
        return spot.addresses().collect();
    };
    let between = |n: u128, end: u128| {
        let span = end - n;
        [0, 1, span / 3, span / 2, span - span / 5, span].map(|step| n + step.min(span))
    };
    match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => between(a.to_bits().into(), b.to_bits().into())
            .map(|n| IpAddr::V4(u32::try_from(n).unwrap().into()))
            .to_vec(),
        (IpAddr::V6(a), IpAddr::V6(b)) => between(a.to_bits(), b.to_bits())
            .map(|n| IpAddr::V6(n.into()))
            .to_vec(),
        _ => panic!("a range of two families: {spot:?}"),
    }
}

/// First and last, or both addresses of a device.
fn edges(spot: &Spot) -> Vec<IpAddr> {
    match spot.ends() {
        Some((first, last)) => vec![first, last],
        None => spot.addresses().collect(),
    }
}

/// Pairs of addresses that a case is about: all of them, or those of its example.
fn pairs(case: &Case<Explanation>) -> Vec<(Held, Held)> {
    let (from, to) = if case.is_every_pair {
        (case.from.clone(), case.to.clone())
    } else {
        (vec![case.example.0], vec![case.example.1])
    };
    let mut all = Vec::new();
    for a in &from {
        for b in to.iter().filter(|b| b.device != a.device) {
            for x in some(a) {
                for y in some(b) {
                    all.push(((a.device, x), (b.device, y)));
                }
            }
        }
    }
    all
}

impl Scene<'_> {
    /// Asks about a place or two, and holds the answers against decisions: how many pairs of
    /// addresses were held, how many of them are let through, and how many answers were about a
    /// part of a place.
    pub(crate) fn hold(&self, (from, to): (&str, &str), (proto, port): (u8, u16)) -> [usize; 3] {
        let devices: Vec<Device<'_>> = self
            .nodes
            .iter()
            .map(|facts| Device {
                name: "",
                facts,
                offered: &[],
                is_thought: false,
            })
            .collect();
        let typed = |text: &str| self.explainer.typed(text, &devices);
        let (Ok(from), Ok(to)) = (typed(from), typed(to)) else {
            return [0; 3];
        };
        let ports = [PortRange::one(port)];
        let spots = (&from.spots[..], &to.spots[..]);
        let cases = self
            .explainer
            .explain_all(self.law, &devices, spots, (proto, &ports));
        assert_eq!(cases.left_out, 0);
        self.none_is_left_out(&cases.all, (&from, &to));
        let sent = Sent::new(self.law, self.nodes);
        let (mut held, mut open, mut parts) = (0, 0, 0);
        for case in &cases.all {
            let allowed = case.explanation.verdict == Verdict::Allowed;
            parts += case.to.iter().filter(|s| !to.spots.contains(s)).count();
            parts += case.from.iter().filter(|s| !from.spots.contains(s)).count();
            for (x, y) in pairs(case) {
                if !self.is_asked(x, y) {
                    continue;
                }
                let number = policy::protocol::of_family(proto, y.1.is_ipv4());
                let (x_end, y_end) = (self.end(x), self.end(y));
                // An answer names the router that lets packets in; a denial is about all of them.
                let passes = if allowed {
                    sent.gets_in(x_end, y_end, number, port)
                } else {
                    sent.passes(x_end, y_end, number, port)
                };
                held += 1;
                open += usize::from(passes);
                let why = || format!("{x:?} {y:?} {proto} {port}\n{case:#?}\n{}", self.text);
                assert_eq!(passes, allowed, "{}", why());
            }
        }
        [held, open, parts]
    }

    /// Every pair of addresses is in a case.
    fn none_is_left_out(&self, cases: &[Case<Explanation>], (from, to): (&Typed, &Typed)) {
        for a in &from.spots {
            for b in &to.spots {
                for x in edges(a) {
                    for y in edges(b) {
                        let is_told =
                            |case: &Case<Explanation>| have(&case.from, x) && have(&case.to, y);
                        assert!(
                            !self.is_asked((a.device, x), (b.device, y))
                                || cases.iter().any(is_told),
                            "{x} of {a:?} to {y} of {b:?}\n{cases:#?}\n{}",
                            self.text
                        );
                    }
                }
            }
        }
    }

    /// True for addresses of one family at two devices; an answer about a machine leaves out an
    /// address that was taken away.
    fn is_asked(&self, x: Held, y: Held) -> bool {
        let is_lost = |(at, address): Held| {
            let node = &self.nodes[at];
            let own = address.is_ipv4() && node.addresses.contains(&address);
            own && self.law.class_of(node).is_without_ipv4()
        };
        let one_family = x.1.is_ipv4() == y.1.is_ipv4();
        x.0 != y.0 && one_family && !is_lost(x) && !is_lost(y)
    }

    fn end(&self, (at, address): Held) -> End<'_> {
        let node = &self.nodes[at];
        End { node, address }
    }
}

/// True when one of the spots has the address, be it behind another router.
fn have(spots: &[Spot], address: IpAddr) -> bool {
    let has = |spot: &Spot| match spot.ends() {
        Some((first, last)) => first <= address && address <= last,
        None => spot.addresses().any(|own| own == address),
    };
    spots.iter().any(has)
}
