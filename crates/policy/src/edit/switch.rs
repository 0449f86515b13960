//! Entries switched off by making them comments, and on again byte for byte.
//!
//! An entry that has its lines to itself gets `// ` before each of them. Any
//! other becomes `/* off: … */`; a `*/` inside it is broken by a backslash.

use super::{
    Edit, EditError, Path, Replacement,
    layout::{self, BLANKS, Comment, Entry, Inside},
    missing, read, remove,
};
use crate::{diagnostic::Span, source};

const OPEN: &str = "/* off: ";
const CLOSE: &str = " */";
/// What entries begin with that become lines of comments: prose does not.
const LINE_STARTS: [char; 3] = ['{', '[', '"'];
/// How many times over the text may be read to find what is switched off.
const MAX_READS: usize = 16;

/// An entry that is switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Off {
    /// The comment, or the lines of comments; [`switch_on`] takes its start.
    pub span: Span,
    /// How many entries that are on stand before it.
    pub index: usize,
    /// The entry's text, without its comma.
    pub text: String,
}

/// Makes the item or member at `path` a comment.
pub fn switch_off(text: &str, path: &Path) -> Result<Edit, EditError> {
    let root = read(text)?;
    let (inside, at) = remove::entry(text, &root, path)?;
    let entry = inside.entries.get(at).ok_or_else(|| missing(path))?;
    if let Some(span) = lines(text, &inside, entry) {
        let changes = line_starts(text, span)
            .map(|(at, is_blank)| Replacement::new(at, at, if is_blank { "//" } else { "// " }));
        let edit = Edit::checked(text, changes.collect())?;
        // Below thousands of comments that look like entries it would not be found again.
        if switch_on(&edit.apply(text), entry.span.start).is_ok() {
            return Ok(edit);
        }
    }
    let end = entry.comma.map_or(entry.span.end, |c| c + 1);
    let hidden = hide(layout::slice(text, entry.span.start, end));
    let comment = format!("{OPEN}{hidden}{CLOSE}");
    let change = Replacement::new(entry.span.start, end, comment);
    Edit::checked(text, vec![change])
}

/// The entries of the array or object at `path` that are switched off.
pub fn off_entries(text: &str, path: &Path) -> Result<Vec<Off>, EditError> {
    let root = read(text)?;
    let container = path.find(&root).ok_or_else(|| missing(path))?;
    let inside = Inside::of(text, container).ok_or_else(|| missing(path))?;
    Ok(hidden(text, &inside).into_iter().map(|h| h.off).collect())
}

/// Puts the entry that is switched off at byte `at` back.
pub fn switch_on(text: &str, at: usize) -> Result<Edit, EditError> {
    let root = read(text)?;
    let (path, _) = Path::at(&root, at);
    let container = path.find(&root).ok_or(EditError::NotOff(at))?;
    let inside = Inside::of(text, container).ok_or(EditError::NotOff(at))?;
    let found = hidden(text, &inside)
        .into_iter()
        .find(|h| h.off.span.start == at)
        .ok_or(EditError::NotOff(at))?;
    Edit::checked(text, found.shown(&inside))
}

struct Hidden {
    off: Off,
    has_comma: bool,
    /// Where the entry's own text ends in the document as it is.
    end: usize,
    changes: Vec<Replacement>,
}

impl Hidden {
    /// The changes that bring it back, with the commas that it and the entry
    /// before it need now.
    fn shown(self, inside: &Inside) -> Vec<Replacement> {
        let mut changes = self.changes;
        let (before, after) = inside
            .entries
            .split_at(self.off.index.min(inside.entries.len()));
        if let Some(last) = before.last().filter(|b| b.comma.is_none()) {
            changes.push(Replacement::new(last.span.end, last.span.end, ","));
        }
        if !after.is_empty() && !self.has_comma {
            match changes.iter_mut().find(|c| !c.text.is_empty()) {
                Some(block) => block.text.push(','),
                None => changes.push(Replacement::new(self.end, self.end, ",")),
            }
        }
        changes
    }
}

/// Everything that is switched off in a container, in order.
fn hidden(text: &str, inside: &Inside) -> Vec<Hidden> {
    let mut found: Vec<Hidden> = Vec::new();
    let mut done = inside.span.start;
    let mut budget = text.len().saturating_mul(MAX_READS);
    for (number, comment) in inside.comments.iter().enumerate() {
        if comment.span.start < done || before_comma(inside, comment.span.start) {
            continue;
        }
        let hit = if comment.is_line {
            let run = run(text, inside.comments.get(number..).unwrap_or_default());
            in_lines(text, inside, run, &mut budget)
        } else {
            in_block(text, inside, comment)
        };
        if let Some(hit) = hit {
            done = hit.off.span.end;
            found.push(hit);
        }
    }
    found
}

