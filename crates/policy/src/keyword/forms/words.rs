//! Names and what they stand for: groups, hosts, tags, sets of addresses, approvers.

use super::{access::PEOPLE, optional};
use crate::{
    keyword::form::{Form, Names},
    selector::autogroup::Autogroup,
};

/// Owners of tags and approvers.
pub(in crate::keyword) const OWNER: &[Names] = &[
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Domain,
    PEOPLE,
    Names::Autogroups(&[Autogroup::Tagged]),
];
const OWNERS: Form = Form::List(&Form::Name(OWNER));

pub(in crate::keyword) const GROUPS: Form =
    Form::Map(&[Names::Group], &Form::List(&Form::Name(&[Names::User])));

pub(in crate::keyword) const HOSTS: Form =
    Form::Map(&[Names::Host], &Form::Name(&[Names::Address]));

/// What sets are made of.
pub(in crate::keyword) const ENTRY: &[Names] = &[
    Names::Address,
    Names::Host,
    Names::Ipset,
    Names::Autogroups(&[Autogroup::Internet]),
    Names::Other("`add` or `remove` and one of these"),
];

pub(in crate::keyword) const IPSETS: Form =
    Form::Map(&[Names::Ipset], &Form::List(&Form::Name(ENTRY)));

pub(in crate::keyword) const TAG_OWNERS: Form = Form::Map(&[Names::Tag], &OWNERS);

pub(in crate::keyword) const AUTO_APPROVERS: Form = Form::Object(&[
    optional(
        "routes",
        Form::Map(&[Names::Address], &OWNERS),
        "By prefix: whose nodes may serve it, or a part of it, without approval.",
        r#"{ "10.0.0.0/8": ["tag:router"] }"#,
    ),
    optional(
        "exitNode",
        OWNERS,
        "Whose nodes may be exit nodes without approval.",
        r#"["tag:exit"]"#,
    ),
    optional(
        "services",
        Form::Map(&[Names::Service, Names::Tag], &OWNERS),
        "By service: whose nodes may host it without approval.",
        r#"{ "svc:wiki": ["tag:server"] }"#,
    ),
]);
