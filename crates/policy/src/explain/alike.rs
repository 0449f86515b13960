//! Spots that are alike before the law.

use std::collections::BTreeMap;

use wire::UserId;

use super::{
    Device, Spot,
    cut::{Cuts, Mark},
};
use crate::{class::ClassKey, compile::Compiled, posture::Attributes};

/// Spots of which one answers for all.
#[derive(Debug)]
pub(super) struct Alike {
    pub(super) spots: Vec<Spot>,
    /// True when no rule tells the IPv4 address from the IPv6 address.
    pub(super) is_even: bool,
}

/// What spots are alike by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Likeness<'d> {
    /// A device's own addresses, of these families.
    Own(ClassKey, (bool, bool), Option<&'d Attributes>),
    /// What lies behind a device.
    Behind(usize, Option<Mark>),
}

impl Likeness<'_> {
    /// True when no rule tells the IPv4 address from the IPv6 address.
    fn is_even(&self) -> bool {
        match self {
            Self::Own(class, ..) => class.class().is_even(),
            Self::Behind(..) => true,
        }
    }
}

/// Spots by what they are alike by; `by_posture`: answers tell what devices have.
pub(super) fn classes(
    law: &Compiled,
    devices: &[Device<'_>],
    (cuts, spots): (&Cuts<'_>, &[Spot]),
    by_posture: bool,
) -> Vec<Alike> {
    let mut by_key: BTreeMap<Likeness<'_>, Vec<Spot>> = BTreeMap::new();
    for spot in &cuts.cut(spots) {
        let Some(device) = devices.get(spot.device) else {
            continue;
        };
        let key = if spot.is_own(device.facts) {
            Likeness::Own(
                law.class_of(device.facts),
                (spot.v4.is_some(), spot.v6.is_some()),
                Some(&device.facts.posture).filter(|_| by_posture),
            )
        } else {
            Likeness::Behind(spot.device, cuts.mark(device, spot))
        };
        by_key.entry(key).or_default().push(*spot);
    }
    let all = by_key.into_iter().map(|(key, spots)| Alike {
        is_even: key.is_even(),
        spots,
    });
    all.collect()
}

/// Spots of devices with the same user, tags and posture, which rules of `ssh` see, and alike
/// before all other rules; what lies behind one device.
pub(super) fn identities(law: &Compiled, devices: &[Device<'_>], spots: &[Spot]) -> Vec<Alike> {
    /// User, tags and posture.
    type Identity<'d> = (Option<UserId>, &'d [String], String);
    let mut by_key: BTreeMap<(Likeness<'_>, Identity<'_>), Vec<Spot>> = BTreeMap::new();
    for spot in spots {
        let Some(Device { facts, .. }) = devices.get(spot.device) else {
            continue;
        };
        let likeness = if spot.is_own(facts) {
            let families = (spot.v4.is_some(), spot.v6.is_some());
            Likeness::Own(law.class_of(facts), families, None)
        } else {
            Likeness::Behind(spot.device, None)
        };
        let posture = format!("{:?}", facts.posture);
        let identity = (facts.owner(), facts.tags.as_slice(), posture);
        by_key.entry((likeness, identity)).or_default().push(*spot);
    }
    let all = by_key.into_iter().map(|((key, _), spots)| Alike {
        is_even: key.is_even(),
        spots,
    });
    all.collect()
}
