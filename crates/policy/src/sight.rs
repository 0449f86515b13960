//! Who sees whom among many classes, without trying every pair.

use std::{collections::BTreeMap, sync::Arc};

use wire::UserId;

use crate::{
    bits::Bits,
    class::{Class, ClassKey},
};

/// Classes in one block.
const BLOCK: usize = 64;

/// Classes of one law, numbered in the order in which they are taken in. Whom a
/// class sees is found for 64 others at once: whoever is a destination of one of
/// the rules that it is a source of, or the other way round.
///
/// A clone shares all blocks of classes with its origin; taking a class in
/// copies one block.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    blocks: Vec<Arc<Block>>,
    count: usize,
}

/// 64 classes; bit `n` of a word is class `n` of the block.
#[derive(Debug, Clone, Default)]
struct Block {
    v4: Rules,
    v6: Rules,
    /// Classes whose nodes `autogroup:self` joins with others of this user, and of
    /// them those that reach others and are not reached alone.
    by_user: BTreeMap<UserId, (u64, u64)>,
}

/// By rule, the classes that are a source and a destination of it, in one family.
#[derive(Debug, Clone, Default)]
struct Rules(Vec<(u64, u64)>);

impl Sight {
    /// Takes the next class in. Returns [`Self::seen_by`] of it, where it is in itself.
    pub fn add(&mut self, class: &ClassKey) -> Vec<u64> {
        let bit = self.count % BLOCK;
        if bit == 0 {
            self.blocks.push(Arc::default());
        }
        self.count += 1;
        if let Some(last) = self.blocks.last_mut() {
            Arc::make_mut(last).add(class.class(), 1 << bit);
        }
        self.seen_by(class)
    }

    /// The classes taken in so far that nodes of this one see, as words of 64:
    /// bit `n % 64` of word `n / 64` is class `n`. As [`crate::Compiled::visible`] has it.
    pub fn seen_by(&self, class: &ClassKey) -> Vec<u64> {
        let viewer = Viewer::of(class.class());
        self.blocks.iter().map(|b| b.seen_by(&viewer)).collect()
    }
}

/// Who looks: its rules, spelled out once for all blocks.
struct Viewer<'a> {
    class: &'a Class,
    v4: (Vec<usize>, Vec<usize>),
    v6: (Vec<usize>, Vec<usize>),
}

impl<'a> Viewer<'a> {
    fn of(class: &'a Class) -> Self {
        let pair =
            |source: &Bits, target: &Bits| (source.iter().collect(), target.iter().collect());
        Self {
            class,
            v4: pair(&class.source.v4, &class.target.v4),
            v6: pair(&class.source.v6, &class.target.v6),
        }
    }
}

impl Block {
    fn add(&mut self, class: &Class, bit: u64) {
        self.v4.add(&class.source.v4, &class.target.v4, bit);
        self.v6.add(&class.source.v6, &class.target.v6, bit);
        if let Some(user) = class.user {
            let (all, sources) = self.by_user.entry(user).or_default();
            *all |= bit;
            if class.is_self_source {
                *sources |= bit;
            }
        }
    }

    fn seen_by(&self, viewer: &Viewer<'_>) -> u64 {
        let class = viewer.class;
        let of_user = class.user.and_then(|user| self.by_user.get(&user));
        let (all, sources) = of_user.copied().unwrap_or_default();
        let own = if class.is_self_source { all } else { sources };
        own | self.v4.seen_by(&viewer.v4) | self.v6.seen_by(&viewer.v6)
    }
}

impl Rules {
    fn add(&mut self, source: &Bits, target: &Bits, bit: u64) {
        let last = source.iter().chain(target.iter()).max();
        let length = last.map_or(0, |rule| rule + 1);
        if self.0.len() < length {
            self.0.resize(length, (0, 0));
        }
        for rule in source.iter() {
            if let Some((sources, _)) = self.0.get_mut(rule) {
                *sources |= bit;
            }
        }
        for rule in target.iter() {
            if let Some((_, targets)) = self.0.get_mut(rule) {
                *targets |= bit;
            }
        }
    }

