//! Who holds which capabilities.

use std::{collections::HashMap, net::IpAddr};

/// Stands between the names of one set; no name that contains it is believed.
const SEPARATOR: char = '\0';

/// Which addresses hold which capabilities, for `cap:` sources: each peer's own
/// addresses with the names in its `CapMap`. Peers with equal sets share one.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    by_addr: HashMap<IpAddr, SetId>,
    ids: HashMap<String, SetId>,
    sets: Vec<Vec<String>>,
    scratch: String,
}

/// Names a set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SetId(u32);

impl SetId {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Sources {
    /// Says that `addr` is a peer's own address and which capabilities that
    /// peer holds, in the order of names.
    pub fn insert<'a>(&mut self, addr: IpAddr, capabilities: impl Iterator<Item = &'a str>) {
        self.scratch.clear();
        for name in capabilities.filter(|name| !name.contains(SEPARATOR)) {
            self.scratch.push_str(name);
            self.scratch.push(SEPARATOR);
        }
        let id = match self.ids.get(&self.scratch) {
            Some(id) => *id,
            None => self.new_set(),
        };
        self.by_addr.insert(addr, id);
    }

    fn new_set(&mut self) -> SetId {
        let id = SetId(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        let names = self.scratch.split_terminator(SEPARATOR);
        self.sets.push(names.map(str::to_owned).collect());
        self.ids.insert(self.scratch.clone(), id);
        id
    }

    /// The set of the peer whose own address this is.
    pub(super) fn set_of(&self, addr: IpAddr) -> Option<SetId> {
        self.by_addr.get(&addr).copied()
    }

    /// The names in each set, by [`SetId::index`].
    pub(super) fn sets(&self) -> impl Iterator<Item = &[String]> {
        self.sets.iter().map(Vec::as_slice)
    }
}
