//! Devices as an end of a question, and names as its source.

use super::{Device, Spot, Typed};
use crate::addresses::AddressSet;

impl Typed {
    /// A device by its place among those given.
    pub fn device(at: usize, devices: &[Device<'_>]) -> Option<Self> {
        let device = devices.get(at)?;
        Some(Self {
            name: device.name.to_owned(),
            spots: vec![Spot::own(at, device.facts)],
            nowhere: Vec::new(),
            class: None,
            hides: None,
        })
    }

    /// The same as a source: what only exit routes lead to sends nothing into the mesh, so it
    /// counts as leading nowhere.
    #[must_use]
    pub fn as_source(self, devices: &[Device<'_>]) -> Self {
        let (spots, lost): (Vec<_>, Vec<_>) = self.spots.iter().copied().partition(|spot| {
            devices.get(spot.device).is_some_and(|device| {
                let routes = device.facts.routes.iter();
                let offered = device.offered.iter().filter(|route| route.bits > 0);
                let mut routes = routes.chain(offered);
                let first = spot.addresses().next();
                spot.is_own(device.facts)
                    || first.is_some_and(|address| routes.any(|r| r.contains(address)))
            })
        });
        if lost.is_empty() {
            return self;
        }
        let lost = lost.iter().filter_map(Spot::ends);
        let nowhere = AddressSet::of_ranges(self.nowhere.iter().copied().chain(lost));
        Self {
            spots,
            nowhere: nowhere.ranges().collect(),
            ..self
        }
    }
}
