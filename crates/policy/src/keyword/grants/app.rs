//! The `app` of a grant: capabilities of applications.

use crate::{
    diagnostic::{Code, Sink},
    document::App,
    shape,
    source::{Kind, Text, Value},
};

/// The most capabilities of one grant.
const MAX_CAPABILITIES: usize = 1_000;
/// The domain that is not the administrator's to give from.
const RESERVED: &str = "tailscale.com/";
/// What may be given of it all the same.
const GIVEN: [&str; 8] = [
    "tailscale.com/cap/drive",
    "tailscale.com/cap/relay",
    "tailscale.com/cap/webui",
    "tailscale.com/cap/kubernetes",
    "tailscale.com/cap/tsidp",
    "tailscale.com/cap/secrets",
    "tailscale.com/cap/tailsql",
    "tailscale.com/cap/golink",
];

/// Reads the capabilities; `None` when one cannot be read.
pub(super) fn read(value: &Value, sink: &mut Sink) -> Option<Vec<App>> {
    let members = shape::members(value, "`app`", sink)?;
    if !shape::within(
        members.len(),
        MAX_CAPABILITIES,
        "capabilities",
        value.span,
        sink,
    ) {
        return None;
    }
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        if !name_fits(&member.key, sink) {
            return None;
        }
        let values = match &member.value.kind {
            Kind::Null => Vec::new(),
            Kind::Array(_)
            | Kind::Object(_)
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::String(_) => {
                let what = format!("`{}`", member.key.text);
                shape::items(&member.value, &what, sink)?
                    .iter()
                    .map(shape::json)
                    .collect()
            }
        };
        all.push(App {
            name: member.key.clone(),
            values,
        });
    }
    Some(all)
}

fn name_fits(name: &Text, sink: &mut Sink) -> bool {
    let text = name.text.as_str();
    let path = text.split_once('/');
    let has_form = !text.contains("://")
        && path.is_some_and(|(domain, path)| !domain.is_empty() && !path.is_empty());
    if !has_form {
        sink.error(
            Code::InvalidCapability,
            name.span,
            "capability name must have the form {domain}/{path}",
        )
        .help("as in `example.com/cap/sql`");
        return false;
    }
    if text.starts_with(RESERVED) && !GIVEN.contains(&text) {
        sink.error(
            Code::InvalidCapability,
            name.span,
            "capability name must not be in the tailscale.com domain",
        )
        .did_you_mean(text, GIVEN.into_iter());
        return false;
    }
    true
}
