//! What follows from a policy for the table's tenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use policy::{
    Compiled, Diagnostic, End, NodeFacts, Routers, Severity, SshLaw, SshTable,
    ssh::decide::SshDecision,
};
use wire::{
    control::SshRule,
    filter::{CapGrant, DstPorts, FilterRule},
    net::PortRange,
};

use super::{
    case::{Case, Expect},
    filter, packet_filter,
    tenant::{self, Node},
};

/// Stands in rules with `check`; only its presence counts.
const DELEGATE: &str = "https://control.example/check";

/// The first expectation that does not hold.
pub(crate) fn judge(case: &Case) -> Result<(), String> {
    let nodes = tenant::nodes(&case.nodes);
    let directory = tenant::directory(&nodes);
    let facts: Vec<NodeFacts> = nodes.iter().map(|n| n.facts.clone()).collect();
    let (document, mut found) = policy::parse(&case.policy);
    found.extend(policy::check::against(&document, &directory));
    found.extend(policy::ssh::findings(&document, &directory));
    let law = Compiled::new(&document, &directory);
    let ssh = SshLaw::new(&document, &directory);
    let outcomes = policy::assertions::run(&document, &law, &ssh, &directory, &facts);
    let outcome = Outcome {
        found,
        failing: outcomes
            .iter()
            .filter(|o| !o.holds())
            .map(|o| format!("{} {}", o.expected.as_str(), o.subject))
            .collect(),
        table: ssh.over(&facts),
        routers: Routers::new(&law, nodes.iter().map(|n| (n.id, n.created, &n.facts))),
        law,
        nodes,
        facts,
    };
    outcome.no_surprise(case)?;
    case.expect.iter().try_for_each(|e| outcome.holds(e))
}

pub(super) struct Outcome {
    found: Vec<Diagnostic>,
    failing: Vec<String>,
    table: SshTable,
    pub(super) law: Compiled,
    pub(super) routers: Routers,
    pub(super) nodes: Vec<Node>,
    facts: Vec<NodeFacts>,
}

impl Outcome {
    /// Errors and failing tests that nothing expects.
    fn no_surprise(&self, case: &Case) -> Result<(), String> {
        let expects = |wanted: fn(&Expect) -> bool| case.expect.iter().any(wanted);
        let error = self.found.iter().find(|d| d.severity == Severity::Error);
        if let Some(error) = error
            && !expects(|e| matches!(e, Expect::Error(_)))
        {
            return Err(format!("refused: {}", error.message));
        }
        if !self.failing.is_empty()
            && error.is_none()
            && !expects(|e| matches!(e, Expect::FailingTests(_)))
        {
            return Err(format!("tests fail: {:?}", self.failing));
        }
        Ok(())
    }

    fn holds(&self, expect: &Expect) -> Result<(), String> {
        match expect {
            Expect::Error(text) => self.finding(Severity::Error, text),
            Expect::Warning(text) => self.finding(Severity::Warning, text),
            Expect::Clean if self.found.is_empty() => Ok(()),
            Expect::Clean => Err(format!("found {:?}", self.found)),
            Expect::Allows(flow) => self.flow(flow, true),
            Expect::Denies(flow) => self.flow(flow, false),
            Expect::SignsIn(way) => self.sign_in(way, Some(false)),
            Expect::SignsInAfterCheck(way) => self.sign_in(way, Some(true)),
            Expect::RefusesSignIn(way) => self.sign_in(way, None),
            Expect::SshRules(node, rules) => self.ssh_rules(node, rules),
            Expect::Filter(node, rules) => self.filter(node, rules),
            Expect::FailingTests(subjects) if *subjects == self.failing => Ok(()),
            Expect::FailingTests(_) => Err(format!("failing tests: {:?}", self.failing)),
            Expect::Approves(text) => self.approves(text, true),
            Expect::Leaves(text) => self.approves(text, false),
            Expect::Assigns(text) => self.assigns(text, true),
            Expect::RefusesTag(text) => self.assigns(text, false),
            Expect::Attributes(node, all) => self.attributes(node, all),
            Expect::PeerAttributes(node, all) => self.peer_attributes(node, all),
            Expect::Sees(node, all) => self.sees(node, all),
            Expect::Routes(node, all) => self.routes(node, all),
            Expect::Primary(prefix, all) => self.primary(prefix, all),
            Expect::Addresses(pair, all) => self.addresses(pair, all),
        }
    }

