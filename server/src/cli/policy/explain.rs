//! `warren-server policy explain` and `who-can`.

use anyhow::Result;
use clap::Args;
use wire::api::policy::explain::{
    Case, Chain, Denial, Entrance, ExplainPolicy, Explained, Names, Place, Question, Rule, Source,
    Step, Traffic, Verdict,
};

use super::super::tenant::Which;
use crate::admin::policy::Request;

#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    #[command(flatten)]
    which: Which,
    /// From whom: a user, `group:…`, `tag:…`, a machine, an address.
    from: String,
    /// To where, with ports, ranges or names of services: `tag:db:22,5432`, `web:https`, `nas`,
    /// `[fd7a:115c:a1e0::7]:8000-8999`.
    #[arg(value_name = "TO[:PORTS]")]
    to: String,
    /// The protocol.
    #[arg(long, default_value = "tcp")]
    proto: String,
    /// Ask whether he may sign in by SSH under this login name instead.
    #[arg(long, value_name = "LOGIN", conflicts_with = "proto")]
    ssh: Option<String>,
    /// A document to judge by instead of the policy in force; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WhoCan {
    #[command(flatten)]
    which: Which,
    /// To where, with ports, ranges or names of services: `tag:db:22,5432`, `web:https`, `nas`,
    /// `[fd7a:115c:a1e0::7]:8000-8999`.
    #[arg(value_name = "TO[:PORTS]")]
    to: String,
    /// The protocol.
    #[arg(long, default_value = "tcp")]
    proto: String,
    /// Ask who may sign in by SSH under this login name instead.
    #[arg(long, value_name = "LOGIN", conflicts_with = "proto")]
    ssh: Option<String>,
    /// A document to judge by instead of the policy in force; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
}

impl Explain {
    pub(super) fn file(&self) -> String {
        named(self.file.as_ref())
    }

    pub(super) fn request(self) -> Result<Request> {
        let from = self.from;
        let question = if let Some(login) = self.ssh {
            let to = self.to;
            Question::SignIn { from, to, login }
        } else {
            let (to, traffic) = traffic(&self.to, self.proto)?;
            Question::Reach { from, to, traffic }
        };
        ask(self.which, self.file.as_deref(), question)
    }
}

impl WhoCan {
    pub(super) fn file(&self) -> String {
        named(self.file.as_ref())
    }

    pub(super) fn request(self) -> Result<Request> {
        let question = if let Some(login) = self.ssh {
            Question::WhoSignsIn { to: self.to, login }
        } else {
            let (to, traffic) = traffic(&self.to, self.proto)?;
            Question::WhoReaches { to, traffic }
        };
        ask(self.which, self.file.as_deref(), question)
    }
}

fn traffic(to: &str, protocol: String) -> Result<(String, Traffic)> {
    let (to, ports) = super::place::split(to)?;
    Ok((to, Traffic { protocol, ports }))
}

fn named(file: Option<&String>) -> String {
    file.map_or_else(|| "the policy in force".to_owned(), Clone::clone)
}

fn ask(which: Which, file: Option<&str>, question: Question) -> Result<Request> {
    let asked = ExplainPolicy {
        document: file.map(super::read).transpose()?,
        revision: None,
        question,
    };
    Ok(Request::Explain {
        tenant: which.tenant,
        asked,
    })
}

/// Whether all that was asked is allowed or no rule is asked, or somebody can reach the place.
pub(super) fn is_let_through(explained: &Explained) -> bool {
    match explained.verdict {
        Verdict::Allowed | Verdict::Unasked => true,
        Verdict::Partly => explained.cases.is_empty(),
        Verdict::Denied => false,
    }
}

