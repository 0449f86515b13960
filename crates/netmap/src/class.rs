//! The law of a snapshot: its classes, what each sees, and its filter.

use std::{collections::BTreeMap, sync::Arc};

use policy::{ClassKey, Compiled};
use wire::{control::map::CapMap, filter::FilterRule};

use crate::node::Node;

/// A class by its number in [`Law`]; numbers mean nothing to another law.
pub(crate) type ClassId = u32;

/// The compiled policy and the classes that nodes were found in.
#[derive(Debug, Clone)]
pub(crate) struct Law {
    compiled: Arc<Compiled>,
    numbers: BTreeMap<ClassKey, ClassId>,
    classes: Vec<Arc<Class>>,
}

/// Nodes that are alike before the law.
#[derive(Debug)]
pub(crate) struct Class {
    key: ClassKey,
    /// Bit `i`: it and class `i` see each other, for `i` up to its own number.
    sees: Vec<u64>,
    /// What its nodes carry where peers see them: the source sets that filters name.
    pub(crate) caps: CapMap,
    /// The filter of its nodes that offer no routes.
    pub(crate) filter: Vec<FilterRule>,
}

impl Law {
    pub(crate) fn new(compiled: Compiled) -> Self {
        Self {
            compiled: Arc::new(compiled),
            numbers: BTreeMap::new(),
            classes: Vec::new(),
        }
    }

    /// True when the numbers of one mean the same in the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.compiled, &other.compiled)
    }

    /// The class of a node, if it has been seen before.
    pub(crate) fn find(&self, key: &ClassKey) -> Option<ClassId> {
        self.numbers.get(key).copied()
    }

    pub(crate) fn key_of(&self, node: &Node) -> ClassKey {
        self.compiled.class_of(&node.facts())
    }

    pub(crate) fn add(&mut self, key: ClassKey) -> ClassId {
        let id = ClassId::try_from(self.classes.len()).expect("classes are fewer than nodes");
        let mut sees = vec![0; self.classes.len() / 64 + 1];
        let others = self.classes.iter().map(|c| &c.key).chain([&key]);
        for (i, other) in others.enumerate() {
            if self.compiled.visible(&key, other) {
                sees[i / 64] |= 1 << (i % 64);
            }
        }
        let sets = self.compiled.source_sets(&key);
        self.classes.push(Arc::new(Class {
            sees,
            caps: sets.iter().map(|s| (s.capability(), Vec::new())).collect(),
            filter: self.compiled.class_filter(&key),
            key: key.clone(),
        }));
        self.numbers.insert(key, id);
        id
    }

    pub(crate) fn class(&self, id: ClassId) -> &Class {
        &self.classes[id as usize]
    }

    /// True when nodes of the two classes see each other. No class, nobody.
    pub(crate) fn sees(&self, a: Option<ClassId>, b: Option<ClassId>) -> bool {
        let (Some(a), Some(b)) = (a, b) else {
            return false;
        };
        let (low, high) = (a.min(b) as usize, a.max(b));
        self.class(high).sees[low / 64] >> (low % 64) & 1 == 1
    }

    /// The packet filter of a node in this class.
    pub(crate) fn filter_of(&self, class: Option<ClassId>, node: &Node) -> Vec<FilterRule> {
        match class.map(|id| self.class(id)) {
            None => Vec::new(),
            Some(class) if node.offers_routes() => {
                self.compiled.node_filter(&class.key, &node.facts())
            }
            Some(class) => class.filter.clone(),
        }
    }
}
