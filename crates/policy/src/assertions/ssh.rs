//! `sshTests`: sign-ins that the rules must and must not allow.

use std::collections::BTreeMap;

use wire::UserId;

use super::{
    Expected, Failure, Outcome, Suite,
    device::{Device, Side},
    subject::{self, World},
};
use crate::{
    diagnostic::Span,
    document::assertion::SshTest,
    selector::{SelectorKind, autogroup::Autogroup},
    source::Text,
    ssh::{SshTable, decide::SshDecision},
};

/// At most this many pairs of devices that differ before the law are tried for one assertion.
const MAX_PAIRS: usize = 20_000;

pub(super) fn run(test: &SshTest, table: &SshTable, world: &World<'_>, out: &mut Vec<Outcome>) {
    let asks = || {
        let accept = test.accept.iter().map(|t| (Expected::Accept, t));
        let check = test.check.iter().map(|t| (Expected::Check, t));
        let deny = test.deny.iter().map(|t| (Expected::Deny, t));
        accept.chain(check).chain(deny)
    };
    let pairs = match pairs(test, world) {
        Ok(pairs) => pairs,
        Err((span, failure)) => {
            return out.push(outcome(
                test,
                Expected::Sense,
                span,
                ("", None),
                Some(failure),
            ));
        }
    };
    if asks().next().is_none() {
        let failure = Failure::new("the test expects nothing")
            .help("write `accept`, `check` or `deny` with names of users of the system");
        let asked = ("", None);
        out.push(outcome(
            test,
            Expected::Sense,
            test.span,
            asked,
            Some(failure),
        ));
    }
    out.extend(asks().map(|(expected, login)| {
        let mut judged = pairs.iter().map(|(at, from, to)| {
            let failure = judge(table, expected, from, to, &login.text).err()?;
            Some((*at, failure))
        });
        let (at, failure) = judged.find_map(|failed| failed).unzip();
        outcome(test, expected, login.span, (&login.text, at), failure)
    }));
}

/// `at`: the place of the destination that fails; without it all are named.
fn outcome(
    test: &SshTest,
    expected: Expected,
    span: Span,
    (login, at): (&str, Option<usize>),
    failure: Option<Failure>,
) -> Outcome {
    let source = test.source.as_ref().map_or("", |t| t.text.as_str());
    let all = test.destinations.iter().enumerate();
    let told = all.filter(|(place, _)| at.is_none_or(|at| at == *place));
    let targets: Vec<&str> = told.map(|(_, t)| t.text.as_str()).collect();
    let targets = targets.join(", ");
    let subject = if login.is_empty() {
        format!("{source} -> {targets}")
    } else {
        format!("{source} -> {login}@{targets}")
    };
    Outcome {
        suite: Suite::Ssh,
        entry: test.index,
        span,
        expected,
        subject,
        failure,
    }
}

/// The destination's place in the test, the source, and a device of that destination.
type Pairs<'a> = Vec<(usize, Device<'a>, Device<'a>)>;

/// Every source with every destination.
fn pairs<'a>(test: &SshTest, world: &World<'a>) -> Result<Pairs<'a>, (Span, Failure)> {
    let Some(source) = &test.source else {
        return Err((test.span, Failure::new("the test has no `src`")));
    };
    let sources = sources(source, world).map_err(|failure| (source.span, failure))?;
    let sources = sources.into_iter().map(|d| d.with(&test.attributes));
    let sources: Vec<Device<'_>> = sources.collect();
    let mut pairs = Vec::new();
    for (at, text) in test.destinations.iter().enumerate() {
        let kind = target_of(text, world).map_err(|failure| (text.span, failure))?;
        let own = kind == SelectorKind::Autogroup(Autogroup::SelfDevices);
        let targets = if own {
            Vec::new()
        } else {
            let all = world.devices(&kind, Side::Target);
            unalike(all.map_err(|failure| (text.span, failure))?)
        };
        for from in &sources {
            let targets = if own {
                own_devices(from, world).map_err(|failure| (text.span, failure))?
            } else {
                targets.clone()
            };
            pairs.extend(targets.into_iter().map(|to| (at, from.clone(), to)));
            if pairs.len() > MAX_PAIRS {
                let failure =
                    Failure::new(format!("it means more than {MAX_PAIRS} pairs of devices"));
                return Err((
                    text.span,
                    failure.help("test with a single user, tag or host"),
                ));
            }
        }
    }
    Ok(pairs)
}

fn sources<'a>(text: &Text, world: &World<'a>) -> Result<Vec<Device<'a>>, Failure> {
    let kind = subject::read(text)?.kind;
    world.devices(&kind, Side::Source).map(unalike)
}

/// What a destination names. One signs in to nodes: an address must be one of theirs.
fn target_of(text: &Text, world: &World<'_>) -> Result<SelectorKind, Failure> {
    let kind = subject::read(text)?.kind;
    let address = world.prefix(&kind).map(|p| p.addr);
    let is_own = |a| world.nodes.iter().any(|n| n.addresses.contains(&a));
    if address.is_some_and(|a| !is_own(a)) {
        return Err(Failure::new(format!(
            "no node of this tenant has the address `{}`",
            text.text
        ))
        .help("name a tag, a user, or the address of a node"));
    }
    Ok(kind)
}

fn own_devices<'a>(from: &Device<'a>, world: &World<'a>) -> Result<Vec<Device<'a>>, Failure> {
    let own = world.own_devices(from.node.owner(), Side::Target);
    if own.is_empty() {
        return Err(Failure::new(
            "the source is no user, who could have devices of his own",
        ));
    }
    Ok(unalike(own))
}

fn judge(
    table: &SshTable,
    expected: Expected,
    from: &Device<'_>,
    to: &Device<'_>,
    login: &str,
) -> Result<(), Failure> {
    // Rules that check are tried first: they are the stricter ones.
    let (rule, span, check) = match table.decide(&from.node, &to.node, login) {
        SshDecision::Allowed { rule, span, check } => (rule, span, check),
        SshDecision::Denied if expected == Expected::Deny => return Ok(()),
        SshDecision::Denied => {
            let expected = expected.as_str();
            let message = format!("expected {expected}, but no rule of `ssh` allows it");
            return Err(Failure::new(message));
        }
    };
    let (does, help) = match (expected, check) {
        (Expected::Accept, false) | (Expected::Check, true) | (Expected::Sense, _) => return Ok(()),
        (Expected::Accept, true) => (
            "asks for a check",
            Some(
                "write the name under `check`; rules that check are tried before rules that accept",
            ),
        ),
        (Expected::Check, false) => ("allows it without a check", None),
        (Expected::Deny, _) => ("allows it", None),
    };
    Err(Failure {
        message: format!(
            "expected {}, but {} {does}",
            expected.as_str(),
            super::rule(rule, "ssh")
        ),
        help: help.map(str::to_owned),
        rule: Some(span),
    })
}

/// Rules of `ssh` see owners and tags: two devices of each kind are enough, as
/// one may sign in to itself and not to the other.
fn unalike(devices: Vec<Device<'_>>) -> Vec<Device<'_>> {
    let mut seen: BTreeMap<(Option<UserId>, Vec<String>), Vec<Device<'_>>> = BTreeMap::new();
    for device in devices {
        let key = (device.node.owner(), device.node.tags.clone());
        let alike = seen.entry(key).or_default();
        if alike.len() < 2 {
            alike.push(device);
        }
    }
    seen.into_values().flatten().collect()
}
