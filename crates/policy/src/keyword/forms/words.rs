//! Names and what they stand for: groups, hosts, tags, sets of addresses, approvers.

use super::{access::PEOPLE, optional};
use crate::keyword::form::{Form, Names};

const OWNERS: Form = Form::List(&Form::Name(&[
    Names::User,
    Names::Group,
    Names::Tag,
    PEOPLE,
]));

pub(in crate::keyword) const GROUPS: Form =
    Form::Map(&[Names::Group], &Form::List(&Form::Name(&[Names::User])));

pub(in crate::keyword) const HOSTS: Form =
    Form::Map(&[Names::Host], &Form::Name(&[Names::Address]));

pub(in crate::keyword) const IPSETS: Form = Form::Map(
    &[Names::Ipset],
    &Form::List(&Form::Name(&[
        Names::Address,
        Names::Host,
        Names::Ipset,
        Names::Other("`add` or `remove` and one of these"),
    ])),
);

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
