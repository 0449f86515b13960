//! Which machines a search shows, and in which order.

use wire::{NodeId, api::node::Node};

use super::node_status::{Standing, owner};

/// A filter by standing, as the address carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Every machine.
    All,
    /// Connected ones.
    Online,
    /// Those that are not connected.
    Offline,
    /// Those that wait, whose routes wait, or whose key has ended.
    Attention,
}

impl Show {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::All, Self::Online, Self::Offline, Self::Attention];

    /// From the address; anything else shows all.
    pub(crate) fn parse(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|show| show.word() == word)
            .unwrap_or(Self::All)
    }

    /// For the address.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Attention => "attention",
        }
    }

    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Online => "Online",
            Self::Offline => "Offline",
            Self::Attention => "Needs attention",
        }
    }

    fn holds(self, node: &Node) -> bool {
        match self {
            Self::All => true,
            Self::Online => node.online,
            Self::Offline => !node.online,
            Self::Attention => {
                node.routes.waiting > 0
                    || matches!(
                        Standing::of(node),
                        Standing::NeedsApproval | Standing::Expired
                    )
            }
        }
    }
}

/// The machines that hold every word of `search`, by name.
pub(crate) fn apply(nodes: &[Node], search: &str, show: Show) -> Vec<NodeId> {
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<&Node> = nodes
        .iter()
        .filter(|node| show.holds(node) && matches(node, &words))
        .collect();
    found.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    found.into_iter().map(|node| node.id).collect()
}

fn matches(node: &Node, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut text = format!(
        "{} {} {} {} {}",
        node.name,
        node.fqdn,
        owner(&node.owner),
        node.os,
        node.client_version
    );
    for address in &node.addresses {
        text.push(' ');
        text.push_str(&address.to_string());
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

#[cfg(test)]
pub(crate) mod tests {
    use wire::{
        Timestamp, UserId,
        api::node::{Owner, RouteSummary},
    };

    use super::*;

    pub(crate) fn node(name: &str) -> Node {
        Node {
            id: NodeId(name.bytes().map(u64::from).sum()),
            name: name.to_owned(),
            fqdn: format!("{name}.acme.warren.internal"),
            addresses: vec!["100.64.0.7".parse().unwrap()],
            owner: Owner::User {
                user: UserId(1),
                email: "ada@example.com".to_owned(),
                display_name: "Ada".to_owned(),
            },
            os: "linux".to_owned(),
            client_version: "0.1.0".to_owned(),
            online: false,
            last_seen: None,
            approved: true,
            ephemeral: false,
            key_expiry: None,
            expired: false,
            paths: None,
            routes: RouteSummary::default(),
            created: Timestamp::from_unix_seconds(0),
        }
    }

    fn tagged(name: &str, tags: &[&str]) -> Node {
        let tags = tags.iter().map(|t| (*t).to_owned()).collect();
        Node {
            owner: Owner::Tags { tags },
            ..node(name)
        }
    }

    #[test]
    fn every_word_must_be_found_somewhere() {
        let nodes = [node("zeus"), tagged("atlas", &["tag:db", "tag:eu"])];
        let atlas = vec![nodes[1].id];
        assert_eq!(apply(&nodes, "TAG:DB linux", Show::All), atlas);
        assert_eq!(apply(&nodes, "atlas ada", Show::All), vec![]);
        assert_eq!(
            apply(&nodes, "ada@example.com", Show::All),
            vec![nodes[0].id]
        );
        assert_eq!(apply(&nodes, "100.64.0.7", Show::All).len(), 2);
    }

    #[test]
    fn the_order_is_by_name() {
        let nodes = [node("zeus"), node("atlas")];
        assert_eq!(apply(&nodes, "", Show::All), vec![nodes[1].id, nodes[0].id]);
    }

    #[test]
    fn a_standing_narrows_the_list() {
        let mut online = node("on");
        online.online = true;
        let mut waiting = node("waits");
        waiting.approved = false;
        let nodes = [online, waiting];
        assert_eq!(apply(&nodes, "", Show::Online), vec![nodes[0].id]);
        assert_eq!(apply(&nodes, "", Show::Offline), vec![nodes[1].id]);
        assert_eq!(apply(&nodes, "", Show::Attention), vec![nodes[1].id]);
    }

    #[test]
    fn the_address_carries_the_standing() {
        for show in Show::ALL {
            assert_eq!(Show::parse(show.word()), show);
        }
        assert_eq!(Show::parse("nonsense"), Show::All);
    }
}