    fn finding(&self, severity: Severity, text: &str) -> Result<(), String> {
        let is = |d: &&Diagnostic| {
            d.severity == severity && (d.code.as_str() == text || d.message.contains(text))
        };
        match self.found.iter().find(is) {
            Some(_) => Ok(()),
            None => Err(format!("no {severity:?} `{text}` among {:?}", self.found)),
        }
    }

    pub(super) fn named(&self, name: &str) -> &Node {
        let found = self.nodes.iter().find(|n| n.name == name);
        found.unwrap_or_else(|| panic!("no node `{name}`"))
    }

    fn node(&self, name: &str) -> &NodeFacts {
        &self.named(name).facts
    }

    /// A node and the addresses meant: all of its own, or one, written `router1/10.1.0.5`.
    fn place(&self, text: &str) -> (&NodeFacts, Vec<IpAddr>) {
        match text.split_once('/') {
            Some((name, address)) => (self.node(name), vec![address.parse().unwrap()]),
            None => (self.node(text), self.node(text).addresses.clone()),
        }
    }

    fn flow(&self, text: &str, allowed: bool) -> Result<(), String> {
        let (from, rest) = text.split_once(" > ").unwrap();
        let (rest, proto) = rest.split_once(' ').unwrap_or((rest, "tcp"));
        let (to, port) = rest.rsplit_once(':').unwrap();
        let (proto, port) = (number(proto), port_of(port));
        let ((from, sources), (to, targets)) = (self.place(from), self.place(to));
        let filter = self.law.filter_rules(to, &self.facts);
        let mut any = false;
        for (source, target) in sources
            .iter()
            .flat_map(|s| targets.iter().map(move |t| (*s, *t)))
        {
            if source.is_ipv4() != target.is_ipv4() {
                continue;
            }
            let ends = (
                End {
                    node: from,
                    address: source,
                },
                End {
                    node: to,
                    address: target,
                },
            );
            let decided = self.law.decide(ends.0, ends.1, proto, port).is_allowed();
            let filtered =
                packet_filter::passes(&filter, &BTreeSet::new(), (source, target), proto, port);
            if decided != filtered {
                return Err(format!(
                    "{source} to {target}: decided {decided}, filter {filtered}"
                ));
            }
            any |= decided;
        }
        if any == allowed {
            return Ok(());
        }
        Err(format!(
            "`{text}` is {}",
            if any { "allowed" } else { "denied" }
        ))
    }

    fn sign_in(&self, text: &str, check: Option<bool>) -> Result<(), String> {
        let (from, rest) = text.split_once(" > ").unwrap();
        let (login, to) = rest.rsplit_once('@').unwrap();
        let answer = match self.table.decide(self.node(from), self.node(to), login) {
            SshDecision::Allowed { check, .. } => Some(check),
            SshDecision::Denied => None,
        };
        if answer == check {
            return Ok(());
        }
        Err(format!("`{text}` gets {answer:?}, not {check:?}"))
    }

    fn ssh_rules(&self, node: &str, wanted: &[String]) -> Result<(), String> {
        let rules = self.table.policy_for(self.node(node), Some(DELEGATE));
        let ours: Vec<String> = rules.iter().map(|r| self.spelled(r)).collect();
        if ours == wanted {
            return Ok(());
        }
        Err(format!("{node} has {ours:#?}"))
    }

    /// `accept from ada1, bob1 as *:= root:root env LANG records rec1 or ends`
    fn spelled(&self, rule: &SshRule) -> String {
        let action = if rule.action.hold_and_delegate.is_empty() {
            "accept"
        } else {
            "check"
        };
        let ips = rule.principals.iter().filter_map(|p| p.node_ip);
        let users = rule.ssh_users.iter().map(|(k, v)| format!("{k}:{v}"));
        let mut words = vec![
            format!("{action} from {} as", self.names(ips)),
            users.collect::<Vec<_>>().join(" "),
        ];
        if !rule.accept_env.is_empty() {
            words.push(format!("env {}", rule.accept_env.join(" ")));
        }
        if !rule.action.recorders.is_empty() {
            let ips = rule.action.recorders.iter().map(SocketAddr::ip);
            words.push(format!("records {}", self.names(ips)));
        }
        if rule.action.on_recording_failure.is_some() {
            words.push("or ends".to_owned());
        }
        words.join(" ")
    }

