//! What changes for one pair of a source and a destination.

use std::{collections::HashMap, sync::Arc};

use super::{
    content::Content,
    line::{Line, Lines, Uses},
    set::{self, Set, Words},
};

/// The state before.
pub(super) const BEFORE: usize = 0;
/// The state after.
pub(super) const AFTER: usize = 1;

/// The lines of both policies, with what is asked of them again and again.
pub(super) struct Law {
    pub(super) lines: Vec<Line>,
    pub(super) contents: Vec<Content>,
    pub(super) uses: [Uses; 2],
    /// By state: the place of each line in the order of the rules.
    ranks: [Vec<usize>; 2],
    /// By content: the lines that have all of it, those that have some of it,
    /// and whether lines that have not all of it have it together.
    near: HashMap<usize, Near>,
    /// By state and line.
    beside: HashMap<(usize, usize), Arc<Beside>>,
}

#[derive(Debug, Clone, Default)]
struct Near {
    covering: Words,
    touching: Words,
    is_joint: bool,
}

/// The lines that count beside one line of one state: of the other state, and
/// the earlier ones of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// By state: those that have all that the line has.
    pub(super) covering: [Words; 2],
    /// By state: those that have some of it.
    pub(super) touching: [Words; 2],
    /// True when those that have a part of it may have all of it together.
    is_joint: bool,
}

/// The lines by which a source reaches a destination, by state and word.
pub(super) trait Met {
    /// The lines of a word.
    fn word(&self, state: usize, at: usize) -> u64;
}

impl Met for [Set; 2] {
    fn word(&self, state: usize, at: usize) -> u64 {
        self.get(state).map_or(0, |set| set::word(set, at))
    }
}

fn any(words: &Words, state: usize, met: &impl Met) -> bool {
    words
        .iter()
        .any(|(at, bits)| bits & met.word(state, *at) != 0)
}

impl Beside {
    /// True when one line beside it has all of it.
    pub(super) fn is_covered(&self, met: &impl Met) -> bool {
        any(&self.covering[0], BEFORE, met) || any(&self.covering[1], AFTER, met)
    }

    /// True when some line beside it has some of it.
    pub(super) fn is_touched(&self, met: &impl Met) -> bool {
        any(&self.touching[0], BEFORE, met) || any(&self.touching[1], AFTER, met)
    }

