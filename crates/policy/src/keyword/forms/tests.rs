//! `tests` and `sshTests`.

use super::{optional, required, spells, ssh};
use crate::keyword::form::{Form, Names};

const ONE_SOURCE: Form = Form::Name(&[
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Host,
    Names::Address,
]);
const TARGETS: Form = Form::List(&Form::Target(&[
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Host,
    Names::Address,
]));
const LOGINS: Form = Form::List(&Form::Name(&[
    Names::Word("root"),
    Names::Other("a user of the system"),
]));
const ATTRIBUTES: Form = Form::Map(&[Names::Attribute], &Form::Any);

pub(in crate::keyword) const TESTS: Form = Form::List(&Form::Object(&[
    required("src", ONE_SOURCE, "Who.", r#""ada@example.com""#),
    optional(
        "proto",
        Form::Text("a protocol: `tcp`, `udp`, `icmp` or a number"),
        "The protocol; without it TCP and UDP.",
        r#""tcp""#,
    ),
    optional(
        "accept",
        TARGETS,
        "What must be reached, each with one port.",
        r#"["tag:server:22"]"#,
    ),
    optional(
        "deny",
        TARGETS,
        "What must not be reached, each with one port.",
        r#"["tag:database:5432"]"#,
    ),
    optional(
        "srcPostureAttrs",
        ATTRIBUTES,
        "The attributes that the source is taken to have, and no others.",
        r#"{ "node:os": "linux" }"#,
    ),
    spells("src", "user", ONE_SOURCE, r#""ada@example.com""#),
    spells("accept", "allow", TARGETS, r#"["tag:server:22"]"#),
]));

pub(in crate::keyword) const SSH_TESTS: Form = Form::List(&Form::Object(&[
    required(
        "src",
        Form::Name(ssh::SOURCE),
        "Who.",
        r#""ada@example.com""#,
    ),
    required(
        "dst",
        Form::List(&Form::Name(&[
            Names::User,
            Names::Tag,
            Names::Host,
            Names::Address,
        ])),
        "Into which nodes.",
        r#"["tag:server"]"#,
    ),
    optional(
        "accept",
        LOGINS,
        "Users of the system as whom it must be possible without a check.",
        r#"["ubuntu"]"#,
    ),
    optional(
        "check",
        LOGINS,
        "Users of the system as whom it must ask for a recent sign-in.",
        r#"["root"]"#,
    ),
    optional(
        "deny",
        LOGINS,
        "Users of the system as whom it must be refused.",
        r#"["root"]"#,
    ),
    optional(
        "srcPostureAttrs",
        ATTRIBUTES,
        "The attributes that the source is taken to have, and no others.",
        r#"{ "node:os": "linux" }"#,
    ),
]));