    /// The nodes whose addresses these all are, in the order of the table.
    fn names(&self, ips: impl Iterator<Item = IpAddr>) -> String {
        let mut left: Vec<IpAddr> = ips.collect();
        let mut names = Vec::new();
        for node in &self.nodes {
            if node.facts.addresses.iter().all(|a| left.contains(a)) {
                left.retain(|a| !node.facts.addresses.contains(a));
                names.push(node.name.clone());
            }
        }
        names.extend(left.iter().map(IpAddr::to_string));
        names.join(", ")
    }

    fn filter(&self, node: &str, wanted: &[String]) -> Result<(), String> {
        let ours = self.law.filter_rules(self.node(node), &self.facts);
        let theirs: Vec<FilterRule> = wanted.iter().map(|text| self.rule(text)).collect();
        filter::compare(&ours, &theirs)
    }

    /// `ada1, 10.0.0.0/8 > web1:22,80-90 udp`, or `ada1 > web1 gives example.com/cap/a [1]`;
    /// a node stands for its addresses.
    fn rule(&self, text: &str) -> FilterRule {
        let (sources, rest) = text.split_once(" > ").unwrap();
        if let Some((target, given)) = rest.split_once(" gives ") {
            let (name, values) = given.split_once(' ').unwrap_or((given, "[]"));
            return FilterRule {
                src_ips: sources
                    .split(", ")
                    .flat_map(|s| self.spelled_out(s))
                    .collect(),
                dst_ports: Vec::new(),
                ip_proto: Vec::new(),
                cap_grant: vec![CapGrant {
                    dsts: self.spelled_out(target),
                    cap_map: BTreeMap::from([(
                        name.to_owned(),
                        serde_json::from_str(values).unwrap(),
                    )]),
                }],
            };
        }
        let (rest, proto) = rest
            .split_once(' ')
            .map_or((rest, None), |(r, p)| (r, Some(p)));
        let (target, ports) = rest.rsplit_once(':').unwrap();
        let src_ips = sources
            .split(", ")
            .flat_map(|s| self.spelled_out(s))
            .collect();
        let targets = self.spelled_out(target);
        let dst_ports = ports.split(',').flat_map(|p| {
            let ports = port_range(p);
            targets.iter().map(move |ip| DstPorts {
                ip: ip.clone(),
                ports,
            })
        });
        FilterRule {
            src_ips,
            dst_ports: dst_ports.collect(),
            ip_proto: proto.iter().map(|p| i32::from(number(p))).collect(),
            cap_grant: Vec::new(),
        }
    }

    fn spelled_out(&self, text: &str) -> Vec<String> {
        match self.nodes.iter().find(|n| n.name == text) {
            Some(node) => node.facts.addresses.iter().map(IpAddr::to_string).collect(),
            // The whole mesh, as `*` means it, without its routes.
            None if text == "mesh" => [
                "100.64.0.0-100.115.91.255",
                "100.115.94.0-100.127.255.255",
                "fd7a:115c:a1e0::/48",
            ]
            .map(str::to_owned)
            .to_vec(),
            None => vec![text.to_owned()],
        }
    }
}

fn port_of(text: &str) -> u16 {
    text.parse().unwrap()
}

fn number(protocol: &str) -> u8 {
    let known = BTreeMap::from([
        ("tcp", 6),
        ("udp", 17),
        ("icmp", 1),
        ("icmpv6", 58),
        ("sctp", 132),
    ]);
    known
        .get(protocol)
        .copied()
        .unwrap_or_else(|| protocol.parse().unwrap())
}

fn port_range(text: &str) -> PortRange {
    if text == "*" {
        return PortRange::ANY;
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    PortRange {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
    }
}
