//! Small random tenants.

#[path = "tenant.rs"]
mod tenant;

use proptest::prelude::*;

pub(crate) use tenant::World;

/// A tenant of random bytes.
pub(crate) fn arb_world() -> impl Strategy<Value = World> {
    prop::collection::vec(any::<u8>(), 0..320).prop_map(|bytes| World::of(&bytes))
}
