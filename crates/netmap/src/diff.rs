//! What differs between the members of two snapshots.

use std::{iter::Peekable, slice, sync::Arc};

use wire::NodeId;

use crate::{
    member::Member,
    segment::{Members, Segment},
};

/// A member before and after; one of the two is present.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) before: Option<&'a Arc<Member>>,
    pub(crate) after: Option<&'a Arc<Member>>,
}

impl Pair<'_> {
    pub(crate) fn id(&self) -> NodeId {
        let either = self.before.or(self.after);
        either.map(|m| m.id()).unwrap_or_default()
    }
}

/// Calls `with` for every member of either side, by id; with `skip_equal` not
/// for those in segments that both sides share.
pub(crate) fn walk<'a>(
    before: &'a Members,
    after: &'a Members,
    skip_equal: bool,
    mut with: impl FnMut(Pair<'a>),
) {
    let mut old = Side::new(before);
    let mut new = Side::new(after);
    loop {
        if skip_equal && old.skip_shared(&mut new) {
            continue;
        }
        match (old.peek(), new.peek()) {
            (None, None) => return,
            (Some(b), Some(a)) if b.id() == a.id() => {
                let (before, after) = (old.next(), new.next());
                with(Pair { before, after });
            }
            (Some(b), a) if a.is_none_or(|a| b.id() < a.id()) => with(Pair {
                before: old.next(),
                after: None,
            }),
            (_, _) => with(Pair {
                before: None,
                after: new.next(),
            }),
        }
    }
}

/// One side of the walk: whole segments ahead, and the rest of the present one.
struct Side<'a> {
    segments: Peekable<slice::Iter<'a, Arc<Segment>>>,
    present: slice::Iter<'a, Arc<Member>>,
}

impl<'a> Side<'a> {
    fn new(members: &'a Members) -> Self {
        Self {
            segments: members.segments().iter().peekable(),
            present: [].iter(),
        }
    }

    /// Passes over the next segment if both sides stand before the same one.
    fn skip_shared(&mut self, other: &mut Self) -> bool {
        if !self.present.as_slice().is_empty() || !other.present.as_slice().is_empty() {
            return false;
        }
        match (self.segments.peek(), other.segments.peek()) {
            (Some(a), Some(b)) if Arc::ptr_eq(a, b) => {
                self.segments.next();
                other.segments.next();
                true
            }
            _ => false,
        }
    }

    fn peek(&mut self) -> Option<&'a Arc<Member>> {
        if self.present.as_slice().is_empty() {
            self.present = self.segments.next()?.members.iter();
        }
        self.present.as_slice().first()
    }

    fn next(&mut self) -> Option<&'a Arc<Member>> {
        self.peek()?;
        self.present.next()
    }
}
