//! `ssh`.

use super::{
    access::{PEOPLE, POSTURE},
    optional, required,
};
use crate::{
    keyword::form::{Form, Names},
    selector::autogroup::Autogroup,
};

pub(in crate::keyword) const SOURCE: &[Names] = &[
    Names::User,
    Names::Group,
    Names::Tag,
    Names::Domain,
    PEOPLE,
    Names::Autogroups(&[Autogroup::Tagged]),
];
pub(in crate::keyword) const DESTINATION: &[Names] = &[
    Names::User,
    Names::Tag,
    Names::Autogroups(&[Autogroup::SelfDevices, Autogroup::Member, Autogroup::Tagged]),
];
pub(in crate::keyword) const RECORDER: &[Names] = &[Names::Tag];

pub(in crate::keyword) const SSH: Form = Form::List(&Form::Object(&[
    required(
        "action",
        Form::OneOf(&["accept", "check"]),
        "`accept`, or `check`: the person must have signed in lately.",
        r#""accept""#,
    ),
    required(
        "src",
        Form::List(&Form::Name(SOURCE)),
        "Who.",
        r#"["autogroup:member"]"#,
    ),
    required(
        "dst",
        Form::List(&Form::Name(DESTINATION)),
        "Into which nodes.",
        r#"["autogroup:self"]"#,
    ),
    required(
        "users",
        Form::List(&Form::Name(&[
            Names::Autogroups(&[Autogroup::Nonroot]),
            Names::Word("root"),
            Names::Other("a user of the system"),
            Names::Other("`localpart:*@domain`"),
        ])),
        "As which users of the operating system.",
        r#"["autogroup:nonroot", "root"]"#,
    ),
    optional(
        "checkPeriod",
        Form::Text("a duration such as `12h`, or `always`"),
        "With `check`: how long a sign-in counts; 12 hours by default.",
        r#""8h""#,
    ),
    optional(
        "acceptEnv",
        Form::List(&Form::Text(
            "the name of a variable; `*` and `?` stand for others",
        )),
        "Variables of the environment that the client may send.",
        r#"["GIT_*"]"#,
    ),
    optional(
        "recorder",
        Form::List(&Form::Name(RECORDER)),
        "Nodes that record the sessions.",
        r#"["tag:recorder"]"#,
    ),
    optional(
        "enforceRecorder",
        Form::Boolean,
        "Whether a session ends when nothing records it.",
        "true",
    ),
    optional(
        "srcPosture",
        POSTURE,
        "Postures of which a source device must meet one.",
        r#"["posture:managed"]"#,
    ),
]));
