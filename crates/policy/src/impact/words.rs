//! Changes as sentences.

use std::{
    collections::BTreeSet,
    fmt::{Display, Formatter, Result},
};

use wire::net::{
    PortRange,
    protocol::{ICMP, ICMPV6},
};

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
        let (with, without): (Vec<u8>, Vec<u8>) = self
            .protocols
            .iter()
            .partition(|number| protocol::has_ports(**number));
        let without = listed(&protocols(&without));
        if with.is_empty() {
            return f.write_str(&without);
        }
        match &self.ports[..] {
            [PortRange::ANY] => f.write_str("all ports")?,
            [only] if only.first == only.last => write!(f, "port {}", only.first)?,
            many => write!(f, "ports {}", ports::written(many))?,
        }
        write!(f, " of {}", listed(&protocols(&with)))?;
        if without.is_empty() {
            return Ok(());
        }
        write!(f, ", and {without}")
    }
}

/// Protocols as people write them, each once, and ICMP of both families as one.
fn protocols(numbers: &[u8]) -> Vec<String> {
    let numbers: BTreeSet<u8> = numbers.iter().copied().collect();
    let is_told = |number: &u8| *number != ICMPV6 || !numbers.contains(&ICMP);
    let told = numbers.iter().copied().filter(is_told);
    told.map(written).collect()
}

/// A protocol as people write it.
fn written(number: u8) -> String {
    match protocol::name_of(number).as_str() {
        "icmp" => "ICMP".to_owned(),
        "ipv6-icmp" => "ICMPv6".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_names_each_protocol_once() {
        let opening = |protocols: &[u8], ports: &[PortRange]| {
            let (protocols, ports) = (protocols.to_vec(), ports.to_vec());
            Opening { protocols, ports }.to_string()
        };
        let any = [PortRange::ANY];
        assert_eq!(
            opening(&[1, 6, 17, 58], &any),
            "all ports of TCP and UDP, and ICMP"
        );
        assert_eq!(opening(&[1, 58], &any), "ICMP");
        assert_eq!(opening(&[58], &any), "ICMPv6");
        assert_eq!(opening(&[6, 47], &any), "all ports of TCP, and GRE");
        assert_eq!(opening(&[6], &[PortRange::one(22)]), "port 22 of TCP");
    }
}
