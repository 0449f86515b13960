//! Ports as people ask for them: numbers, ranges and names of services.

use wire::net::PortRange;

use super::{Unclear, ports};
use crate::diagnostic::nearest;

/// Services that have a name, and their ports.
pub const SERVICES: [(&str, u16); 26] = [
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("dns", 53),
    ("http", 80),
    ("pop3", 110),
    ("ntp", 123),
    ("imap", 143),
    ("snmp", 161),
    ("ldap", 389),
    ("https", 443),
    ("smb", 445),
    ("submission", 587),
    ("ldaps", 636),
    ("imaps", 993),
    ("mssql", 1433),
    ("nfs", 2049),
    ("mysql", 3306),
    ("rdp", 3389),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("vnc", 5900),
    ("redis", 6379),
    ("kubernetes", 6443),
    ("mongodb", 27017),
];

/// The most parts of a list.
const MOST_PARTS: usize = 100;

/// The ports of a list (`22`, `22,5432`, `8000-8999`, `ssh,https`, `*`), sorted and joined.
/// Nothing means all of them.
///
/// # Errors
/// In words, when a part is neither a port, a range nor a known service.
pub fn read_ports(text: &str) -> Result<Vec<PortRange>, Unclear> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(vec![PortRange::ANY]);
    }
    if text.split(',').count() > MOST_PARTS {
        return Err(Unclear {
            message: format!("more than {MOST_PARTS} ports and ranges"),
            help: Some("ask about fewer of them, or about a range".to_owned()),
        });
    }
    let mut all = text
        .split(',')
        .map(|part| one(part.trim()))
        .collect::<Result<Vec<PortRange>, Unclear>>()?;
    ports::join(&mut all);
    Ok(all)
}

fn one(text: &str) -> Result<PortRange, Unclear> {
    if text == "*" {
        return Ok(PortRange::ANY);
    }
    let mut services = SERVICES.iter();
    if let Some((_, port)) = services.find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(PortRange::one(*port));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.trim().parse::<u16>().ok();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok(PortRange { first, last }),
        (Some(first), Some(last)) => Err(Unclear {
            message: format!("the range `{text}` ends before it begins"),
            help: Some(format!("write {last}-{first}")),
        }),
        _ => Err(no_port(text)),
    }
}

fn no_port(text: &str) -> Unclear {
    let names = SERVICES.iter().map(|(name, _)| *name);
    if text.is_empty() {
        return Unclear {
            message: "a part of the list is empty".to_owned(),
            help: None,
        };
    }
    let is_name = text.chars().any(|c| c.is_ascii_alphabetic());
    let meant = nearest(text, &names.collect::<Vec<_>>()).filter(|_| is_name);
    Unclear {
        message: format!("`{text}` is neither a port nor a service that has a name here"),
        help: Some(match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => "write 443, 22,5432, 8000-8999, ssh or *".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_services_are_ports() {
        let read = |text| read_ports(text).map(|all| ports::written(&all));
        for (text, expected) in [
            ("", "*"),
            ("*", "*"),
            ("443", "443"),
            (" 5432, 22 ", "22,5432"),
            ("80-90,85-100,101", "80-101"),
            ("SSH,https,postgres,postgresql", "22,443,5432"),
            ("22,*", "*"),
            ("0-65535", "*"),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        for (text, said) in [
            (
                "90-80",
                "the range `90-80` ends before it begins; write 80-90",
            ),
            (
                "22,shh",
                "`shh` is neither a port nor a service that has a name here; did you mean `ssh`?",
            ),
            (
                "70000",
                "`70000` is neither a port nor a service that has a name here; \
                 write 443, 22,5432, 8000-8999, ssh or *",
            ),
            ("22,", "a part of the list is empty"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), said, "{text}");
        }
        assert!(read_ports(&"22,".repeat(200)).is_err());
    }
}
