//! `tests`: flows that the rules must and must not allow.

use std::collections::BTreeMap;

use wire::net::{
    PortRange,
    protocol::{TCP, UDP},
};

use super::{
    Expected, Failure, Outcome, Suite,
    device::{Device, Side},
    subject::{self, World},
};
use crate::{
    class::ClassKey,
    compile::Compiled,
    decide::{Decision, End},
    diagnostic::{Sink, Span},
    document::assertion::AccessTest,
    protocol,
    selector::{SelectorKind, autogroup::Autogroup},
    source::Text,
    target,
};

/// At most this many pairs of devices that differ before the law are tried for one assertion.
const MAX_PAIRS: usize = 20_000;

pub(super) fn run(test: &AccessTest, law: &Compiled, world: &World<'_>, out: &mut Vec<Outcome>) {
    let asks = || {
        let accept = test.accept.iter().map(|t| (Expected::Accept, t));
        accept.chain(test.deny.iter().map(|t| (Expected::Deny, t)))
    };
    let trial = match Trial::new(test, law, world) {
        Ok(trial) => trial,
        Err((span, failure)) => {
            return out.push(outcome(test, Expected::Sense, span, "", Some(failure)));
        }
    };
    if asks().next().is_none() {
        let failure = Failure::new("the test expects nothing")
            .help("write `accept` or `deny` with destinations such as `tag:web:443`");
        out.push(outcome(test, Expected::Sense, test.span, "", Some(failure)));
    }
    out.extend(asks().map(|(expected, text)| {
        let failure = trial.judge(expected, text).err();
        outcome(test, expected, text.span, &text.text, failure)
    }));
}

fn outcome(
    test: &AccessTest,
    expected: Expected,
    span: Span,
    target: &str,
    failure: Option<Failure>,
) -> Outcome {
    let source = test.source.as_ref().map_or("", |t| t.text.as_str());
    let by = test.protocol.as_ref().map(|p| format!(" ({})", p.text));
    let subject = match (source, target) {
        ("", _) => "no source".to_owned(),
        (source, "") => source.to_owned(),
        (source, target) => format!("{source} -> {target}{}", by.unwrap_or_default()),
    };
    Outcome {
        suite: Suite::Access,
        entry: test.index,
        span,
        expected,
        subject,
        failure,
    }
}

/// One entry, its source resolved.
struct Trial<'a> {
    law: &'a Compiled,
    world: &'a World<'a>,
    sources: Vec<Device<'a>>,
    protocols: Vec<u8>,
}

impl<'a> Trial<'a> {
    fn new(
        test: &AccessTest,
        law: &'a Compiled,
        world: &'a World<'a>,
    ) -> Result<Self, (Span, Failure)> {
        let Some(source) = &test.source else {
            let failure = Failure::new("the test has no `src`");
            return Err((
                test.span,
                failure.help("name a user, a group, a tag or a host"),
            ));
        };
        let sources = subject::read(source)
            .and_then(|s| world.devices(&s.kind, Side::Source))
            .map_err(|failure| (source.span, failure))?;
        let protocols = match &test.protocol {
            Some(text) => protocols(text).map_err(|failure| (text.span, failure))?,
            None => vec![TCP, UDP],
        };
        let sources = sources.into_iter();
        let sources = sources.map(|d| d.with(&test.attributes)).collect();
        Ok(Self {
            sources: unalike(law, sources),
            law,
            world,
            protocols,
        })
    }

    fn judge(&self, expected: Expected, text: &Text) -> Result<(), Failure> {
        let (kind, port) = target_of(text, self)?;
        let mut left = MAX_PAIRS;
        let own = kind == SelectorKind::Autogroup(Autogroup::SelfDevices);
        let targets = if own {
            Vec::new()
        } else {
            unalike(self.law, self.world.devices(&kind, Side::Target)?)
        };
        for from in &self.sources {
            let owned;
            let targets = if own {
                owned = self.own_devices(from)?;
                &owned
            } else {
                &targets
            };
            for to in targets {
                left = left.checked_sub(1).ok_or_else(too_many)?;
                self.judge_pair(expected, from, to, port)?;
            }
        }
        Ok(())
    }

