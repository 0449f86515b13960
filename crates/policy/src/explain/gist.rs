//! Answers that are the same, and many answers made few.

use std::collections::BTreeMap;

use super::{Cause, Explanation, Missing, Near, SshExplanation, Verdict, cases::Gathered};

/// More cases than these are told with fewer words.
const FEW: usize = 6;

/// An answer that others may be the same as.
pub(super) trait Answer {
    /// What makes two answers the same: verdict, rules, ports and causes, not the persons.
    fn essence(&self) -> String;
    /// What makes two denials alike; `None` for what is let through, in part too.
    fn gist(&self) -> Option<String>;
    /// Leaves what is true of the other, too.
    fn share(&mut self, other: &Self);
}

/// Where there are many cases, denials of one cause are told together: with the rules that come
/// near in all of them.
pub(super) fn few<E: Answer>(all: Vec<Gathered<E>>) -> Vec<Gathered<E>> {
    if all.len() <= FEW {
        return all;
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut fewer: Vec<Gathered<E>> = Vec::new();
    for gathered in all {
        let known = gathered.case.explanation.gist().and_then(|gist| {
            let at = *places.entry(gist).or_insert(fewer.len());
            fewer.get_mut(at)
        });
        match known {
            Some(Gathered { case: known, met }) => {
                let case = gathered.case;
                met.extend(gathered.met);
                known.pairs += case.pairs;
                known.from.extend(case.from);
                known.to.extend(case.to);
                known.explanation.share(&case.explanation);
            }
            None => fewer.push(gathered),
        }
    }
    fewer
}

impl Explanation {
    /// How far the nearest rule is from letting it through.
    pub(super) fn lacks(&self) -> (bool, u8) {
        let denied = self.denied.as_ref();
        let is_missing = |cause: Cause| cause == Cause::SourceInNoRule;
        let nearest = denied.and_then(|d| d.nearest.first());
        (
            denied.is_some_and(|d| is_missing(d.cause)),
            nearest.map_or(u8::MAX, Near::weight),
        )
    }
}

impl Near {
    /// How far it is from letting the flow through.
    pub(super) fn weight(&self) -> u8 {
        self.missing
            .iter()
            .map(|missing| Missing::weight(*missing))
            .sum()
    }
}

impl Answer for Explanation {
    fn essence(&self) -> String {
        let rules: Vec<_> = self
            .allowed
            .iter()
            .map(|chain| {
                (
                    chain.rule,
                    &chain.ports,
                    chain.source.span,
                    chain.target.span,
                )
            })
            .collect();
        format!("{rules:?} {:?}", self.denied)
    }

    fn gist(&self) -> Option<String> {
        let denied = self.denied.as_ref();
        denied
            .filter(|_| self.verdict == Verdict::Denied)
            .map(|denied| format!("{:?} {:?}", denied.cause, denied.ports))
    }

    fn share(&mut self, other: &Self) {
        if let (Some(mine), Some(other)) = (&mut self.denied, &other.denied) {
            mine.nearest.retain(|near| other.nearest.contains(near));
        }
    }
}

impl Answer for SshExplanation {
    fn essence(&self) -> String {
        match self {
            Self::Allowed(chain) => {
                format!(
                    "{:?} {:?} {:?}",
                    chain.rule, chain.source.span, chain.target.span
                )
            }
            Self::Barred { chain, bars } => {
                format!(
                    "{:?} {:?} {:?} {bars:?}",
                    chain.rule, chain.source.span, chain.target.span
                )
            }
            Self::Denied { cause, nearest } => format!("{cause:?} {nearest:?}"),
        }
    }

    fn gist(&self) -> Option<String> {
        match self {
            // The rule that matches tells more than what they have in common.
            Self::Allowed(_) | Self::Barred { .. } => None,
            Self::Denied { cause, .. } => Some(format!("{cause:?}")),
        }
    }

    fn share(&mut self, other: &Self) {
        if let (Self::Denied { nearest, .. }, Self::Denied { nearest: other, .. }) = (self, other) {
            nearest.retain(|near| other.contains(near));
        }
    }
}
