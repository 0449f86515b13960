//! Sign-ins that change, in the words of people.

use super::{
    Bounds, Change, Changes, Side, SignIns,
    compare::Comparison,
    name::{Candidate, Namer, count},
    numbers::Numbers,
    ssh::{self, Doors, Meetings, Row},
};
use crate::{
    document::ssh::{LoginKind, SshRule},
    explain::{Explainer, Part, RuleAt},
    selector::{Selector, SelectorKind, autogroup::Autogroup, sort::Sort},
    ssh::SshLaw,
};

/// Compares who may sign in to what.
pub(super) fn compare(comparison: &Comparison<'_>, sides: [&Side<'_>; 2]) -> Doors {
    if sides.iter().all(|side| side.document.ssh.is_empty()) {
        return Doors::default();
    }
    let laws = sides.map(|side| SshLaw::new(side.document, side.directory));
    let over = |law: &SshLaw, side: &Side<'_>| law.over(side.nodes.iter().map(|n| n.facts));
    let tables = [over(&laws[0], sides[0]), over(&laws[1], sides[1])];
    ssh::compare(comparison, [&tables[0], &tables[1]])
}

/// The sign-ins that change in the namer's state.
pub(super) fn tell(
    doors: &Doors,
    namer: &Namer<'_, '_>,
    side: &Side<'_>,
    bounds: Bounds,
) -> Changes<SignIns> {
    let state = namer.state();
    let mut rows: Vec<(&Row, &Meetings)> = doors
        .rows
        .iter()
        .filter(|(row, _)| row.state == state)
        .collect();
    if rows.is_empty() {
        return Changes::default();
    }
    rows.sort_by_key(|(row, met)| (std::cmp::Reverse(met.pairs), row.rule));
    let more = rows.len().saturating_sub(bounds.changes);
    rows.truncate(bounds.changes);
    let telling = Telling {
        namer,
        side,
        explainer: Explainer::new(side.document, side.directory),
    };
    let total = doors.totals.get(state).cloned().unwrap_or_default();
    Changes {
        shown: rows
            .iter()
            .map(|(row, met)| telling.change(row, met))
            .collect(),
        more: count(more),
        flows: total.pairs,
        people: count(namer.people(&total.from).len()),
        from_devices: count(total.from.len()),
        to_devices: count(total.to.len()),
    }
}

struct Telling<'t, 'c, 'a> {
    namer: &'t Namer<'c, 'a>,
    side: &'t Side<'t>,
    explainer: Explainer<'t>,
}

impl Telling<'_, '_, '_> {
    fn change(&self, row: &Row, met: &Meetings) -> Change<SignIns> {
        let (index, span) = row.rule;
        let rule = self.side.document.ssh.iter().find(|r| r.index == index);
        let sources = rule.map(|r| r.sources.as_slice()).unwrap_or_default();
        let targets = rule.map(|r| r.destinations.as_slice()).unwrap_or_default();
        let sources = self.candidates(sources, &met.from);
        let targets = self.candidates(targets, &met.from);
        Change {
            who: self.namer.name_devices(&met.from, sources, &met.to),
            to: self.namer.name_devices(&met.to, targets, &met.from),
            what: SignIns {
                logins: logins(row, rule),
                mode: row.mode,
                otherwise: row.otherwise,
            },
            is_partial: false,
            rule: RuleAt {
                section: Part::Ssh,
                index,
                span,
            },
            flows: met.pairs,
        }
    }

    /// The selectors of a rule, with their devices.
    fn candidates(&self, selectors: &[Selector], from: &Numbers) -> Vec<Candidate> {
        let of = |selector: &Selector| {
            let kind = &selector.kind;
            let devices = if *kind == SelectorKind::Autogroup(Autogroup::SelfDevices) {
                self.namer.owned_by_all(&self.namer.people(from))
            } else {
                self.namer
                    .holding(|facts| self.explainer.holds_device(kind, facts))
            };
            Candidate {
                sort: Sort::of(kind),
                text: kind.to_string(),
                devices,
            }
        };
        selectors.iter().map(of).collect()
    }
}

/// As documents write them: a name for all but `root` includes the others.
fn logins(row: &Row, rule: Option<&SshRule>) -> Vec<String> {
    let is_any = row.logins.iter().flatten().any(|login| login == "*");
    let personal = || {
        let mut logins = rule.into_iter().flat_map(|r| &r.logins);
        logins.find_map(|login| match &login.kind {
            LoginKind::LocalPart(domain) => Some(format!("localpart:*@{domain}")),
            LoginKind::Root | LoginKind::Nonroot | LoginKind::Named(_) => None,
        })
    };
    let mut all: Vec<String> = Vec::new();
    for login in &row.logins {
        match login.as_deref() {
            Some("*") => all.push(Autogroup::Nonroot.as_str().to_owned()),
            Some("root") => all.push("root".to_owned()),
            Some(name) if !is_any => all.push(name.to_owned()),
            None if !is_any => {
                all.push(personal().unwrap_or_else(|| "their own names".to_owned()));
            }
            Some(_) | None => {}
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}
