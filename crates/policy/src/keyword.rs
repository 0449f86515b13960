//! The top-level keys of the language, in one table.
//!
//! One key, one file below `keyword/`, one line here. The form of its value
//! stands in `keyword/forms`. The parser, completion, hover texts, the JSON
//! schema and `docs/policy-language.md` read this table.

mod access_tests;
mod acls;
mod auto_approvers;
mod fields;
pub mod form;
mod forms;
mod grants;
mod groups;
mod hosts;
mod ipsets;
mod node_attrs;
mod options;
mod parts;
mod postures;
mod rule;
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
    /// True for a key that is read.
    pub fn is_supported(&self) -> bool {
        matches!(self.support, Support::Read(_))
    }
}

/// How a key is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Support {
    /// By this function.
    Read(Read),
}

/// Every key, in the order of the documentation.
pub const KEYWORDS: &[Keyword] = &[
    acls::KEYWORD,
    grants::KEYWORD,
    groups::KEYWORD,
    hosts::KEYWORD,
    ipsets::KEYWORD,
    tag_owners::KEYWORD,
    auto_approvers::KEYWORD,
    node_attrs::KEYWORD,
    postures::KEYWORD,
    postures::DEFAULT,
    options::ATTR_CONFIG,
    ssh::KEYWORD,
    ssh_tests::KEYWORD,
    access_tests::KEYWORD,
    options::RANDOMIZE_CLIENT_PORT,
    options::DISABLE_IPV4,
    options::ONE_CGNAT_ROUTE,
    options::DERP_MAP,
];

/// The key of that name; case does not count.
pub fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|k| k.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_examples_parse_clean() {
        for (i, keyword) in KEYWORDS.iter().enumerate() {
            assert!(KEYWORDS[..i].iter().all(|k| k.name != keyword.name));
            let value = crate::source::read(keyword.example).unwrap();
            let mut sink = Sink::default();
            let Support::Read(read) = keyword.support;
            read(&value, &mut Document::default(), &mut sink);
            assert_eq!(sink.errors(), 0, "{}", keyword.name);
        }
    }
}
