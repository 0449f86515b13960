//! How a machine stands, in words and in a tone.

use wire::api::node::{Node, Owner, PathSummary};

/// The one thing to know about a machine's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It waits for an administrator.
    NeedsApproval,
    /// Its key has ended.
    Expired,
    /// Connected.
    Online,
    /// Not connected.
    Offline,
}

impl Standing {
    /// Of a machine.
    pub(crate) fn of(node: &Node) -> Self {
        if !node.approved {
            Self::NeedsApproval
        } else if node.expired {
            Self::Expired
        } else if node.online {
            Self::Online
        } else {
            Self::Offline
        }
    }

    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NeedsApproval => "Needs approval",
            Self::Expired => "Key expired",
            Self::Online => "Online",
            Self::Offline => "Offline",
        }
    }
}

/// How it reaches its peers, where it reports that.
pub(crate) fn paths(paths: Option<PathSummary>) -> Option<String> {
    let PathSummary { direct, relayed } = paths?;
    Some(match (direct, relayed) {
        (0, 0) => "No active peers".to_owned(),
        (_, 0) => format!("{direct} direct"),
        (0, _) => format!("{relayed} relayed"),
        (_, _) => format!("{direct} direct, {relayed} relayed"),
    })
}

/// Who it belongs to: an e-mail address, or its tags.
pub(crate) fn owner(owner: &Owner) -> String {
    match owner {
        Owner::User { email, .. } => email.clone(),
        Owner::Tags { tags } => tags.join(", "),
    }
}

/// The tags; none for a person's device.
pub(crate) fn tags(owner: &Owner) -> &[String] {
    match owner {
        Owner::User { .. } => &[],
        Owner::Tags { tags } => tags,
    }
}

/// `12 machines, 9 online`.
pub(crate) fn count<'a>(nodes: impl Iterator<Item = &'a Node>) -> String {
    let (all, online) = nodes.fold((0u32, 0u32), |(all, online), node| {
        (all + 1, online + u32::from(node.online))
    });
    let plural = if all == 1 { "" } else { "s" };
    format!("{all} machine{plural}, {online} online")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::node_filter::tests::node;

    #[test]
    fn the_most_urgent_standing_wins() {
        let mut machine = node("atlas");
        machine.online = true;
        assert_eq!(Standing::of(&machine), Standing::Online);
        machine.expired = true;
        assert_eq!(Standing::of(&machine), Standing::Expired);
        machine.approved = false;
        assert_eq!(Standing::of(&machine), Standing::NeedsApproval);
    }

    #[test]
    fn paths_are_named_only_where_they_are_known() {
        assert_eq!(paths(None), None);
        let some = |direct, relayed| paths(Some(PathSummary { direct, relayed }));
        assert_eq!(some(0, 0).as_deref(), Some("No active peers"));
        assert_eq!(some(2, 0).as_deref(), Some("2 direct"));
        assert_eq!(some(1, 3).as_deref(), Some("1 direct, 3 relayed"));
    }

    #[test]
    fn the_count_names_those_online() {
        let mut one = node("a");
        one.online = true;
        let two = node("b");
        assert_eq!(count([&one, &two].into_iter()), "2 machines, 1 online");
        assert_eq!(count([&one].into_iter()), "1 machine, 1 online");
    }
}