/// The answer for people.
pub(in crate::cli) fn told(explained: &Explained) -> String {
    let mut lines = vec![explained.sentence.clone()];
    lines.extend(explained.notes.iter().cloned());
    let many = explained.cases.len() > 1;
    for case in &explained.cases {
        lines.push(String::new());
        if many {
            lines.push(counted(case));
        }
        lines.extend(case.chains.iter().flat_map(chain));
        lines.extend(case.denied.iter().flat_map(denial));
    }
    for entrance in &explained.entrances {
        lines.push(String::new());
        lines.extend(entered(entrance));
    }
    if let Some(left_out) = &explained.left_out {
        lines.push(String::new());
        lines.push(left_out.clone());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

fn counted(case: &Case) -> String {
    let pairs = match case.pairs {
        1 => "1 pair".to_owned(),
        n => format!("{n} pairs"),
    };
    format!("{} ({pairs})", case.sentence)
}

fn chain(chain: &Chain) -> Vec<String> {
    let ports = match chain.ports.as_str() {
        "" => String::new(),
        "*" => ", every port".to_owned(),
        protocol if is_name(protocol) => format!(", {protocol}"),
        ports => format!(", {}", numbered(ports)),
    };
    let mut lines = vec![format!("  by {}{ports}", rule(&chain.rule))];
    lines.extend(chain.steps.iter().map(|s| format!("    {}", step(s))));
    lines
}

/// True for a protocol without ports.
fn is_name(ports: &str) -> bool {
    ports.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// `port 443`, `ports 80,443`.
fn numbered(ports: &str) -> String {
    let word = if ports.contains([',', '-']) {
        "ports"
    } else {
        "port"
    };
    format!("{word} {ports}")
}

fn denial(denial: &Denial) -> Vec<String> {
    if denial.nearest.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["  nearest rules, and what is missing:".to_owned()];
    lines.extend(
        denial
            .nearest
            .iter()
            .map(|near| format!("    {}: {}", rule(&near.rule), near.missing.join("; "))),
    );
    lines
}

fn entered(entrance: &Entrance) -> Vec<String> {
    let ports = match entrance.ports.as_str() {
        "" => "sign-ins".to_owned(),
        "*" => "every port".to_owned(),
        protocol if is_name(protocol) => protocol.to_owned(),
        ports => numbered(ports),
    };
    let of = if entrance.ports.is_empty() || is_name(&entrance.ports) {
        "to"
    } else {
        "of"
    };
    let (by, to, because) = (
        rule(&entrance.rule),
        listed(&entrance.to),
        step(&entrance.target),
    );
    let mut lines = vec![match &entrance.shut {
        None => format!("{by} opens {ports} {of} {to}, because {because}, to"),
        Some(why) => format!(
            "{by} is about {ports} {of} {to}, because {because}, but lets nobody in: {why}; it \
             turns away"
        ),
    }];
    let sources = entrance.sources.iter();
    lines.extend(sources.map(|source| format!("  {}: {}", source.selector, entering(source))));
    let posture = entrance.posture.iter();
    lines.extend(posture.map(|posture| format!("  {}", posture.text)));
    lines
}

/// `ada@example.com; machines laptop; addresses 10.20.0.0/16 behind router`.
fn entering(source: &Source) -> String {
    let parts = [
        ("", &source.people),
        ("machines ", &source.machines),
        ("addresses ", &source.addresses),
        ("no machine yet ", &source.without_machine),
    ];
    let told = parts.iter().filter(|(_, names)| !names.is_empty());
    let told = told.map(|(word, names)| format!("{word}{}", listed(names)));
    told.collect::<Vec<_>>().join("; ")
}

fn rule(rule: &Rule) -> String {
    format!("{}{}", rule.name, at(rule.place))
}

fn step(step: &Step) -> String {
    format!("{}{}", step.text, at(step.place))
}

fn at(place: Option<Place>) -> String {
    place.map_or_else(String::new, |place| format!(" (line {})", place.line))
}

fn listed(names: &Names) -> String {
    let more = names.total.saturating_sub(names.first.len());
    let first = names.first.join(", ");
    if more == 0 {
        first
    } else {
        format!("{first} and {more} more")
    }
}
