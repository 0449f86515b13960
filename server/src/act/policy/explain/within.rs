//! Pairs about which no rule is asked: of one machine, or on one side of a router.

use std::collections::BTreeSet;

use policy::explain::Typed;

use super::Scene;

/// The answer where no pair is left.
pub(super) fn sentence(
    scene: &Scene<'_>,
    within: &BTreeSet<usize>,
    (from, to): (&Typed, &Typed),
) -> String {
    let at = within.first().copied();
    let Some((at, router)) = at.and_then(|at| Some((at, scene.devices.get(at)?))) else {
        let machine = one_machine(scene, (from, to));
        return format!("{machine}: a machine always reaches itself, and no rule is asked.");
    };
    let is_router = |typed: &Typed| {
        let mut spots = typed.spots.iter();
        spots.all(|spot| spot.device == at && spot.is_own(router.facts))
    };
    let name = router.name;
    let what = match (is_router(from), is_router(to)) {
        (true, _) => format!(
            "{} lies behind {name}: traffic between the two does",
            to.name
        ),
        (_, true) => format!(
            "{} lies behind {name}: traffic between the two does",
            from.name
        ),
        _ if from.name == to.name => {
            format!("{} lies behind {name}: traffic within it does", from.name)
        }
        _ => format!(
            "{} and {} lie behind the same router, {name}: their traffic does",
            from.name, to.name
        ),
    };
    format!("{what} not pass through the mesh, and no rule is asked.")
}

/// That both ends are one machine: `web is one machine`, `laptop is the only machine of group:dev`.
pub(super) fn one_machine(scene: &Scene<'_>, (from, to): (&Typed, &Typed)) -> String {
    let spot = from.spots.first();
    let device = spot.and_then(|spot| scene.devices.get(spot.device));
    let name = device.map_or(from.name.as_str(), |device| device.name);
    let mut others = vec![from.name.as_str(), to.name.as_str()];
    others.dedup();
    others.retain(|typed| *typed != name);
    if others.is_empty() {
        format!("{name} is one machine")
    } else {
        format!("{name} is the only machine of {}", others.join(" and of "))
    }
}

/// What is said beside other answers.
pub(super) fn note(scene: &Scene<'_>, within: &BTreeSet<usize>, is_all: bool) -> Vec<String> {
    let routers = within.iter().filter(|_| !is_all);
    let names = routers
        .filter_map(|at| scene.devices.get(*at))
        .map(|d| d.name);
    names
        .map(|name| {
            format!(
                "Traffic between {name} and what lies behind it, or within that, does not pass \
                 through the mesh, and no rule is asked: the answer leaves it out."
            )
        })
        .collect()
}
