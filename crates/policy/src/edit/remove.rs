//! Entries that go.

use super::{
    Edit, EditError, Path, Replacement,
    layout::{self, BLANKS, Entry, Inside},
    missing, path, read,
};
use crate::{diagnostic::Span, source::Value};

/// Takes out the item or member at `path`, with its comma. Comments around it stay.
pub fn remove(text: &str, path: &Path) -> Result<Edit, EditError> {
    let root = read(text)?;
    let (inside, at) = entry(text, &root, path)?;
    let Some(entry) = inside.entries.get(at) else {
        return Err(missing(path));
    };
    let mut changes = Vec::new();
    let before = at.checked_sub(1).and_then(|b| inside.entries.get(b));
    match entry.comma {
        None => {
            // It was the last one: the one before it becomes the last, without a comma too.
            if let Some(comma) = before.and_then(|b| b.comma) {
                changes.push(Replacement::new(comma, comma + 1, ""));
            }
        }
        Some(comma) if comma > entry.span.end => {
            changes.push(Replacement::new(comma, comma + 1, ""));
        }
        Some(_) => {}
    }
    let gone = widened(text, &inside, entry);
    changes.push(Replacement::new(gone.start, gone.end, ""));
    Edit::checked(text, changes)
}

/// The container of the entry at `path`, and the entry's place in it.
pub(super) fn entry(text: &str, root: &Value, path: &Path) -> Result<(Inside, usize), EditError> {
    let (parent, step) = path.split_last().ok_or(EditError::Root)?;
    let container = parent.find(root).ok_or_else(|| missing(path))?;
    let at = path::position(container, step).ok_or_else(|| missing(path))?;
    let inside = Inside::of(text, container).ok_or_else(|| missing(path))?;
    Ok((inside, at))
}

/// The entry with the comma right behind it, and the lines or blanks that
/// nothing needs without it.
fn widened(text: &str, inside: &Inside, entry: &Entry) -> Span {
    let start = entry.span.start;
    let end = match entry.comma {
        Some(comma) if comma == entry.span.end => comma + 1,
        Some(_) | None => entry.span.end,
    };
    let stop = layout::line_stop(text, end);
    let rest = layout::slice(text, end, stop);
    let whole_lines = layout::is_first_on_line(text, start)
        && rest.trim_matches(BLANKS).is_empty()
        && rest.ends_with('\n')
        && layout::line_start(text, start) >= inside.span.start;
    if whole_lines {
        return Span::new(layout::line_start(text, start), stop);
    }
    let blank = |s: &str| s.len() - s.trim_start_matches([' ', '\t']).len();
    let behind = blank(layout::slice(text, end, inside.span.end));
    let is_last = inside.entries.last() == Some(entry);
    if is_last && !layout::is_first_on_line(text, start) {
        let before = layout::slice(text, inside.span.start, start);
        let bare = before.trim_end_matches([' ', '\t']);
        // A `//` comment may not swallow what follows; it ends with its line, so none is cut.
        return Span::new(inside.span.start + bare.len(), end);
    }
    Span::new(start, end + behind)
}