    fn seen_by(&self, (source, target): &(Vec<usize>, Vec<usize>)) -> u64 {
        let targets = source.iter().filter_map(|rule| self.0.get(*rule));
        let sources = target.iter().filter_map(|rule| self.0.get(*rule));
        targets.fold(0, |seen, row| seen | row.1) | sources.fold(0, |seen, row| seen | row.0)
    }
}

#[cfg(test)]
mod tests {
    use wire::{api::Role, net::mesh_ipv6_of};

    use super::*;
    use crate::{Compiled, Directory, NodeFacts, User, parse};

    fn node(n: u32, user: Option<u32>, tag: Option<u32>) -> NodeFacts {
        let v4 = std::net::Ipv4Addr::from_bits(0x6440_0001 + n);
        let addresses: [std::net::IpAddr; 2] = [v4.into(), mesh_ipv6_of(v4).into()];
        NodeFacts {
            user: user.map(|u| UserId(u.into())),
            tags: tag.map(|t| format!("tag:t{t}")).into_iter().collect(),
            // Some have one family alone.
            addresses: match n % 5 {
                0 => addresses[..1].to_vec(),
                1 => addresses[1..].to_vec(),
                _ => addresses.to_vec(),
            },
            posture: (n % 7 < 3)
                .then(|| ("node:os", "macos".into()))
                .into_iter()
                .collect(),
            ..NodeFacts::default()
        }
    }

    #[test]
    fn blocks_of_classes_see_what_pairs_see() {
        let email = |n: u32| format!("u{n}@example.com");
        let mut rules: Vec<String> = (0..150)
            .map(|n| {
                let (user, tag) = (email(n), n * 7 % 40);
                format!(r#"{{"action":"accept","src":["{user}"],"dst":["tag:t{tag}:22"]}}"#)
            })
            .collect();
        rules.push(r#"{"action":"accept","src":["group:some"],"dst":["autogroup:self:*"]}"#.into());
        rules.push(r#"{"action":"accept","src":["100.64.0.7"],"dst":["tag:t3:*"]}"#.into());
        rules.push(r#"{"action":"accept","src":["autogroup:member"],"dst":["autogroup:self:1"],"srcPosture":["posture:mac"]}"#.into());
        let owners: Vec<String> = (0..40).map(|t| format!(r#""tag:t{t}":[]"#)).collect();
        let text = format!(
            r#"{{"postures":{{"posture:mac":["node:os == 'macos'"]}},"groups":{{"group:some":["{}","{}"]}},"tagOwners":{{{}}},"acls":[{}]}}"#,
            email(3),
            email(70),
            owners.join(","),
            rules.join(","),
        );
        let (document, found) = parse(&text);
        assert!(!crate::has_errors(&found), "{found:?}");
        let directory = Directory {
            users: (0..150)
                .map(|n| User {
                    id: UserId(n.into()),
                    email: email(n),
                    role: Role::Member,
                })
                .collect(),
            ..Directory::default()
        };
        let law = Compiled::new(&document, &directory);
        let mut classes: Vec<ClassKey> = (0..400)
            .map(|n| {
                if n % 4 == 0 {
                    node(n, None, Some(n % 40))
                } else {
                    node(n, Some(n % 150), None)
                }
            })
            .map(|n| law.class_of(&n))
            .collect();
        classes.sort_unstable();
        classes.dedup();
        assert!(classes.len() > 2 * BLOCK, "{}", classes.len());
        let mut sight = Sight::default();
        for (number, class) in classes.iter().enumerate() {
            let seen = sight.add(class);
            assert_eq!(seen.len(), number / BLOCK + 1);
            for (other, key) in classes.iter().take(number + 1).enumerate() {
                let is_seen = seen[other / BLOCK] >> (other % BLOCK) & 1 == 1;
                assert_eq!(is_seen, law.visible(class, key), "{class:?} {key:?}");
            }
        }
    }
}
