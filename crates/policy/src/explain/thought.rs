//! Devices that are only thought of: one for each person and each tag without any, so that
//! questions about them have an answer before the first device comes.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use wire::UserId;

use super::{Device, Explainer, Typed, rules::requirement};
use crate::{
    directory::{Directory, NodeFacts},
    document::Document,
    source::Text,
};

/// The last IPv4 address that a device may have; those thought of get addresses downwards.
const LAST_IPV4: u32 = u32::from_be_bytes([100, 127, 255, 254]);
/// The network of their IPv6 addresses, at the upper end of the mesh's.
const IPV6: u128 = u128::from_be_bytes([
    0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/// A device that nobody has yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thought {
    /// Whose it would be.
    pub of: Lacking,
    /// What it is called in answers: `a machine of ada@example.com`.
    pub name: String,
    /// What the law would know of it; it reports nothing.
    pub facts: NodeFacts,
}

/// Somebody or something without a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// A user, by id and login name.
    User(UserId, String),
    /// A tag that the document defines.
    Tag(String),
    /// A user or a tag with one device: its login name or the tag, and the device's name.
    Second(String, String),
}

impl Lacking {
    /// The login name or the tag.
    pub fn name(&self) -> &str {
        match self {
            Self::User(_, email) => email,
            Self::Tag(name) | Self::Second(name, _) => name,
        }
    }
}

/// One device for each user and each tag of the document that has none among `nodes`: users
/// first, in the order of the directory. Their addresses are nobody's and differ.
pub fn thought(document: &Document, directory: &Directory, nodes: &[NodeFacts]) -> Vec<Thought> {
    let owners: BTreeSet<UserId> = nodes.iter().filter_map(NodeFacts::owner).collect();
    let worn: BTreeSet<&str> = nodes
        .iter()
        .flat_map(|node| node.tags.iter().map(String::as_str))
        .collect();
    let users = directory.users.iter();
    let users = users.filter(|user| !owners.contains(&user.id)).map(|user| {
        let name = format!("a machine of {}", user.email);
        (Lacking::User(user.id, user.email.clone()), name)
    });
    let tags = document.tag_owners.iter().map(|t| t.tag.text.as_str());
    let tags = tags.filter(|tag| !worn.contains(tag)).map(|tag| {
        let name = format!("a machine with {tag}");
        (Lacking::Tag(tag.to_owned()), name)
    });
    users
        .chain(tags)
        .zip(free(nodes.iter()))
        .map(|((of, name), (v4, v6))| {
            let (user, tags) = match &of {
                Lacking::User(id, _) => (Some(*id), Vec::new()),
                Lacking::Tag(tag) | Lacking::Second(tag, _) => (None, vec![tag.clone()]),
            };
            let facts = NodeFacts {
                user,
                tags,
                addresses: vec![v4, v6],
                ..NodeFacts::default()
            };
            Thought { of, name, facts }
        })
        .collect()
}

/// Addresses that none of the nodes has, one of each family.
fn free<'n>(nodes: impl Iterator<Item = &'n NodeFacts>) -> impl Iterator<Item = (IpAddr, IpAddr)> {
    let taken: BTreeSet<IpAddr> = nodes.flat_map(|n| n.addresses.iter().copied()).collect();
    let free_v4 = (0..=LAST_IPV4)
        .rev()
        .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    let free_v6 = (1..=u128::from(u64::MAX)).map(|n| IpAddr::V6(Ipv6Addr::from_bits(IPV6 | n)));
    let other = taken.clone();
    free_v4
        .filter(move |address| !taken.contains(address))
        .zip(free_v6.filter(move |address| !other.contains(address)))
}

/// Where both ends are the same user or the same tag, with one device: a second such device, which
/// the first one's traffic may go to. It is like the first, without its routes.
pub fn second(
    (from, to): (&Typed, &Typed),
    devices: &[Device<'_>],
    thoughts: &[Thought],
) -> Option<Thought> {
    let ([one], [other]) = (from.spots.as_slice(), to.spots.as_slice()) else {
        return None;
    };
    let name = from.class.as_ref()?;
    if one != other || from.class != to.class {
        return None;
    }
    let device = devices.get(one.device)?;
    let lacking = || {
        let at = one.device.checked_sub(devices.len() - thoughts.len())?;
        thoughts.get(at).map(|thought| thought.of.clone())
    };
    let (v4, v6) = free(devices.iter().map(|device| device.facts)).next()?;
    let has = if name.starts_with("tag:") {
        "with"
    } else {
        "of"
    };
    Some(Thought {
        of: lacking().unwrap_or_else(|| Lacking::Second(name.clone(), device.name.to_owned())),
        name: format!("a second machine {has} {name}"),
        facts: NodeFacts {
            addresses: vec![v4, v6],
            routes: Vec::new(),
            exit_routes: Vec::new(),
            ..device.facts.clone()
        },
    })
}

impl Explainer<'_> {
    /// True when a rule asks something of its source device.
    pub fn asks_for_postures(&self) -> bool {
        let ssh = self.document.ssh.iter();
        let asks = |own: &[Text]| requirement(self.document, own).is_some();
        self.rules.iter().any(|rule| rule.requirement.is_some())
            || ssh.map(|rule| rule.postures.as_slice()).any(asks)
    }
}

#[cfg(test)]
mod tests {
    use wire::api::Role;

    use super::*;
    use crate::User;

    #[test]
    fn people_and_tags_without_a_device_are_given_one_each() {
        let (document, _) =
            crate::parse(r#"{"tagOwners": {"tag:web": [], "tag:ci": []}, "acls": []}"#);
        let user = |id, email: &str| User {
            id: UserId(id),
            email: email.to_owned(),
            role: Role::Member,
        };
        let directory = Directory {
            users: vec![
                user(1, "ada@example.com"),
                user(2, "bob@example.com"),
                user(3, "eve@example.com"),
            ],
            ..Directory::default()
        };
        let nodes = [
            NodeFacts {
                user: Some(UserId(2)),
                addresses: vec!["100.127.255.254".parse().unwrap()],
                ..NodeFacts::default()
            },
            NodeFacts {
                user: Some(UserId(3)),
                tags: vec!["tag:web".to_owned()],
                addresses: vec!["fd7a:115c:a1e0:ffff::1".parse().unwrap()],
                ..NodeFacts::default()
            },
        ];
        let all = thought(&document, &directory, &nodes);
        let told: Vec<String> = all
            .iter()
            .map(|t| format!("{} {} {:?}", t.of.name(), t.name, t.facts.addresses))
            .collect();
        assert_eq!(
            told,
            [
                "ada@example.com a machine of ada@example.com [100.127.255.253, fd7a:115c:a1e0:ffff::2]",
                "eve@example.com a machine of eve@example.com [100.127.255.252, fd7a:115c:a1e0:ffff::3]",
                "tag:ci a machine with tag:ci [100.127.255.251, fd7a:115c:a1e0:ffff::4]",
            ],
            "a tagged machine is nobody's"
        );
        assert_eq!(all[0].facts.owner(), Some(UserId(1)));
        assert_eq!(all[2].facts.owner(), None);
    }
}
