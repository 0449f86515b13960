//! Questions about a person or a tag with a single machine, on both sides: they are about a second one.

use policy::explain::{self, Typed};
use wire::api::policy::explain::Explained;

use super::{Scene, lacking};

/// The answer about the two ends; where both are the one machine of a person or a tag, about that
/// and a second one like it.
pub(super) fn answered(
    scene: &Scene<'_>,
    (from, to): (&Typed, &Typed),
    answer: impl Fn(&Scene<'_>, (&Typed, &Typed)) -> Explained,
) -> Explained {
    let Some(second) = explain::second((from, to), scene.devices, scene.thoughts) else {
        return answer(scene, (from, to));
    };
    let mut thoughts = scene.thoughts.to_vec();
    thoughts.push(second);
    let mut devices = scene.devices.to_vec();
    devices.extend(thoughts.last().map(lacking::device));
    let Some(other) = Typed::device(devices.len() - 1, &devices) else {
        return answer(scene, (from, to));
    };
    let first = from.spots.first().and_then(|spot| devices.get(spot.device));
    let from = Typed {
        name: first.map_or_else(|| from.name.clone(), |device| device.name.to_owned()),
        ..from.clone()
    };
    let scene = Scene {
        devices: &devices,
        thoughts: &thoughts,
        ..*scene
    };
    answer(&scene, (&from, &other))
}
