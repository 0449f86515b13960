//! Whither addresses lead: to the devices that have them, to routers, to exit nodes.

use std::{cmp::Reverse, net::IpAddr};

use wire::net::{MESH_IPV4, MESH_IPV6, Prefix};

use super::{Device, Spot};
use crate::{addresses::AddressSet, internet::internet};

/// Where a set of addresses leads.
#[derive(Debug, Default)]
pub(super) struct Led {
    /// The devices, each with what of the set is its own, and with what lies behind it.
    pub(super) spots: Vec<Spot>,
    /// What leads nowhere; addresses of the mesh that nobody has are left out.
    pub(super) nowhere: AddressSet,
}

/// Each address leads to one device: the one that has it, else the router with the longest
/// approved route, else an exit node, else a device that offers a route. Of routers alike the first
/// counts: it was created first.
pub(super) fn lead(set: &AddressSet, devices: &[Device<'_>]) -> Led {
    let mut led = Led {
        spots: Vec::new(),
        nowhere: set.clone(),
    };
    led.own(devices);
    led.by(approved(devices), None);
    led.by(exits(devices), Some(internet()));
    led.by(offered(devices), None);
    led.by(offered_exits(devices), Some(internet()));
    let mesh = AddressSet::of_all(&[MESH_IPV4, MESH_IPV6]);
    led.nowhere = led.nowhere.without(&mesh);
    led
}

impl Led {
    /// To these alone.
    pub(super) fn to(spots: Vec<Spot>) -> Self {
        Self {
            spots,
            nowhere: AddressSet::default(),
        }
    }
}

/// What each exit node takes to the Internet.
pub(super) fn everywhere(devices: &[Device<'_>]) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (route, at) in exits(devices) {
        let there = internet().common(&AddressSet::of(route));
        spots.extend(behind(at, &there));
    }
    spots
}

/// Routes, the longest first, each with its device.
type Routes = Vec<(Prefix, usize)>;

fn routes<'d>(
    devices: &'d [Device<'d>],
    of: impl Fn(&'d Device<'d>) -> &'d [Prefix],
    is: impl Fn(&Prefix) -> bool,
) -> Routes {
    let all = devices.iter().enumerate();
    let mut routes: Routes = all
        .flat_map(|(at, device)| of(device).iter().map(move |route| (*route, at)))
        .filter(|(route, _)| is(route))
        .collect();
    routes.sort_by_key(|(route, _)| Reverse(route.bits));
    routes
}

fn approved(devices: &[Device<'_>]) -> Routes {
    routes(devices, |d| &d.facts.routes, |_| true)
}

fn exits(devices: &[Device<'_>]) -> Routes {
    routes(devices, |d| &d.facts.exit_routes, |_| true)
}

fn offered(devices: &[Device<'_>]) -> Routes {
    routes(devices, |d| d.offered, |route| route.bits > 0)
}

fn offered_exits(devices: &[Device<'_>]) -> Routes {
    routes(devices, |d| d.offered, |route| route.bits == 0)
}

impl Led {
    /// Takes what devices have themselves.
    fn own(&mut self, devices: &[Device<'_>]) {
        let mut owned = Vec::new();
        for (at, device) in devices.iter().enumerate() {
            let own = device.facts.addresses.iter().copied();
            let mut own = own.filter(|address| self.nowhere.contains(*address));
            let Some(first) = own.next() else {
                continue;
            };
            let mut spot = Spot::at(at, first);
            owned.push((first, first));
            for address in own {
                owned.push((address, address));
                spot.v4 = spot.v4.or(Some(address).filter(IpAddr::is_ipv4));
                spot.v6 = spot.v6.or(Some(address).filter(IpAddr::is_ipv6));
            }
            self.spots.push(spot);
        }
        if !owned.is_empty() {
            self.nowhere = self.nowhere.without(&AddressSet::of_ranges(owned));
        }
    }

    /// Takes what routes lead to, of `within` alone.
    fn by(&mut self, routes: Routes, within: Option<&AddressSet>) {
        for (route, at) in routes {
            if !self.nowhere.overlaps(&route) {
                continue;
            }
            let mut there = self.nowhere.common(&AddressSet::of(route));
            if let Some(within) = within {
                there = there.common(within);
            }
            self.nowhere = self.nowhere.without(&there);
            self.spots.extend(behind(at, &there));
        }
    }
}

fn behind(device: usize, there: &AddressSet) -> impl Iterator<Item = Spot> + '_ {
    let ranges = there.ranges();
    ranges.map(move |(first, last)| Spot::range(device, first, last))
}
