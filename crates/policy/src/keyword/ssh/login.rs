//! The entries of `users`.

use crate::{
    diagnostic::{Code, Sink, Span},
    document::ssh::{Login, LoginKind},
    keyword::parts::list,
    source::{Text, Value},
};

/// The entries; `None` after a diagnosis.
pub(super) fn read(value: Option<&Value>, rule: Span, sink: &mut Sink) -> Option<Vec<Login>> {
    let texts = list(value, "`users`", sink);
    if texts.is_empty() {
        sink.error(
            Code::MissingKey,
            value.map_or(rule, |v| v.span),
            "users must be specified",
        )
        .help("write `\"users\": [\"autogroup:nonroot\"]`, or name users of the system");
        return None;
    }
    Some(texts.iter().filter_map(|text| one(text, sink)).collect())
}

fn one(text: &Text, sink: &mut Sink) -> Option<Login> {
    let kind = match text.text.as_str() {
        "" | "*" => {
            sink.error(
                Code::InvalidName,
                text.span,
                format!("user \"{}\" is not valid", text.text),
            )
            .help("write `autogroup:nonroot` for every user but root");
            return None;
        }
        "root" => LoginKind::Root,
        "autogroup:nonroot" => LoginKind::Nonroot,
        // Only this form maps people to names; any other is taken as a name.
        other => match other.strip_prefix("localpart:*@") {
            Some(domain) if !domain.is_empty() => LoginKind::LocalPart(domain.to_lowercase()),
            Some(_) | None => LoginKind::Named(other.to_owned()),
        },
    };
    if let LoginKind::Named(name) = &kind
        && (name.contains(':') || name.contains('@'))
    {
        sink.warning(
            Code::UnlikelyName,
            text.span,
            format!("`{name}` is taken as the name of a user of the system"),
        )
        .help("write `autogroup:nonroot`, `localpart:*@domain`, or the user's name");
    }
    Some(Login {
        span: text.span,
        kind,
    })
}
