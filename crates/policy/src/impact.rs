//! What a change of the policy, the directory or the devices opens and shuts.
//!
//! Devices that both policies treat alike are compared once, and only lines of
//! rules that change are looked at: the work grows with what the change touches.

mod absent;
mod across;
mod answer;
mod compare;
mod content;
mod doors;
mod eye;
mod gates;
mod household;
mod line;
mod name;
mod numbers;
mod outcome;
mod set;
mod spot;
mod ssh;
mod tally;
mod tell;
mod words;

pub use answer::{
    Capability, Change, Changes, CutOff, Difference, Impact, Mode, Opening, Parties, Party, SignIns,
};

use crate::{
    compile::Compiled,
    directory::{Directory, Node},
    document::Document,
};

/// One of the two states that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The document.
    pub document: &'a Document,
    /// The people.
    pub directory: &'a Directory,
    /// The devices.
    pub nodes: &'a [Node<'a>],
}

/// How much of an impact is told; the totals are of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most changes of a kind, and the most of those who are cut off.
    pub changes: usize,
    /// The most names of either end of a change.
    pub names: usize,
}

impl Bounds {
    /// Everything.
    pub const NONE: Self = Self {
        changes: usize::MAX,
        names: usize::MAX,
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            changes: 30,
            names: 6,
        }
    }
}

/// What is gained and lost between the two.
pub fn impact(before: &Side<'_>, after: &Side<'_>, bounds: Bounds) -> Impact {
    let old = Compiled::new(before.document, before.directory);
    let is_same_law = std::ptr::eq(before.document, after.document)
        && std::ptr::eq(before.directory, after.directory);
    let new = (!is_same_law).then(|| Compiled::new(after.document, after.directory));
    let laws = [&old, new.as_ref().unwrap_or(&old)];
    let comparison = compare::compare([before, after], laws);
    let doors = doors::compare(&comparison, [before, after]);
    let (absent, more_absent) = absent::absent([before, after], laws, bounds);
    let mut impact = Impact {
        absent,
        more_absent,
        ..Impact::default()
    };
    for (state, side) in [before, after].into_iter().enumerate() {
        let Some(law) = laws.get(state) else {
            continue;
        };
        let namer = name::Namer::new(&comparison, state, law, side.directory, bounds);
        let difference = if state == outcome::BEFORE {
            &mut impact.lost
        } else {
            &mut impact.gained
        };
        difference.traffic = namer.traffic(&comparison, bounds);
        difference.capabilities = namer.capabilities(&comparison, bounds);
        difference.sign_ins = doors::tell(&doors, &namer, side, bounds);
        if state == outcome::BEFORE {
            impact.cut_off = comparison.cut_off(&namer, bounds);
        }
    }
    impact
}
