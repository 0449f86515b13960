//! Names that nothing uses.

use super::view::View;
use crate::diagnostic::{Code, Sink};

/// The sections that define names, and what each defines.
const DEFINE: [(&str, &str, &str); 5] = [
    ("groups", "group", "name it in a rule, or take it out"),
    ("hosts", "host", "name it in a rule, or take it out"),
    ("ipsets", "set", "name it in a rule, or take it out"),
    (
        "postures",
        "posture",
        "name it in `srcPosture`, or take it out",
    ),
    (
        "tagOwners",
        "tag",
        "no rule lets nodes with it reach or be reached by that name: name it in a rule, or take it out",
    ),
];

pub(super) fn look(view: &View<'_>, sink: &mut Sink) {
    let used = view.used(false);
    let tested = view.used(true);
    for (section, what, help) in DEFINE {
        for member in view.names(section) {
            let name = member.key.text.as_str();
            if used.contains(name) {
                continue;
            }
            let (message, help) = if tested.contains(name) {
                (
                    format!("nothing but tests uses the {what} `{name}`"),
                    "name it in a rule, or take it and its tests out",
                )
            } else {
                (format!("the {what} `{name}` is used nowhere"), help)
            };
            sink.warning(Code::Unused, member.key.span, message)
                .help(help);
        }
    }
}
