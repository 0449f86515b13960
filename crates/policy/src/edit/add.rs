//! New entries.

use super::{
    Edit, EditError, Path, Replacement,
    layout::{self, BLANKS, Inside},
    missing, new_value, path, read,
};
use crate::source::{Kind, Value};

/// Adds a value at the end of the array at `path`. An array that is missing in
/// its object is made.
pub fn append(text: &str, path: &Path, value: &str) -> Result<Edit, EditError> {
    let root = read(text)?;
    let Some(array) = path.find(&root) else {
        let (parent, key) = path.split_last().ok_or_else(|| missing(path))?;
        let bare = new_value(value, text, "")?;
        return add(text, &parent, key, &format!("[{bare}]"));
    };
    let inside = array_inside(text, array, path)?;
    at_end(text, &inside, |indent| new_value(value, text, indent))
}

/// Puts a value before the item at `path`; its last step may be the number of
/// items, or `-`, for the end.
pub fn insert(text: &str, path: &Path, value: &str) -> Result<Edit, EditError> {
    let root = read(text)?;
    let (parent, step) = path.split_last().ok_or(EditError::Root)?;
    let array = parent.find(&root).ok_or_else(|| missing(path))?;
    let inside = array_inside(text, array, &parent)?;
    if step == "-" || step == inside.entries.len().to_string() {
        return at_end(text, &inside, |indent| new_value(value, text, indent));
    }
    let at = path::position(array, step).ok_or_else(|| missing(path))?;
    let start = inside.entries.get(at).map_or(0, |e| e.span.start);
    let change = if layout::is_first_on_line(text, start) {
        let indent = layout::indent_of_line(text, start);
        let line = comments_above(text, &inside, start);
        let value = new_value(value, text, indent)?;
        let end = layout::line_end(text);
        Replacement::new(line, line, format!("{indent}{value},{end}"))
    } else {
        let value = new_value(value, text, layout::indent_of_line(text, start))?;
        Replacement::new(start, start, format!("{value}, "))
    };
    Edit::checked(text, vec![change])
}

/// Adds a member to the object at `path`, at its end.
pub fn add(text: &str, path: &Path, key: &str, value: &str) -> Result<Edit, EditError> {
    let root = read(text)?;
    let object = path.find(&root).ok_or_else(|| missing(path))?;
    let inside = match &object.kind {
        Kind::Object(_) => Inside::of(text, object),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Array(_) => None,
    };
    let inside = inside.ok_or_else(|| kind(object, path, "an object"))?;
    if path::position(object, key).is_some() {
        return Err(EditError::Exists {
            path: path.clone(),
            key: key.to_owned(),
        });
    }
    let key = serde_json::Value::from(key).to_string();
    at_end(text, &inside, |indent| {
        Ok(format!("{key}: {}", new_value(value, text, indent)?))
    })
}

fn array_inside(text: &str, value: &Value, path: &Path) -> Result<Inside, EditError> {
    Inside::of(text, value)
        .filter(|inside| !inside.is_object)
        .ok_or_else(|| kind(value, path, "an array"))
}

fn kind(value: &Value, path: &Path, wanted: &'static str) -> EditError {
    EditError::Kind {
        path: path.clone(),
        found: value.kind.name(),
        wanted,
    }
}

/// Where the line of the first of the comments begins that stand, line by line,
/// right above an entry: they speak of it.
fn comments_above(text: &str, inside: &Inside, entry: usize) -> usize {
    let own = layout::line_start(text, entry);
    let mut line = own;
    let above = inside
        .comments
        .iter()
        .rev()
        .skip_while(|c| c.span.start >= own);
    for comment in above {
        let behind = layout::slice(text, comment.span.end, line);
        let ends_above = behind.bytes().filter(|b| *b == b'\n').count() == 1
            && behind.trim_matches(BLANKS).is_empty();
        if !ends_above || !layout::is_first_on_line(text, comment.span.start) {
            break;
        }
        line = layout::line_start(text, comment.span.start);
    }
    line
}

/// Adds an entry behind all entries and comments.
fn at_end(
    text: &str,
    inside: &Inside,
    entry: impl FnOnce(&str) -> Result<String, EditError>,
) -> Result<Edit, EditError> {
    let last = inside.entries.last();
    // A document without trailing commas stays one.
    let trailing = if last.is_some_and(|l| l.comma.is_some()) {
        ","
    } else {
        ""
    };
    let mut changes = Vec::new();
    if let Some(last) = last.filter(|l| l.comma.is_none()) {
        changes.push(Replacement::new(last.span.end, last.span.end, ","));
    }
    let close = inside.span.end;
    let full = layout::slice(text, inside.span.start, close).trim_end_matches(BLANKS);
    let content_end = inside.span.start + full.len();
    let own_line = last.filter(|l| layout::is_first_on_line(text, l.span.start));
    let change = if layout::is_first_on_line(text, close)
        && layout::line_start(text, close) > inside.span.start
    {
        let indent = if let Some(last) = own_line {
            layout::indent_of_line(text, last.span.start).to_owned()
        } else {
            let outer = layout::indent_of_line(text, close);
            format!("{outer}{}", layout::indent_unit(text))
        };
        let line = layout::line_start(text, close);
        let end = layout::line_end(text);
        let value = entry(&indent)?;
        Replacement::new(line, line, format!("{indent}{value}{trailing}{end}"))
    } else if let Some(last) = own_line {
        let indent = layout::indent_of_line(text, last.span.start);
        let end = layout::line_end(text);
        let value = entry(indent)?;
        Replacement::new(
            content_end,
            content_end,
            format!("{end}{indent}{value}{trailing}"),
        )
    } else {
        let value = entry(layout::indent_of_line(text, close))?;
        if !full.is_empty() {
            Replacement::new(content_end, content_end, format!(" {value}{trailing}"))
        } else if inside.is_object && inside.span.start == close {
            Replacement::new(close, close, format!(" {value} "))
        } else {
            Replacement::new(close, close, value)
        }
    };
    changes.push(change);
    Edit::checked(text, changes)
}
