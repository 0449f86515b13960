//! Lines: what one rule lets through to one destination, numbered over both policies.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;
use crate::compile::{Compiled, Origin, Rule, TermId, Where};

/// What a line is, whichever policy it stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// The rule's sources, as written, sorted.
    pub(super) sources: Vec<String>,
    /// The destination, as written.
    pub(super) target: String,
    /// The number of what it lets through.
    pub(super) content: usize,
    pub(super) via: Vec<String>,
}

/// Numbers lines, and what they let through.
#[derive(Debug, Default)]
pub(super) struct Lines {
    numbers: BTreeMap<Line, usize>,
    pub(super) all: Vec<Line>,
    content_numbers: BTreeMap<Content, usize>,
    pub(super) contents: Vec<Content>,
}

/// A line in a policy.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) line: usize,
    pub(super) origin: Origin,
    /// The number of the compiled rule.
    pub(super) rule: usize,
    pub(super) place: Where,
}

/// Where a policy uses its lines.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// By term: lines in which it is a source.
    pub(super) source: BTreeMap<TermId, Vec<usize>>,
    /// By term: lines in which it is the destination, and the rule's number.
    pub(super) target: BTreeMap<TermId, Vec<(usize, usize)>>,
    /// By term: lines to `autogroup:self` in which it is a source of people.
    pub(super) own: BTreeMap<TermId, Vec<usize>>,
    /// The lines in the order of the rules.
    pub(super) order: Vec<Use>,
}

impl Lines {
    fn number(&mut self, line: Line) -> usize {
        let next = self.all.len();
        *self.numbers.entry(line).or_insert_with_key(|line| {
            self.all.push(line.clone());
            next
        })
    }

    fn content(&mut self, content: Content) -> usize {
        let next = self.contents.len();
        *self
            .content_numbers
            .entry(content)
            .or_insert_with_key(|content| {
                self.contents.push(content.clone());
                next
            })
    }

    /// Reads the rules of a policy. What a rule of the document became several
    /// rules for, by protocol, is one line.
    pub(super) fn read(&mut self, law: &Compiled) -> Uses {
        let mut reading = Reading {
            law,
            uses: Uses::default(),
            seen: BTreeSet::new(),
        };
        let mut open: Vec<(usize, Where, Content)> = Vec::new();
        let mut last: Option<(Origin, bool)> = None;
        for (number, rule) in law.rules.iter().enumerate() {
            let is_traffic = rule.app.is_none();
            if last != Some((rule.origin, true)) || !is_traffic {
                reading.close(self, std::mem::take(&mut open));
            }
            last = Some((rule.origin, is_traffic));
            let app = rule.app.as_ref().map(|app| Content::app(app));
            for (place, ports) in &rule.targets {
                let content = match &app {
                    Some(app) => app.clone(),
                    None => Content::traffic(rule, *ports),
                };
                match open.iter_mut().find(|(_, at, _)| at == place) {
                    Some((.., known)) => known.add(&content),
                    None => open.push((number, *place, content)),
                }
            }
        }
        reading.close(self, open);
        reading.uses
    }
}

struct Reading<'a> {
    law: &'a Compiled,
    uses: Uses,
    seen: BTreeSet<usize>,
}

impl Reading<'_> {
    fn text(&self, id: TermId) -> String {
        self.law
            .term(id)
            .map(|t| t.text.clone())
            .unwrap_or_default()
    }

    /// The lines of one rule.
    fn close(&mut self, lines: &mut Lines, open: Vec<(usize, Where, Content)>) {
        let Some(rule) = open.first().and_then(|(n, ..)| self.law.rules.get(*n)) else {
            return;
        };
        let mut sources: Vec<String> = rule.sources.iter().map(|id| self.text(*id)).collect();
        sources.sort_unstable();
        for (number, place, content) in open {
            if content.is_empty() {
                continue;
            }
            let line = Line {
                sources: sources.clone(),
                target: match place {
                    Where::Term(id) => self.text(id),
                    Where::SelfDevices => "autogroup:self".to_owned(),
                },
                content: lines.content(content),
                via: rule.via.clone(),
            };
            let line = lines.number(line);
            if self.seen.insert(line) {
                self.note(rule, number, place, line);
            }
        }
    }

    fn note(&mut self, rule: &Rule, number: usize, place: Where, line: usize) {
        let uses = &mut self.uses;
        uses.order.push(Use {
            line,
            origin: rule.origin,
            rule: number,
            place,
        });
        let by_source = match place {
            Where::Term(id) => {
                uses.target.entry(id).or_default().push((line, number));
                &mut uses.source
            }
            Where::SelfDevices if rule.via.is_empty() => &mut uses.own,
            Where::SelfDevices => return,
        };
        for id in &rule.sources {
            by_source.entry(*id).or_default().push(line);
        }
    }
}
