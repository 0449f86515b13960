//! Edits of a document by path that change only what they name.
//!
//! Comments, order, indentation and text that nothing knows survive: an edit
//! is a few byte ranges and what to put there. An entry is switched off by
//! making it a comment, and on again byte for byte.
//!
//! ```text
//! text + path (+ value) ──▶ Edit ──apply──▶ text
//! ```
//!
//! Every edit is judged before it is handed out: its result can be read.

mod add;
mod layout;
mod path;
mod remove;
mod switch;

use std::borrow::Cow;

pub use path::Path;
pub use switch::{Off, off_entries, switch_off, switch_on};

pub use add::{add, append, insert};
pub use remove::remove;

use crate::{
    diagnostic::{Diagnostic, Span},
    source::{self, Value},
};

/// Puts `text` in the place of a byte range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// What goes; empty where something is only put in.
    pub span: Span,
    /// What comes.
    pub text: String,
}

impl Replacement {
    fn new(start: usize, end: usize, text: impl Into<String>) -> Self {
        Self {
            span: Span::new(start, end),
            text: text.into(),
        }
    }
}

/// What an edit changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// In document order; they do not overlap.
    pub replacements: Vec<Replacement>,
}

impl Edit {
    /// The edited text. `text` must be the one that the edit was made for.
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for change in &self.replacements {
            out.push_str(text.get(at..change.span.start).unwrap_or_default());
            out.push_str(&change.text);
            at = change.span.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// Puts the changes in order and holds the result against the reader.
    fn checked(text: &str, mut replacements: Vec<Replacement>) -> Result<Self, EditError> {
        replacements.sort_by_key(|r| r.span);
        let edit = Self { replacements };
        match source::read(&edit.apply(text)) {
            Ok(_) => Ok(edit),
            Err(found) => Err(EditError::Result(Box::new(found))),
        }
    }
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The document cannot be read; the finding's span points into it.
    #[error("the document cannot be read: {}: correct this first", .0.message)]
    Document(Box<Diagnostic>),
    /// The new value cannot be read; the finding's span points into the value.
    #[error("the new value cannot be read: {}", .0.message)]
    Value(Box<Diagnostic>),
    /// The document would grow over a limit of [`crate::source`].
    #[error("the edited document could not be read: {}", .0.message)]
    Result(Box<Diagnostic>),
    /// Nothing stands there.
    #[error("there is nothing at `{0}`")]
    Missing(Path),
    /// Something else stands there.
    #[error("`{path}` is {found}, not {wanted}")]
    Kind {
        /// Where.
        path: Path,
        /// What stands there.
        found: &'static str,
        /// What the edit needs.
        wanted: &'static str,
    },
    /// The key is taken.
    #[error("`{path}` has a key `{key}` already: set its value instead")]
    Exists {
        /// The object.
        path: Path,
        /// The key.
        key: String,
    },
    /// The whole document can be neither removed nor switched off.
    #[error("the whole document can only be replaced")]
    Root,
    /// No entry was switched off there.
    #[error("no entry is switched off at byte {0}")]
    NotOff(usize),
}

/// Puts another value at `path`.
pub fn set(text: &str, path: &Path, value: &str) -> Result<Edit, EditError> {
    let root = read(text)?;
    let found = path.find(&root).ok_or_else(|| missing(path))?;
    let indent = layout::indent_of_line(text, found.span.start);
    let value = new_value(value, text, indent)?;
    let change = Replacement::new(found.span.start, found.span.end, value);
    Edit::checked(text, vec![change])
}

fn read(text: &str) -> Result<Value, EditError> {
    source::read(text).map_err(|found| EditError::Document(Box::new(found)))
}

fn missing(path: &Path) -> EditError {
    EditError::Missing(path.clone())
}

/// A value as it goes into the document: what stands around it is dropped, its
/// later lines follow the indentation and its line ends the document's.
fn new_value(value: &str, text: &str, indent: &str) -> Result<String, EditError> {
    let read = source::read(value).map_err(|found| EditError::Value(Box::new(found)))?;
    let bare = layout::slice(value, read.span.start, read.span.end);
    if !bare.contains('\n') {
        return Ok(bare.to_owned());
    }
    let end = layout::line_end(text);
    let lines: Vec<Cow<'_, str>> = bare
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .enumerate()
        .map(|(number, line)| match number {
            0 => Cow::Borrowed(line),
            _ if line.is_empty() => Cow::Borrowed(""),
            _ => Cow::Owned(format!("{indent}{line}")),
        })
        .collect();
    Ok(lines.join(end))
}

#[cfg(test)]
#[expect(
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, and each looks at a few kinds of JSON"
)]
mod laws;
#[cfg(test)]
mod tests;