    /// The lines beside it that have some of it, sorted.
    pub(super) fn touched(&self, met: &impl Met) -> Vec<usize> {
        let mut all = Vec::new();
        for (state, words) in self.touching.iter().enumerate() {
            for (at, bits) in words {
                all.extend(set::lines(*at, bits & met.word(state, *at)));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// True when they all are among the lines beside it.
    pub(super) fn has_all(&self, lines: &[usize], met: &impl Met) -> bool {
        lines.iter().all(|line| {
            let (at, bit) = (line / 64, 1 << (line % 64));
            let mut states = self.touching.iter().enumerate();
            states.any(|(state, words)| {
                let listed = words.binary_search_by_key(&at, |(at, _)| *at);
                let listed = listed.ok().and_then(|n| words.get(n));
                listed.is_some_and(|(_, bits)| bits & bit & met.word(state, at) != 0)
            })
        })
    }

    /// The same for a source that has these lines alone.
    pub(super) fn of(&self, source: &[Set; 2]) -> Self {
        let within = |words: &[Words; 2]| {
            [
                set::common(&words[0], &source[0]),
                set::common(&words[1], &source[1]),
            ]
        };
        Self {
            covering: within(&self.covering),
            touching: within(&self.touching),
            is_joint: self.is_joint,
        }
    }

    /// True when some line is beside it that has some of it.
    pub(super) fn may_touch(&self) -> bool {
        self.touching.iter().any(|words| !words.is_empty())
    }

    /// True when those that have a part of it may have all of it together.
    pub(super) fn is_joint(&self) -> bool {
        self.is_joint
    }
}

impl Law {
    pub(super) fn new(lines: Lines, uses: [Uses; 2]) -> Self {
        let ranks = [&uses[0], &uses[1]].map(|uses| {
            let mut ranks = vec![usize::MAX; lines.all.len()];
            for (rank, used) in uses.order.iter().enumerate() {
                if let Some(slot) = ranks.get_mut(used.line) {
                    *slot = rank;
                }
            }
            ranks
        });
        Self {
            lines: lines.all,
            contents: lines.contents,
            uses,
            ranks,
            near: HashMap::new(),
            beside: HashMap::new(),
        }
    }

    pub(super) fn content(&self, line: usize) -> Option<&Content> {
        self.contents.get(self.lines.get(line)?.content)
    }

    pub(super) fn is_traffic(&self, line: usize) -> bool {
        matches!(self.content(line), Some(Content::Traffic(_)))
    }

    pub(super) fn rank(&self, state: usize, line: usize) -> usize {
        let ranks = self.ranks.get(state);
        ranks
            .and_then(|r| r.get(line))
            .copied()
            .unwrap_or(usize::MAX)
    }

    fn near(&mut self, content: usize) -> Near {
        if let Some(known) = self.near.get(&content) {
            return known.clone();
        }
        let mut near = Near::default();
        if let Some(wanted) = self.contents.get(content) {
            let covering: Vec<bool> = self.contents.iter().map(|c| c.covers(wanted)).collect();
            let touching: Vec<bool> = self.contents.iter().map(|c| c.meets(wanted)).collect();
            let of = |held: &[bool]| {
                let lines = self.lines.iter().enumerate();
                let held = lines.filter(|(_, l)| held.get(l.content) == Some(&true));
                set::of(held.map(|(n, _)| n))
            };
            near.covering = of(&covering);
            near.touching = of(&touching);
            let mut left = wanted.clone();
            let parts = self.contents.iter().zip(&covering).zip(&touching);
            for ((part, covers), meets) in parts {
                if *meets && !covers {
                    left.take(part);
                }
            }
            near.is_joint = left.is_empty();
        }
        self.near.insert(content, near.clone());
        near
    }

    /// The lines that count beside the line in that state.
    pub(super) fn beside(&mut self, state: usize, line: usize) -> Arc<Beside> {
        if let Some(known) = self.beside.get(&(state, line)) {
            return Arc::clone(known);
        }
        let content = self.lines.get(line).map(|l| l.content);
        let near = content.map(|c| self.near(c)).unwrap_or_default();
        let beside = self.cut(state, line, &near.covering, &near.touching, near.is_joint);
        let beside = Arc::new(beside);
        self.beside.insert((state, line), Arc::clone(&beside));
        beside
    }

    /// [`Self::beside`] with regard to a part of what the line has.
    pub(super) fn beside_part(&self, state: usize, line: usize, part: &Content) -> Beside {
        let lines = self.lines.iter().enumerate();
        let meeting = lines.filter(|(_, l)| {
            let content = self.contents.get(l.content);
            content.is_some_and(|c| c.meets(part))
        });
        let touching = set::of(meeting.map(|(n, _)| n));
        self.cut(state, line, &Words::new(), &touching, false)
    }

    fn cut(
        &self,
        state: usize,
        line: usize,
        covering: &Words,
        touching: &Words,
        is_joint: bool,
    ) -> Beside {
        let rank = self.rank(state, line);
        let cut = |words: &Words| {
            let all = words.iter();
            let lines = all.flat_map(|(at, bits)| set::lines(*at, *bits));
            let earlier = set::of(lines.filter(|l| self.rank(state, *l) < rank));
            if state == BEFORE {
                [earlier, words.clone()]
            } else {
                [words.clone(), earlier]
            }
        };
        Beside {
            covering: cut(covering),
            touching: cut(touching),
            is_joint,
        }
    }

    /// What the line has and these lines have not.
    pub(super) fn rest(&self, line: usize, others: &[usize]) -> Option<Content> {
        let mut left = self.content(line)?.clone();
        for other in others {
            if let Some(content) = self.content(*other) {
                left.take(content);
            }
        }
        Some(left)
    }
}
