//! The top-level keys of the language, in one table.
//!
//! One key, one file below `keyword/`, one line here. The parser, the
//! suggestions and the documentation read this table.

mod acls;
mod groups;
mod hosts;
mod tag_owners;

use crate::{diagnostic::Sink, document::Document, source::Value};

/// Reads a key's value into the document.
pub(crate) type Read = fn(&Value, &mut Document, &mut Sink);

/// A top-level key.
#[derive(Debug, Clone, Copy)]
pub struct Keyword {
    /// As it is written.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub summary: &'static str,
    /// A value for it.
    pub example: &'static str,
    pub(crate) support: Support,
}

impl Keyword {
    /// False for a key of the language that is refused until it is acted on.
    pub fn is_supported(&self) -> bool {
        matches!(self.support, Support::Read(_))
    }
}

/// Whether a key is acted on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Support {
    /// Read by this function.
    Read(Read),
    /// Known, but refused until something acts on it.
    Planned,
}

const fn planned(name: &'static str, summary: &'static str) -> Keyword {
    Keyword {
        name,
        summary,
        example: "",
        support: Support::Planned,
    }
}

/// Every key, in the order of the documentation.
pub const KEYWORDS: &[Keyword] = &[
    acls::KEYWORD,
    groups::KEYWORD,
    hosts::KEYWORD,
    tag_owners::KEYWORD,
    planned("grants", "Rules with ports and application capabilities."),
    planned("autoApprovers", "Who may serve routes without approval."),
    planned("nodeAttrs", "Attributes given to nodes."),
    planned("postures", "Conditions on devices."),
    planned("defaultSrcPosture", "The condition every source must meet."),
    planned("ipsets", "Named sets of addresses."),
    planned("ssh", "Who may sign in to which node by SSH."),
    planned("sshTests", "Assertions about `ssh`."),
    planned("tests", "Assertions about `acls` and `grants`."),
    planned("derpMap", "Relays of the tenant's own."),
    planned("disableIPv4", "Stops giving IPv4 addresses to nodes."),
    planned(
        "oneCGNATRoute",
        "How clients write their route to the mesh.",
    ),
    planned(
        "randomizeClientPort",
        "Lets clients listen on a random UDP port.",
    ),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|k| k.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_examples_parse_clean() {
        for (i, keyword) in KEYWORDS.iter().enumerate() {
            assert!(KEYWORDS[..i].iter().all(|k| k.name != keyword.name));
            if keyword.is_supported() {
                let value = crate::source::read(keyword.example).unwrap();
                let mut sink = Sink::default();
                let Support::Read(read) = keyword.support else {
                    continue;
                };
                read(&value, &mut Document::default(), &mut sink);
                assert_eq!(sink.finish(), [], "{}", keyword.name);
            }
        }
    }
}
