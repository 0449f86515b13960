//! Attributes, postures and options.

use super::{access::PEOPLE, optional, required};
use crate::{
    keyword::form::{Form, Names},
    selector::autogroup::Autogroup,
};

pub(in crate::keyword) const BOOLEAN: Form = Form::Boolean;

/// Targets of attributes.
pub(in crate::keyword) const TARGET: &[Names] = &[
    Names::Any,
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Host,
    Names::Address,
    Names::Domain,
    PEOPLE,
    Names::Autogroups(&[Autogroup::Tagged]),
];

pub(in crate::keyword) const NODE_ATTRS: Form = Form::List(&Form::Object(&[
    required(
        "target",
        Form::List(&Form::Name(TARGET)),
        "Which nodes.",
        r#"["autogroup:member"]"#,
    ),
    optional(
        "attr",
        Form::List(&Form::Text("the name of an attribute")),
        "Attributes that they get.",
        r#"["funnel"]"#,
    ),
    optional(
        "app",
        Form::Map(
            &[Names::Other("the name of a capability")],
            &Form::List(&Form::Any),
        ),
        "Settings of applications on them, by name.",
        r#"{ "example.com/app-connectors": [{ "name": "wiki" }] }"#,
    ),
    optional(
        "ipPool",
        Form::List(&Form::Name(&[Names::Address])),
        "Prefixes from which they get their addresses.",
        r#"["100.81.0.0/16"]"#,
    ),
]));

pub(in crate::keyword) const POSTURES: Form = Form::Map(
    &[Names::Posture],
    &Form::List(&Form::Name(&[Names::Condition])),
);

pub(in crate::keyword) const DEFAULT_SRC_POSTURE: Form = super::access::POSTURE;

pub(in crate::keyword) const DERP_MAP: Form = Form::Object(&[
    optional(
        "OmitDefaultRegions",
        Form::Boolean,
        "Leaves out the relays that the server offers by itself.",
        "true",
    ),
    optional(
        "Regions",
        Form::Map(&[Names::Other("the number of a region")], &Form::Any),
        "Regions, by number.",
        r#"{ "900": { "RegionID": 900, "RegionCode": "own", "Nodes": [] } }"#,
    ),
]);

pub(in crate::keyword) const ONE_CGNAT_ROUTE: Form = Form::OneOf(&["", "mac-always", "mac-never"]);

pub(in crate::keyword) const ATTR_CONFIG: Form =
    Form::Map(&[Names::Other("the name of an attribute")], &ATTRIBUTE);

pub(in crate::keyword) const ATTRIBUTE: Form = Form::Object(&[
    optional(
        "type",
        Form::OneOf(&["string", "number", "bool"]),
        "What its values are.",
        r#""string""#,
    ),
    optional(
        "allowSetByNode",
        Form::Boolean,
        "Whether a node may set it of itself.",
        "true",
    ),
    optional(
        "broadcastToPeers",
        Form::List(&Form::Name(TARGET)),
        "Nodes that are told of it.",
        r#"["tag:admin"]"#,
    ),
]);
