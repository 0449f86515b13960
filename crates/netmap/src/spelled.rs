//! Sources of rules with `app`, spelled out by address.
//!
//! Filters name sources by source set, so that nodes come and go without changing them.
//! Official clients heed that for traffic only: whose capabilities a rule grants they judge by
//! addresses alone (1.102, `CapsWithValues`). So rules with `app` name the addresses of the
//! nodes in a set, and change with them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use wire::filter::FilterRule;

use crate::{
    class::{ClassId, Law},
    member::Member,
    segment::Members,
};

/// What precedes the name of a source set.
const SET: &str = "cap:";

/// The addresses in source sets, in a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Spelled {
    /// By class: the number of the change in which its nodes came, went or took other addresses.
    moved: BTreeMap<ClassId, u64>,
    /// By source set: the addresses, kept once they were asked for.
    kept: Mutex<BTreeMap<String, Arc<[String]>>>,
}

impl Clone for Spelled {
    fn clone(&self) -> Self {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            moved: self.moved.clone(),
            kept: Mutex::new(kept.clone()),
        }
    }
}

impl Spelled {
    /// Nodes of this class came, went or took other addresses in change `number`.
    pub(crate) fn moved(&mut self, class: ClassId, law: &Law, number: u64) {
        let sets = &law.class(class).caps;
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|set, _| !sets.contains_key(set));
        self.moved.insert(class, number);
    }

    /// Whether these rules are spelled alike in a later snapshot, whose law numbers classes as
    /// this one's does.
    pub(crate) fn is_alike(&self, after: &Self, law: &Law, rules: &[FilterRule]) -> bool {
        let changed = |(class, number): &(&ClassId, &u64)| self.moved.get(class) != Some(number);
        let mut moved = after.moved.iter().filter(changed);
        !moved.any(|(class, _)| {
            let sets = &law.class(*class).caps;
            named(rules).any(|set| sets.contains_key(set))
        })
    }

    /// These rules, as nodes are told them.
    pub(crate) fn spell(
        &self,
        mut rules: Vec<FilterRule>,
        law: &Law,
        members: &Members,
    ) -> Vec<FilterRule> {
        for rule in rules.iter_mut().filter(|r| !r.cap_grant.is_empty()) {
            let sources = std::mem::take(&mut rule.src_ips);
            for source in sources {
                match source.strip_prefix(SET) {
                    None => rule.src_ips.push(source),
                    Some(set) => {
                        let addresses = self.addresses(set, law, members);
                        rule.src_ips.extend(addresses.iter().cloned());
                    }
                }
            }
        }
        rules.retain(|r| r.cap_grant.is_empty() || !r.src_ips.is_empty());
        rules
    }

    fn addresses(&self, set: &str, law: &Law, members: &Members) -> Arc<[String]> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(set) {
            return Arc::clone(known);
        }
        let is_in = |m: &&Arc<Member>| {
            let class = m.class();
            class.is_some_and(|class| law.class(class).caps.contains_key(set))
        };
        let found: Arc<[String]> = members
            .iter()
            .filter(is_in)
            .flat_map(|m| {
                let v6_only = law.is_v6_only(m.class());
                let all = m.node.addresses().into_iter().map(|p| p.addr);
                all.filter(move |a| !v6_only || a.is_ipv6())
            })
            .map(|a| a.to_string())
            .collect();
        kept.insert(set.to_owned(), Arc::clone(&found));
        found
    }
}

/// The source sets that rules with `app` name.
pub(crate) fn named(rules: &[FilterRule]) -> impl Iterator<Item = &str> {
    let apps = rules.iter().filter(|r| !r.cap_grant.is_empty());
    let sources = apps.flat_map(|r| &r.src_ips);
    sources.filter_map(|source| source.strip_prefix(SET))
}
