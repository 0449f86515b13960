//! What changed between two texts, line by line.

/// A line of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// What became of it.
    pub(crate) kind: Kind,
    /// Its text.
    pub(crate) text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In both.
    Same,
    /// Only in the new text.
    Added,
    /// Only in the old text.
    Removed,
    /// Stands for lines in both that are left out; its text says how many.
    Gap,
}

/// More lines than this are compared as a whole block.
const LIMIT: usize = 4_000;

/// All lines of both texts; `context` lines of what is the same stay around a change.
pub(crate) fn lines(old: &str, new: &str, context: usize) -> Vec<Line> {
    shorten(compare(old, new), context)
}

/// How many lines were added and removed.
pub(crate) fn count(lines: &[Line]) -> (usize, usize) {
    let of = |kind| lines.iter().filter(|line| line.kind == kind).count();
    (of(Kind::Added), of(Kind::Removed))
}

/// `1 line added, 2 removed`.
pub(crate) fn told(added: usize, removed: usize) -> String {
    let lines = |n: usize| match n {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    };
    match (added, removed) {
        (0, 0) => "No line differs".to_owned(),
        (added, 0) => format!("{} added", lines(added)),
        (0, removed) => format!("{} removed", lines(removed)),
        (added, removed) => format!("{} added, {removed} removed", lines(added)),
    }
}

fn compare(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let mut out: Vec<Line> = old[..head].iter().map(|l| line(Kind::Same, l)).collect();
    middle(
        &old[head..old.len() - tail],
        &new[head..new.len() - tail],
        &mut out,
    );
    out.extend(old[old.len() - tail..].iter().map(|l| line(Kind::Same, l)));
    out
}

/// The longest common subsequence by its table.
fn middle(old: &[&str], new: &[&str], out: &mut Vec<Line>) {
    if old.len().max(new.len()) > LIMIT || old.len() * new.len() > LIMIT * LIMIT / 4 {
        out.extend(old.iter().map(|l| line(Kind::Removed, l)));
        out.extend(new.iter().map(|l| line(Kind::Added, l)));
        return;
    }
    let width = new.len() + 1;
    let mut longest = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            out.push(line(Kind::Same, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            out.push(line(Kind::Removed, old[i]));
            i += 1;
        } else {
            out.push(line(Kind::Added, new[j]));
            j += 1;
        }
    }
    out.extend(old[i..].iter().map(|l| line(Kind::Removed, l)));
    out.extend(new[j..].iter().map(|l| line(Kind::Added, l)));
}

fn line(kind: Kind, text: &str) -> Line {
    Line {
        kind,
        text: text.to_owned(),
    }
}

/// Leaves out what is the same and far from any change.
fn shorten(lines: Vec<Line>, context: usize) -> Vec<Line> {
    let near = |at: usize| {
        let from = at.saturating_sub(context);
        let to = lines.len().min(at + context + 1);
        lines[from..to].iter().any(|l| l.kind != Kind::Same)
    };
    let mut out = Vec::new();
    let mut left_out = 0usize;
    for (at, entry) in lines.iter().enumerate() {
        if near(at) {
            flush(&mut left_out, &mut out);
            out.push(entry.clone());
        } else {
            left_out += 1;
        }
    }
    flush(&mut left_out, &mut out);
    out
}

fn flush(left_out: &mut usize, out: &mut Vec<Line>) {
    if *left_out > 0 {
        let plural = if *left_out == 1 { "" } else { "s" };
        out.push(line(
            Kind::Gap,
            &format!("{left_out} unchanged line{plural}"),
        ));
        *left_out = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> Vec<String> {
        lines(old, new, 1)
            .into_iter()
            .map(|l| {
                let sign = match l.kind {
                    Kind::Same => ' ',
                    Kind::Added => '+',
                    Kind::Removed => '-',
                    Kind::Gap => '~',
                };
                format!("{sign}{}", l.text)
            })
            .collect()
    }

    #[test]
    fn a_changed_line_is_shown_with_its_neighbours() {
        assert_eq!(
            shown("a\nb\nc\nd\ne", "a\nb\nX\nd\ne"),
            [
                "~1 unchanged line",
                " b",
                "-c",
                "+X",
                " d",
                "~1 unchanged line"
            ]
        );
    }

    #[test]
    fn insertions_and_deletions_are_found_apart() {
        assert_eq!(shown("a\nb", "x\na\nb"), ["+x", " a", "~1 unchanged line"]);
        assert_eq!(shown("a\nb\nc", "a\nc"), [" a", "-b", " c"]);
        assert_eq!(count(&lines("a\nb\nc", "a\nc\nd", 3)), (1, 1));
    }

    #[test]
    fn the_counts_are_told_with_one_and_many() {
        let all = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (3, 2)];
        assert_eq!(
            all.map(|(added, removed)| told(added, removed)),
            [
                "No line differs",
                "1 line added",
                "2 lines added",
                "1 line removed",
                "1 line added, 1 removed",
                "3 lines added, 2 removed",
            ]
        );
    }

    #[test]
    fn the_same_text_has_no_changes() {
        assert_eq!(count(&lines("a\nb", "a\nb", 3)), (0, 0));
        assert_eq!(lines("", "", 3), []);
    }

    #[test]
    fn either_text_can_be_told_from_the_comparison() {
        let (old, new) = ("a\nb\nc\nd\nb\na", "b\na\nd\nd\na\nc");
        let all = lines(old, new, 100);
        let side = |gone: Kind| {
            let kept: Vec<&str> = all
                .iter()
                .filter(|l| l.kind != gone)
                .map(|l| l.text.as_str())
                .collect();
            kept.join("\n")
        };
        assert_eq!(side(Kind::Added), old);
        assert_eq!(side(Kind::Removed), new);
    }
}
