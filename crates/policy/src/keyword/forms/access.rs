//! `acls` and `grants`.

use super::{optional, required, spells};
use crate::{
    keyword::form::{Form, Names},
    selector::autogroup::Autogroup,
};

pub(super) const PEOPLE: Names = Names::Autogroups(&[
    Autogroup::Member,
    Autogroup::Owner,
    Autogroup::Admin,
    Autogroup::ItAdmin,
    Autogroup::NetworkAdmin,
    Autogroup::BillingAdmin,
    Autogroup::Auditor,
]);

pub(in crate::keyword) const SOURCE: &[Names] = &[
    Names::Any,
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Host,
    Names::Ipset,
    Names::Address,
    Names::Domain,
    PEOPLE,
    Names::Autogroups(&[Autogroup::Tagged, Autogroup::Shared, Autogroup::DangerAll]),
];
pub(in crate::keyword) const DESTINATION: &[Names] = &[
    Names::Any,
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Host,
    Names::Ipset,
    Names::Address,
    Names::Domain,
    Names::Service,
    PEOPLE,
    Names::Autogroups(&[
        Autogroup::Tagged,
        Autogroup::SelfDevices,
        Autogroup::Internet,
    ]),
];
pub(super) const POSTURE: Form = Form::List(&Form::Name(&[Names::Posture]));
const PORTED: Form = Form::List(&Form::Target(DESTINATION));

pub(in crate::keyword) const ACLS: Form = Form::List(&Form::Object(&[
    required(
        "action",
        Form::OneOf(&["accept"]),
        "What the rule does; `accept` is the only action.",
        r#""accept""#,
    ),
    required(
        "src",
        Form::List(&Form::Name(SOURCE)),
        "Who.",
        r#"["group:ops", "tag:server"]"#,
    ),
    required(
        "dst",
        PORTED,
        "To what, each with ports: `*`, `22`, `80,443` or `8000-8999`.",
        r#"["tag:server:22,443", "autogroup:self:*"]"#,
    ),
    optional(
        "proto",
        Form::Text("a protocol: `tcp`, `udp`, `icmp` or a number"),
        "The protocol; without it TCP, UDP and ICMP.",
        r#""tcp""#,
    ),
    optional(
        "srcPosture",
        POSTURE,
        "Postures of which a source device must meet one.",
        r#"["posture:managed"]"#,
    ),
    spells(
        "src",
        "users",
        Form::List(&Form::Name(SOURCE)),
        r#"["group:ops"]"#,
    ),
    spells("dst", "ports", PORTED, r#"["tag:server:22"]"#),
]));

pub(in crate::keyword) const GRANTS: Form = Form::List(&Form::Object(&[
    required(
        "src",
        Form::List(&Form::Name(SOURCE)),
        "Who.",
        r#"["group:ops"]"#,
    ),
    required(
        "dst",
        Form::List(&Form::Name(DESTINATION)),
        "To what, without ports.",
        r#"["tag:server"]"#,
    ),
    optional(
        "ip",
        Form::List(&Form::Text("`*`, ports or `protocol:ports`")),
        "Which traffic: `*`, `443`, `tcp:22`, `udp:*`, `icmp:*`.",
        r#"["tcp:443", "icmp:*"]"#,
    ),
    optional(
        "app",
        Form::Map(
            &[Names::Other("the name of a capability")],
            &Form::List(&Form::Any),
        ),
        "Capabilities that applications read, by name, each with values.",
        r#"{ "example.com/cap/dashboard": [{ "role": "viewer" }] }"#,
    ),
    optional(
        "via",
        Form::List(&Form::Name(&[Names::Tag])),
        "Routers, by tag, through which the destination is reached.",
        r#"["tag:router"]"#,
    ),
    optional(
        "srcPosture",
        POSTURE,
        "Postures of which a source device must meet one.",
        r#"["posture:managed"]"#,
    ),
]));
