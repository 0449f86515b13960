//! What stands between values: blanks, commas, comments, line ends.

use crate::{
    diagnostic::Span,
    source::{Kind, Value},
};

/// One item of an array or member of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// From its first byte (of the key, in an object) to one past the last.
    pub(super) span: Span,
    /// Where its comma stands.
    pub(super) comma: Option<usize>,
}

/// A comment, without the line end behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) span: Span,
    /// True for `//`.
    pub(super) is_line: bool,
}

/// The inside of an array or object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inside {
    /// From behind the opening bracket to the closing one.
    pub(super) span: Span,
    pub(super) is_object: bool,
    pub(super) entries: Vec<Entry>,
    /// The comments between the entries, before the first and behind the last.
    pub(super) comments: Vec<Comment>,
}

impl Inside {
    /// Of an array or object of a document that can be read; `None` for other values.
    pub(super) fn of(text: &str, value: &Value) -> Option<Self> {
        let (spans, is_object): (Vec<Span>, bool) = match &value.kind {
            Kind::Array(items) => (items.iter().map(|i| i.span).collect(), false),
            Kind::Object(members) => {
                let span =
                    |m: &crate::source::Member| Span::new(m.key.span.start, m.value.span.end);
                (members.iter().map(span).collect(), true)
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => return None,
        };
        let span = Span::new(value.span.start + 1, value.span.end - 1);
        let ends = spans.iter().skip(1).map(|s| s.start).chain([span.end]);
        let mut comments = Vec::new();
        let first = spans.first().map_or(span.end, |s| s.start);
        gap(text, Span::new(span.start, first), &mut comments);
        let entries = spans
            .iter()
            .zip(ends)
            .map(|(entry, end)| Entry {
                span: *entry,
                comma: gap(text, Span::new(entry.end, end), &mut comments),
            })
            .collect();
        Some(Self {
            span,
            is_object,
            entries,
            comments,
        })
    }
}

/// The comma of a gap; its comments are added to `comments`.
fn gap(text: &str, span: Span, comments: &mut Vec<Comment>) -> Option<usize> {
    let mut comma = None;
    let mut at = span.start;
    while at < span.end {
        let rest = slice(text, at, span.end);
        if let Some((length, is_line)) = comment(rest) {
            comments.push(Comment {
                span: Span::new(at, at + length),
                is_line,
            });
            at += length;
            continue;
        }
        if rest.starts_with(',') {
            comma = Some(at);
        }
        at += 1;
    }
    comma
}

/// The length of the comment that `rest` starts with, and whether it is `//`.
pub(super) fn comment(rest: &str) -> Option<(usize, bool)> {
    if rest.starts_with("//") {
        let line = rest.find('\n').unwrap_or(rest.len());
        return Some((line, true));
    }
    let body = rest.strip_prefix("/*")?;
    body.find("*/").map(|end| (end + 4, false))
}

/// True for blanks and whole comments up to the end; a last `//` may be open.
pub(super) fn is_trivia(mut rest: &str) -> bool {
    loop {
        rest = rest.trim_start_matches(BLANKS);
        match comment(rest) {
            Some((length, _)) => rest = rest.get(length..).unwrap_or_default(),
            None => return rest.is_empty(),
        }
    }
}

/// The bytes that separate nothing.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// A part of the text; empty where the range is none.
pub(super) fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

/// Where the line of a byte begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    slice(text, 0, at).rfind('\n').map_or(0, |n| n + 1)
}

/// One past the last byte of the line of a byte, its `\n` included.
pub(super) fn line_stop(text: &str, at: usize) -> usize {
    let rest = slice(text, at, text.len());
    rest.find('\n').map_or(text.len(), |n| at + n + 1)
}

/// The blanks that the line of a byte begins with.
pub(super) fn indent_of_line(text: &str, at: usize) -> &str {
    let line = slice(text, line_start(text, at), at);
    let length = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..length).unwrap_or_default()
}

/// True when only blanks stand before the byte on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    let start = line_start(text, at);
    start > 0 && slice(text, start, at).trim_matches(BLANKS).is_empty()
}

/// The document's line end.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if slice(text, 0, at).ends_with('\r') => "\r\n",
        Some(_) | None => "\n",
    }
}

/// One step of the document's indentation: that of its first indented line.
pub(super) fn indent_unit(text: &str) -> &str {
    text.lines()
        .find_map(|line| {
            let bare = line.trim_start_matches([' ', '\t']);
            let indent = line.get(..line.len() - bare.len())?;
            (!indent.is_empty() && bare.starts_with('"')).then_some(indent)
        })
        .unwrap_or("\t")
}
