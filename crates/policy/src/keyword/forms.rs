//! The forms of the values of all keys.

pub(super) mod access;
pub(super) mod options;
pub(super) mod ssh;
mod tests;
pub(super) mod words;

pub(super) use access::{ACLS, GRANTS};
pub(super) use options::{
    ATTR_CONFIG, ATTRIBUTE, BOOLEAN, DEFAULT_SRC_POSTURE, DERP_MAP, NODE_ATTRS, ONE_CGNAT_ROUTE,
    POSTURES,
};
pub(super) use ssh::SSH;
pub(super) use tests::{SSH_TESTS, TESTS};
pub(super) use words::{AUTO_APPROVERS, GROUPS, HOSTS, IPSETS, TAG_OWNERS};

use super::form::{Field, Form, Need};

const fn required(
    name: &'static str,
    form: Form,
    summary: &'static str,
    example: &'static str,
) -> Field {
    field(name, Need::Required, form, summary, example)
}

const fn optional(
    name: &'static str,
    form: Form,
    summary: &'static str,
    example: &'static str,
) -> Field {
    field(name, Need::Optional, form, summary, example)
}

/// An older spelling of the key `of`.
const fn spells(of: &'static str, name: &'static str, form: Form, example: &'static str) -> Field {
    field(name, Need::Spells(of), form, "An older spelling.", example)
}

const fn field(
    name: &'static str,
    need: Need,
    form: Form,
    summary: &'static str,
    example: &'static str,
) -> Field {
    Field {
        name,
        summary,
        example,
        form,
        need,
    }
}
