//! Sets of lines as words of 64.

/// A set of lines; all sets of one comparison are as wide.
pub(super) type Set = Vec<u64>;

/// The words of a set that are not empty.
pub(super) type Words = Vec<(usize, u64)>;

pub(super) fn insert(set: &mut Set, line: usize) {
    if let Some(word) = set.get_mut(line / 64) {
        *word |= 1 << (line % 64);
    }
}

pub(super) fn word(set: &Set, at: usize) -> u64 {
    set.get(at).copied().unwrap_or_default()
}

pub(super) fn has(set: &Set, line: usize) -> bool {
    word(set, line / 64) >> (line % 64) & 1 == 1
}

pub(super) fn meet(a: &Set, b: &Set) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// What the words share with the set.
pub(super) fn common(words: &Words, set: &Set) -> Words {
    let both = words.iter().map(|(at, bits)| (*at, bits & word(set, *at)));
    both.filter(|(_, bits)| *bits != 0).collect()
}

/// The words of these lines.
pub(super) fn of(lines: impl IntoIterator<Item = usize>) -> Words {
    let mut words: std::collections::BTreeMap<usize, u64> = std::collections::BTreeMap::new();
    for line in lines {
        *words.entry(line / 64).or_default() |= 1 << (line % 64);
    }
    words.into_iter().collect()
}

/// The lines of a word.
pub(super) fn lines(at: usize, bits: u64) -> impl Iterator<Item = usize> {
    let mut rest = bits;
    std::iter::from_fn(move || {
        let bit = usize::try_from(rest.trailing_zeros()).ok()?;
        rest &= rest.checked_sub(1)?;
        Some(at * 64 + bit)
    })
}