/// True between an entry and its comma, where no other entry can stand.
fn before_comma(inside: &Inside, at: usize) -> bool {
    let last = index_of(inside, at).checked_sub(1);
    let comma = last
        .and_then(|l| inside.entries.get(l))
        .and_then(|e| e.comma);
    comma.is_some_and(|comma| at < comma)
}

fn index_of(inside: &Inside, at: usize) -> usize {
    inside.entries.partition_point(|e| e.span.end <= at)
}

fn in_block(text: &str, inside: &Inside, comment: &Comment) -> Option<Hidden> {
    let whole = layout::slice(text, comment.span.start, comment.span.end);
    let shown = show(whole.strip_prefix(OPEN)?.strip_suffix(CLOSE)?);
    let (length, behind) = entry_at_start(&shown, inside.is_object)?;
    let rest = shown.get(behind.unwrap_or(length)..)?;
    // Exactly what is written when an entry is switched off: nothing behind its comma.
    if !rest.is_empty() {
        return None;
    }
    Some(Hidden {
        off: Off {
            span: comment.span,
            index: index_of(inside, comment.span.start),
            text: shown.get(..length)?.to_owned(),
        },
        has_comma: behind.is_some(),
        end: comment.span.end,
        changes: vec![Replacement::new(
            comment.span.start,
            comment.span.end,
            shown,
        )],
    })
}

/// The lines from the first comment on that are comments and nothing else.
fn run(text: &str, comments: &[Comment]) -> Span {
    let mut span = Span::default();
    for comment in comments {
        let is_own = comment.is_line && layout::is_first_on_line(text, comment.span.start);
        let follows =
            span == Span::default() || layout::line_start(text, comment.span.start) == span.end;
        if !is_own || !follows {
            break;
        }
        if span == Span::default() {
            span.start = comment.span.start;
        }
        span.end = layout::line_stop(text, comment.span.end);
    }
    span
}

/// An entry whose lines begin with `//`, at the start of the lines of `run`.
/// It is sought in one line, then in two, four, …, while `budget` bytes last.
fn in_lines(text: &str, inside: &Inside, run: Span, budget: &mut usize) -> Option<Hidden> {
    let mut lines = 1;
    loop {
        let bare = Bare::of(text, run, lines)?;
        *budget = budget.checked_sub(bare.text.len())?;
        match bare.entry(text, inside, run) {
            Sought::Found(found) => return Some(found),
            Sought::Cut if bare.cuts.len() == lines => {}
            Sought::Cut | Sought::None => return None,
        }
        lines *= 2;
    }
}

/// What lines of comments begin with.
enum Sought {
    Found(Hidden),
    /// Something that further lines may make an entry.
    Cut,
    None,
}

/// Lines of comments without their `//`.
struct Bare {
    text: String,
    /// By line: where its body begins in `text`, and its `//` in the document.
    cuts: Vec<(usize, Span)>,
}

impl Bare {
    /// The first lines of `run`; `None` when no entry can begin there.
    fn of(text: &str, run: Span, lines: usize) -> Option<Self> {
        let mut bare = Self {
            text: String::new(),
            cuts: Vec::new(),
        };
        let mut at = run.start;
        let run = layout::slice(text, run.start, run.end);
        for line in run.split_inclusive('\n').take(lines) {
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            let body = line.get(indent..)?.strip_prefix("//")?;
            let marker = 2 + usize::from(body.starts_with(' '));
            bare.text.push_str(line.get(..indent)?);
            let cut = Span::new(at + indent, at + indent + marker);
            bare.cuts.push((bare.text.len(), cut));
            bare.text.push_str(line.get(indent + marker..)?);
            at += line.len();
        }
        bare.text.starts_with(LINE_STARTS).then_some(bare)
    }

    fn entry(&self, text: &str, inside: &Inside, run: Span) -> Sought {
        match source::first_entry(&self.text, inside.is_object) {
            Ok(length) => self
                .hidden(length, text, inside, run)
                .map_or(Sought::None, Sought::Found),
            // What is wrong before the end stays wrong; a comment may end further on.
            Err(why) if why.span.end < self.text.trim_end().len() && !self.opens(why.span) => {
                Sought::None
            }
            Err(_) => Sought::Cut,
        }
    }

    fn opens(&self, span: Span) -> bool {
        layout::slice(&self.text, span.start, span.end) == "/*"
    }

