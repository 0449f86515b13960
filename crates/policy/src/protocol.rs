//! The `proto` of a rule.

use wire::net::protocol::{ICMP, ICMPV6, SCTP, TCP, UDP};

use crate::{
    diagnostic::{Code, Sink, Span},
    source::Text,
};

/// What a rule without `proto` allows.
pub const DEFAULT: [u8; 4] = [TCP, UDP, ICMP, ICMPV6];

/// Names that may stand for numbers, the preferred ones first. As at the service
/// `icmp` is that of IPv4 alone.
const NAMES: [(&str, u8); 18] = [
    ("icmp", ICMP),
    ("ipv6-icmp", ICMPV6),
    ("igmp", 2),
    ("ipv4", 4),
    ("ip-in-ip", 4),
    ("tcp", TCP),
    ("egp", 8),
    ("igp", 9),
    ("udp", UDP),
    ("dccp", 33),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("sctp", SCTP),
    ("fc", 133),
    ("icmpv4", ICMP),
    ("icmpv6", ICMPV6),
    ("tsmp", 99),
];

/// A protocol as a rule names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// Where.
    pub span: Span,
    /// As written.
    pub text: String,
    /// The numbers it stands for, sorted.
    pub numbers: Vec<u8>,
}

impl Protocol {
    /// True when ports narrow it.
    pub fn has_ports(&self) -> bool {
        self.numbers.iter().all(|n| has_ports(*n))
    }
}

/// A protocol's name, or its number where it has none.
pub fn name_of(number: u8) -> String {
    let named = NAMES.iter().find(|(_, n)| *n == number);
    named.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// Protocols in JSON: their names.
pub(crate) mod names {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(numbers: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(numbers.iter().map(|n| super::name_of(*n)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        let known = |name: &String| {
            let mut all = 0..=u8::MAX;
            all.find(|n| super::name_of(*n) == *name)
                .ok_or_else(|| D::Error::custom(format!("`{name}` is no protocol")))
        };
        names.iter().map(known).collect()
    }
}

/// The numbers that a name or a number stands for.
pub fn numbers(text: &str) -> Option<Vec<u8>> {
    let text = Text {
        span: Span::default(),
        text: text.to_owned(),
    };
    read(&text, &mut Sink::default()).map(|protocol| protocol.numbers)
}

/// The protocol among packets of one family: what `icmp` names is another in each.
pub const fn of_family(number: u8, ipv4: bool) -> u8 {
    if number == ICMP && !ipv4 {
        ICMPV6
    } else {
        number
    }
}

/// True for protocols with ports.
pub const fn has_ports(number: u8) -> bool {
    matches!(number, TCP | UDP | SCTP)
}

/// True for ICMP of either family, which a rule allows whatever its ports are.
pub const fn is_icmp(number: u8) -> bool {
    matches!(number, ICMP | ICMPV6)
}

pub(crate) fn read(text: &Text, sink: &mut Sink) -> Option<Protocol> {
    let word = text.text.to_lowercase();
    let named = NAMES.iter().find(|(name, _)| *name == word);
    let Some(number) = named.map(|(_, n)| *n).or_else(|| number(&word)) else {
        sink.error(
            Code::InvalidProtocol,
            text.span,
            format!(
                "proto name \"{}\" not known; use protocol number 0-255 or protocol name (icmp, tcp, udp, etc.)",
                text.text
            ),
        )
        .help("write `tcp`, `udp`, `icmp`, another name, or a number from 1 to 255");
        return None;
    };
    Some(Protocol {
        span: text.span,
        text: text.text.clone(),
        numbers: vec![number],
    })
}

fn number(word: &str) -> Option<u8> {
    (!word.starts_with(['0', '+']))
        .then(|| word.parse().ok())
        .flatten()
}
