//! The product in a network lab. Needs root or user namespaces; `make test` runs it.

use std::process::ExitCode;

use e2e::runner::{self, Scenario};

mod nat_kinds;

const SCENARIOS: &[Scenario] = &[Scenario {
    name: "the_lab_routers_behave_as_their_kind",
    run: nat_kinds::the_lab_routers_behave_as_their_kind,
}];

fn main() -> ExitCode {
    runner::main("the product's proof", SCENARIOS)
}