    fn hidden(&self, length: usize, text: &str, inside: &Inside, run: Span) -> Option<Hidden> {
        let behind = comma_behind(&self.text, length);
        let blank =
            |b: usize| layout::slice(&self.text, length, b).trim_matches([' ', '\t']) == ",";
        let comma = behind.filter(|b| blank(*b));
        let after = comma.unwrap_or(length);
        let stop = layout::line_stop(&self.text, after);
        if !is_tail(layout::slice(&self.text, after, stop)) {
            return None;
        }
        let within = |place: usize| self.cuts.iter().take_while(move |(at, _)| *at < place);
        let changes: Vec<Replacement> = within(stop)
            .map(|(_, cut)| Replacement::new(cut.start, cut.end, ""))
            .collect();
        let removed: usize = within(length).map(|(_, cut)| cut.end - cut.start).sum();
        let last = changes.last()?.span.start;
        Some(Hidden {
            off: Off {
                span: Span::new(run.start, line_body_end(text, last)),
                index: index_of(inside, run.start),
                text: self.text.get(..length)?.to_owned(),
            },
            has_comma: comma.is_some(),
            end: run.start + length + removed,
            changes,
        })
    }
}

fn line_body_end(text: &str, at: usize) -> usize {
    let stop = layout::line_stop(text, at);
    let line = layout::slice(text, at, stop);
    at + line.trim_end_matches(['\r', '\n']).len()
}

/// The lines that an entry has to itself; `None` where they cannot become
/// comments of their own.
fn lines(text: &str, inside: &Inside, entry: &Entry) -> Option<Span> {
    let start = entry.span.start;
    let end = match entry.comma {
        Some(comma) => {
            let between = layout::slice(text, entry.span.end, comma);
            between
                .trim_matches([' ', '\t'])
                .is_empty()
                .then_some(comma + 1)?
        }
        None => entry.span.end,
    };
    let first = layout::slice(text, start, end);
    let stop = layout::line_stop(text, end);
    let rest = layout::slice(text, end, stop);
    let own = layout::is_first_on_line(text, start)
        && layout::slice(text, layout::line_start(text, start), start)
            .trim_matches([' ', '\t'])
            .is_empty()
        && first.starts_with(LINE_STARTS)
        && stop <= inside.span.end
        && is_tail(rest);
    own.then_some(Span::new(start, stop))
}

/// True for what may follow an entry on its last line: blanks and comments that end there.
fn is_tail(rest: &str) -> bool {
    rest.ends_with('\n') && layout::is_trivia(rest)
}

/// For each line of `span`: where its first byte that is no blank stands, and
/// whether there is none.
fn line_starts(text: &str, span: Span) -> impl Iterator<Item = (usize, bool)> {
    let mut at = span.start;
    layout::slice(text, span.start, span.end)
        .split_inclusive('\n')
        .map(move |line| {
            let bare = line.trim_start_matches([' ', '\t']);
            let place = at + line.len() - bare.len();
            at += line.len();
            (place, bare.trim_matches(['\r', '\n']).is_empty())
        })
}

/// The length of the entry that `text` starts with, and the place behind its comma.
fn entry_at_start(text: &str, is_member: bool) -> Option<(usize, Option<usize>)> {
    let length = source::first_entry(text, is_member).ok()?;
    Some((length, comma_behind(text, length)))
}

/// The place behind the comma that follows `at`, if one does.
fn comma_behind(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let rest = text.get(at..)?;
        let bare = rest.trim_start_matches(BLANKS);
        at += rest.len() - bare.len();
        match layout::comment(bare) {
            Some((comment, _)) => at += comment,
            None => return bare.starts_with(',').then_some(at + 1),
        }
    }
}

/// Breaks every `*/`: `*`, any number of backslashes and `/` get one more backslash.
fn hide(text: &str) -> String {
    restar(text, |slashes, out| {
        out.push_str(slashes);
        out.push('\\');
    })
}

/// Undoes [`hide`].
fn show(text: &str) -> String {
    restar(text, |slashes, out| {
        out.push_str(slashes.get(1..).unwrap_or_default());
    })
}

/// Hands the backslashes between each `*` and `/` to `write`.
fn restar(text: &str, write: impl Fn(&str, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(star) = rest.find('*') {
        let (before, after) = rest.split_at(star + 1);
        out.push_str(before);
        let bare = after.trim_start_matches('\\');
        let slashes = after.get(..after.len() - bare.len()).unwrap_or_default();
        if bare.starts_with('/') {
            write(slashes, &mut out);
        } else {
            out.push_str(slashes);
        }
        rest = bare;
    }
    out.push_str(rest);
    out
}
