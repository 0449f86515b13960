//! `warren-server policy impact`.

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use wire::api::policy::impact::{Change, Changes, Difference, Ends, Impact, PreviewImpact, Retag};

use super::super::tenant::Which;
use crate::admin::policy::Request;

#[derive(Debug, Args)]
pub(in crate::cli) struct Preview {
    #[command(flatten)]
    which: Which,
    /// The document; `-` reads standard input. Without it the policy in force stays.
    #[arg(required_unless_present = "retag")]
    file: Option<String>,
    /// A machine that would have other tags: `17=tag:web,tag:eu`; `17=` takes them off.
    #[arg(long, value_name = "ID=TAGS")]
    retag: Vec<String>,
}

impl Preview {
    pub(super) fn file(&self) -> String {
        let file = self.file.clone();
        file.unwrap_or_else(|| "the policy in force".to_owned())
    }

    pub(super) fn request(self) -> Result<Request> {
        let change = PreviewImpact {
            document: self.file.as_deref().map(super::read).transpose()?,
            retags: self
                .retag
                .iter()
                .map(|text| retag(text))
                .collect::<Result<_>>()?,
            roles: Vec::new(),
        };
        Ok(Request::Impact {
            tenant: self.which.tenant,
            change,
        })
    }
}

fn retag(text: &str) -> Result<Retag> {
    let wanted = "write the machine's id as `node list` shows it, and its tags: 17=tag:web,tag:eu";
    let (id, tags) = text.split_once('=').context(wanted)?;
    let node = id.trim().parse().ok().context(wanted)?;
    let tags: Vec<String> = tags
        .split(',')
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect();
    ensure!(tags.iter().all(|tag| tag.starts_with("tag:")), wanted);
    Ok(Retag { node, tags })
}

/// The impact for people.
pub(in crate::cli) fn told(impact: &Impact) -> String {
    let absent = (!impact.absent.is_empty()).then(|| {
        let names = listed(&impact.absent, impact.more_absent);
        format!("no machine yet, so nothing changes for them before they have one: {names}")
    });
    if impact.is_empty() {
        let nothing = if impact.machines == 0 {
            "nothing changes yet: this network has no machine"
        } else if absent.is_some() {
            "nothing changes for anybody now"
        } else {
            "nothing changes for anybody"
        };
        let lines: Vec<String> = [nothing.to_owned()].into_iter().chain(absent).collect();
        return lines.join("\n");
    }
    let mut lines = Vec::new();
    let losers = [
        (&impact.cut_off.people, impact.cut_off.more_people),
        (&impact.cut_off.machines, impact.cut_off.more_machines),
    ];
    for (names, more) in losers.into_iter().filter(|(names, _)| !names.is_empty()) {
        lines.push(format!(
            "would reach nothing any more: {}",
            listed(names, more)
        ));
    }
    lines.extend(difference("gained", &impact.gained));
    lines.extend(difference("lost", &impact.lost));
    lines.extend(absent);
    lines.join("\n")
}

fn difference(word: &str, difference: &Difference) -> Vec<String> {
    if difference.is_empty() {
        return vec![format!("{word}: nothing")];
    }
    let kinds = [
        ("traffic", &difference.traffic),
        ("sign-ins by SSH", &difference.sign_ins),
        ("capabilities", &difference.capabilities),
    ];
    kinds
        .into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .flat_map(|(kind, changes)| told_of(word, kind, changes))
        .collect()
}

fn told_of(word: &str, kind: &str, changes: &Changes) -> Vec<String> {
    let people = match changes.people {
        0 => String::new(),
        n => format!("{} and ", count(n, "person", "people")),
    };
    let mut lines = vec![format!(
        "{word}, {kind}: from {people}{} to {}",
        count(changes.from_machines, "machine", "machines"),
        count(changes.to_machines, "machine", "machines"),
    )];
    lines.extend(changes.shown.iter().map(change));
    if changes.more > 0 {
        lines.push(format!("  and {} more", changes.more));
    }
    lines
}

fn change(change: &Change) -> String {
    let line = change
        .rule
        .place
        .map(|place| format!(", line {}", place.line));
    let partly = if change.is_partial {
        "; other rules have a part of it"
    } else {
        ""
    };
    format!(
        "  {} -> {}: {} ({}{}{partly})",
        ends(&change.who),
        ends(&change.to),
        change.what,
        change.rule.name,
        line.unwrap_or_default(),
    )
}

fn ends(ends: &Ends) -> String {
    let named = listed(&ends.shown, ends.more);
    if ends.members.is_empty() {
        return named;
    }
    format!("{named} ({})", listed(&ends.members, ends.more_members))
}

fn listed(names: &[String], more: u64) -> String {
    let names = names.join(", ");
    match more {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

fn count(n: u64, one: &str, many: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retag_names_a_machine_and_its_tags() {
        let read = retag("17= tag:web, tag:eu").unwrap();
        assert_eq!(read.node.0, 17);
        assert_eq!(read.tags, ["tag:web", "tag:eu"]);
        assert_eq!(retag("17=").unwrap().tags, [""; 0]);
        for wrong in ["17", "web=tag:x", "17=web"] {
            assert!(retag(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_holds_only_later_is_told() {
        let mut impact = Impact::default();
        assert_eq!(
            told(&impact),
            "nothing changes yet: this network has no machine"
        );
        impact.machines = 3;
        assert_eq!(told(&impact), "nothing changes for anybody");
        impact.absent = vec!["oscar@example.com".to_owned()];
        impact.more_absent = 2;
        assert_eq!(
            told(&impact),
            "nothing changes for anybody now\nno machine yet, so nothing changes for them before they \
             have one: oscar@example.com and 2 more"
        );
    }
}
