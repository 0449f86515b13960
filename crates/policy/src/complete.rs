//! What can be written at a place: keys, groups, tags, hosts, users and words.
//!
//! It works on texts that cannot be read (yet), and offers what the keyword
//! table ([`crate::keyword`]) says of the place.

mod names;

use crate::{
    cursor::{Cursor, Frame, Place, Token},
    diagnostic::Span,
    directory::Directory,
    keyword::{
        KEYWORDS,
        form::{Field, Form, Names, Need},
    },
};
use names::Known;

/// The most that is offered at once.
pub const MAX_OFFERS: usize = 100;

/// What can be written at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The bytes that an offer takes the place of.
    pub span: Span,
    /// The best first.
    pub offers: Vec<Offer>,
}

/// Something that can be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// What it is called.
    pub label: String,
    /// What it is.
    pub detail: String,
    /// What to write, with the quotes that are missing.
    pub insert: String,
    /// A key or a value.
    pub kind: OfferKind,
}

/// What an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferKind {
    /// The key of an object.
    Key,
    /// A value, or a part of one.
    Value,
}

/// What can be written at byte `at` of `text`.
pub fn complete(text: &str, at: usize, directory: &Directory) -> Completion {
    offers(text, at, directory).unwrap_or_default()
}

fn offers(text: &str, at: usize, directory: &Directory) -> Option<Completion> {
    let cursor = Cursor::at(text, at)?;
    let frame = cursor.open.last()?;
    let place = cursor.form()?;
    let known = Known::of(text, directory);
    let words = if frame.expects_key() {
        keys(place, frame, &known)
    } else {
        let Place::In(form) = place.step(frame)? else {
            return None;
        };
        values(form, &known)
    };
    let (mut span, typed) = match cursor.token {
        Some(Token::String(span, _) | Token::Word(span, _)) => {
            (span, text.get(span.start..at).unwrap_or_default())
        }
        Some(Token::Comment(_)) | None => (Span::new(at, at), ""),
    };
    let quoted = matches!(cursor.token, Some(Token::String(..)));
    let ports = text.get(at..span.end).and_then(ports_behind);
    if let Some(ports) = ports {
        span.end = at + ports;
    }
    let mut found: Vec<(bool, Offer)> = words
        .into_iter()
        .filter_map(|word| word.fit(typed, quoted, ports.is_some()))
        .collect();
    found.sort();
    found.dedup();
    found.truncate(MAX_OFFERS);
    Some(Completion {
        span,
        offers: found.into_iter().map(|(_, offer)| offer).collect(),
    })
}

/// Where the ports begin that stand at the end of `rest`.
fn ports_behind(rest: &str) -> Option<usize> {
    let (name, ports) = rest.rsplit_once(':')?;
    let is_port = |c: char| c.is_ascii_digit() || matches!(c, '*' | ',' | '-');
    (!ports.is_empty() && ports.chars().all(is_port)).then_some(name.len())
}

/// Something to write, before it is known how.
struct Word {
    text: String,
    detail: String,
    kind: OfferKind,
    /// Whether it is a string.
    is_string: bool,
    /// Whether ports belong behind it.
    ported: bool,
}

impl Word {
    fn key(text: &str, detail: &str) -> Self {
        Self {
            kind: OfferKind::Key,
            ..Self::value(text, detail)
        }
    }

    fn value(text: &str, detail: &str) -> Self {
        Self {
            text: text.to_owned(),
            detail: detail.to_owned(),
            kind: OfferKind::Value,
            is_string: true,
            ported: false,
        }
    }

    /// The offer, if it fits what is typed; false before it when it begins so.
    fn fit(self, typed: &str, quoted: bool, has_ports: bool) -> Option<(bool, Offer)> {
        let (lower, typed) = (self.text.to_lowercase(), typed.to_lowercase());
        if !lower.contains(&typed) || (quoted && !self.is_string) {
            return None;
        }
        let label = if self.ported && !has_ports {
            format!("{}:*", self.text)
        } else {
            self.text
        };
        let escaped = serde_json::Value::from(label.as_str()).to_string();
        let insert = match (quoted, self.is_string) {
            (true, _) => escaped.trim_matches('"').to_owned(),
            (false, true) => escaped,
            (false, false) => label.clone(),
        };
        let offer = Offer {
            label,
            detail: self.detail,
            insert,
            kind: self.kind,
        };
        Some((!lower.starts_with(&typed), offer))
    }
}

fn keys(place: Place, frame: &Frame, known: &Known<'_>) -> Vec<Word> {
    let is_new = |name: &str| !frame.keys.iter().any(|k| k == name);
    let offered = |f: &&Field| !matches!(f.need, Need::Spells(_)) && is_new(f.name);
    match place {
        Place::Top => KEYWORDS
            .iter()
            .filter(|k| k.is_supported() && is_new(k.name))
            .map(|k| Word::key(k.name, k.summary))
            .collect(),
        Place::In(Form::Map(names, _)) => names
            .iter()
            .flat_map(|kind| known.list(*kind))
            .filter(|(name, _)| is_new(name))
            .map(|(name, detail)| Word::key(&name, &detail))
            .collect(),
        Place::In(form) => form
            .fields()
            .iter()
            .filter(offered)
            .map(|f| Word::key(f.name, f.summary))
            .collect(),
    }
}

fn values(form: Form, known: &Known<'_>) -> Vec<Word> {
    let all = |names: &[Names], ported: bool| {
        let words = names.iter().flat_map(|kind| known.list(*kind));
        words
            .map(|(name, detail)| Word {
                ported,
                ..Word::value(&name, &detail)
            })
            .collect()
    };
    match form {
        Form::Boolean => ["true", "false"]
            .map(|text| Word {
                is_string: false,
                ..Word::value(text, "")
            })
            .into(),
        Form::OneOf(words) => words.iter().map(|w| Word::value(w, "")).collect(),
        Form::Name(names) => all(names, false),
        Form::Target(names) => all(names, true),
        Form::Text(_) | Form::List(_) | Form::Map(..) | Form::Object(_) | Form::Any => Vec::new(),
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