    fn own_devices(&self, from: &Device<'a>) -> Result<Vec<Device<'a>>, Failure> {
        let own = self.world.own_devices(from.node.owner(), Side::Target);
        if own.is_empty() {
            return Err(
                Failure::new("the source is no user, who could have devices of his own")
                    .help("test `autogroup:self` with a user or a group as the source"),
            );
        }
        Ok(unalike(self.law, own))
    }

    fn judge_pair(
        &self,
        expected: Expected,
        from: &Device<'_>,
        to: &Device<'_>,
        port: u16,
    ) -> Result<(), Failure> {
        match (expected, self.reach(from, to, port)) {
            (
                Expected::Deny,
                Decision::Allowed {
                    section,
                    rule,
                    span,
                },
            ) => Err(Failure {
                message: format!(
                    "expected deny, but {} allows it",
                    super::rule(rule, section.as_str())
                ),
                help: None,
                rule: Some(span),
            }),
            (Expected::Deny, Decision::Denied) | (_, Decision::Allowed { .. }) => Ok(()),
            (_, Decision::Denied) => Err(self.denied(from, to, port)),
        }
    }

    /// The first rule that allows some of the protocols between some of the addresses.
    fn reach(&self, from: &Device<'_>, to: &Device<'_>, port: u16) -> Decision {
        let mut decisions = self
            .packets(from, to)
            .map(|(from, to, protocol)| self.law.decide(from, to, protocol, port));
        let allowed = decisions.find(Decision::is_allowed);
        allowed.unwrap_or(Decision::Denied)
    }

    /// Every pair of addresses with every protocol.
    fn packets<'d>(
        &'d self,
        from: &'d Device<'_>,
        to: &'d Device<'_>,
    ) -> impl Iterator<Item = (End<'d>, End<'d>, u8)> {
        let pairs = from.addresses.iter().flat_map(|source| {
            let targets = to.addresses.iter();
            let targets = targets.filter(|t| subject::same_family(*source, **t));
            targets.map(|target| (end(from, *source), end(to, *target)))
        });
        pairs.flat_map(|(from, to)| self.protocols.iter().map(move |p| (from, to, *p)))
    }

    fn denied(&self, from: &Device<'_>, to: &Device<'_>, port: u16) -> Failure {
        let at = from.addresses.first().filter(|_| from.real);
        let at = at.map(|a| format!(" from {a}")).unwrap_or_default();
        let failure = Failure::new(format!("expected accept, but no rule allows it{at}"));
        let mut rules = self
            .packets(from, to)
            .filter_map(|(from, to, p)| self.law.allowing_with_posture(from, to, p, port));
        match rules.next() {
            None => failure,
            Some(rule) => failure.help(format!(
                "{} would from a device that meets its posture: \
                 write what the device reports as `srcPostureAttrs`",
                super::rule(rule.index, rule.section.as_str())
            )),
        }
    }
}

fn end<'d>(device: &'d Device<'_>, address: std::net::IpAddr) -> End<'d> {
    End {
        node: &device.node,
        address,
    }
}

fn too_many() -> Failure {
    Failure::new(format!("it means more than {MAX_PAIRS} pairs of devices"))
        .help("test with a single user, tag or host")
}

/// One device of each class: the others fare alike.
fn unalike<'a>(law: &Compiled, devices: Vec<Device<'a>>) -> Vec<Device<'a>> {
    let mut seen: BTreeMap<(ClassKey, bool), Device<'a>> = BTreeMap::new();
    for device in devices {
        let key = (law.class_of(&device.node), device.real);
        seen.entry(key).or_insert(device);
    }
    seen.into_values().collect()
}

/// The numbers of a protocol.
fn protocols(text: &Text) -> Result<Vec<u8>, Failure> {
    let mut sink = Sink::default();
    let Some(read) = protocol::read(text, &mut sink) else {
        return Err(subject::first(sink));
    };
    Ok(read.numbers)
}

/// The destination and its one port; `0` where the protocol has no ports.
fn target_of(text: &Text, trial: &Trial<'_>) -> Result<(SelectorKind, u16), Failure> {
    if trial.protocols.iter().any(|n| !protocol::has_ports(*n)) {
        return portless(text, trial.world);
    }
    let mut sink = Sink::default();
    let Some(target) = target::read(text, &mut sink) else {
        return Err(subject::first(sink));
    };
    let one = "name one port, as in `tag:web:443`";
    let [PortRange { first, last }] = target.ports.as_slice() else {
        return Err(Failure::new("a test names a single port").help(one));
    };
    if first != last {
        return Err(Failure::new("a test names a single port, not a range").help(one));
    }
    one_address(&target.selector.kind, text, trial.world)?;
    Ok((target.selector.kind, *first))
}

/// A destination of a protocol without ports.
fn portless(text: &Text, world: &World<'_>) -> Result<(SelectorKind, u16), Failure> {
    let Some(name) = text.text.strip_suffix(":0") else {
        return Err(Failure::new("the protocol has no ports to test")
            .help("write 0 for the port, as in `tag:web:0`"));
    };
    let name = name
        .strip_prefix('[')
        .and_then(|n| n.strip_suffix(']'))
        .unwrap_or(name);
    let kind = subject::read(&Text {
        span: text.span,
        text: name.to_owned(),
    })?
    .kind;
    one_address(&kind, text, world)?;
    Ok((kind, 0))
}

/// Prefixes cannot be tested.
fn one_address(kind: &SelectorKind, text: &Text, world: &World<'_>) -> Result<(), Failure> {
    let written_as_prefix = matches!(kind, SelectorKind::Prefix(_)) && text.text.contains('/');
    let prefix = world.prefix(kind).is_some_and(|p| !p.is_host());
    if written_as_prefix || prefix {
        return Err(Failure::new(format!("`{kind}` stands for a prefix"))
            .help("test a single address, written without a length"));
    }
    Ok(())
}
