//! Changes as sentences.

use std::fmt::{Display, Formatter, Result};

use wire::net::PortRange;

use super::{Capability, Change, Mode, Opening, Parties, Party, SignIns};
use crate::{explain::ports, protocol, selector::sort::Sort};

/// `1 device`, `2 devices`.
pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl Display for Party {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { text, .. } = self;
        match self.sort {
            Sort::Device => write!(f, "the device {text}")?,
            Sort::Route => write!(f, "{text} behind a router")?,
            Sort::Internet if self.node.is_some() => write!(f, "{text} through an exit node")?,
            Sort::Internet => f.write_str("the Internet")?,
            Sort::OwnDevices => f.write_str("their own devices")?,
            Sort::Everybody => write!(f, "everybody (`{text}`)")?,
            Sort::User => f.write_str(text)?,
            Sort::Group
            | Sort::Role
            | Sort::Tag
            | Sort::Host
            | Sort::Set
            | Sort::Service
            | Sort::Addresses => write!(f, "`{text}`")?,
        }
        if self.unchanged > 0 {
            let unchanged = counted(self.unchanged, "device", "devices");
            write!(f, " (but for {unchanged})")?;
        }
        Ok(())
    }
}

impl Display for Parties {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut parts: Vec<String> = self.shown.iter().map(ToString::to_string).collect();
        if self.more > 0 {
            parts.push(format!("{} more", self.more));
        }
        if parts.is_empty() {
            parts.push("nobody".to_owned());
        }
        f.write_str(&listed(&parts))
    }
}

impl Display for Opening {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut names: Vec<String> = self.protocols.iter().map(|p| written(*p)).collect();
        names.dedup();
        let names = listed(&names);
        let has_ports = self.protocols.iter().any(|p| protocol::has_ports(*p));
        match &self.ports[..] {
            [PortRange::ANY] if has_ports => write!(f, "all ports of {names}"),
            [only] if only.first == only.last => write!(f, "port {} of {names}", only.first),
            _ if !has_ports => f.write_str(&names),
            many => write!(f, "ports {} of {names}", ports::written(many)),
        }
    }
}

/// A protocol as people write it.
fn written(number: u8) -> String {
    match protocol::name_of(number).as_str() {
        "icmp" | "ipv6-icmp" => "ICMP".to_owned(),
        name if name.bytes().all(|b| b.is_ascii_digit()) => format!("protocol {name}"),
        name => name.to_uppercase(),
    }
}

impl Display for Capability {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "`{}`", self.name)?;
        if !self.values.is_empty() {
            write!(f, " with {}", self.values.join(", "))?;
        }
        Ok(())
    }
}

impl Display for SignIns {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let logins: Vec<String> = self.logins.iter().map(|l| format!("`{l}`")).collect();
        write!(f, "sign-ins as {}", listed(&logins))?;
        f.write_str(match (self.mode, self.otherwise) {
            (Mode::Accept, None) => "",
            (Mode::Accept, Some(_)) => " without a check",
            (Mode::Check, _) => " after a check",
        })
    }
}

impl<T: Display> Display for Change<Vec<T>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let what: Vec<String> = self.what.iter().map(ToString::to_string).collect();
        tell(self, &listed(&what), f)
    }
}

impl Display for Change<SignIns> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        tell(self, &self.what.to_string(), f)
    }
}

/// `WHO → WHERE: WHAT (counts), by RULE.`
fn tell<W>(change: &Change<W>, what: &str, f: &mut Formatter<'_>) -> Result {
    let Change { who, to, rule, .. } = change;
    write!(f, "{who} → {to}: {what} (")?;
    if who.people > 0 {
        write!(f, "{}, ", counted(who.people, "person", "people"))?;
    }
    let from = counted(who.devices, "device", "devices");
    let flows = counted(change.flows, "flow", "flows");
    write!(f, "{from} to {}, {flows}", to.devices)?;
    if change.is_partial {
        f.write_str("; other rules let a part of it through")?;
    }
    write!(f, "), by {rule}.")
}
