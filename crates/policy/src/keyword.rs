//! The top-level keys of the language, in one table.
//!
//! One key, one file below `keyword/`, one line here. The form of its value
//! stands in `keyword/forms`. The parser, completion, hover texts, the JSON
//! schema and `docs/policy-language.md` read this table.

mod access_tests;
mod acls;
pub mod form;
mod forms;
mod groups;
mod hosts;
mod parts;
mod ssh;
mod ssh_tests;
mod tag_owners;

use crate::{diagnostic::Sink, document::Document, source::Value};
use form::Form;

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
    /// What its value looks like.
    pub form: Form,
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

const fn planned(name: &'static str, form: Form, summary: &'static str) -> Keyword {
    Keyword {
        name,
        summary,
        example: "",
        form,
        support: Support::Planned,
    }
}

/// Every key, in the order of the documentation.
pub const KEYWORDS: &[Keyword] = &[
    acls::KEYWORD,
    groups::KEYWORD,
    hosts::KEYWORD,
    tag_owners::KEYWORD,
    planned(
        "grants",
        forms::GRANTS,
        "Rules with ports and application capabilities.",
    ),
    planned(
        "autoApprovers",
        forms::AUTO_APPROVERS,
        "Who may serve routes without approval.",
    ),
    planned("nodeAttrs", forms::NODE_ATTRS, "Attributes given to nodes."),
    planned("postures", forms::POSTURES, "Conditions on devices."),
    planned(
        "defaultSrcPosture",
        forms::DEFAULT_SRC_POSTURE,
        "The condition every source must meet.",
    ),
    planned("ipsets", forms::IPSETS, "Named sets of addresses."),
    ssh::KEYWORD,
    ssh_tests::KEYWORD,
    access_tests::KEYWORD,
    planned("derpMap", forms::DERP_MAP, "Relays of the tenant's own."),
    planned(
        "disableIPv4",
        forms::BOOLEAN,
        "Stops giving IPv4 addresses to nodes.",
    ),
    planned(
        "oneCGNATRoute",
        forms::ONE_CGNAT_ROUTE,
        "How clients write their route to the mesh.",
    ),
    planned(
        "randomizeClientPort",
        forms::BOOLEAN,
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
