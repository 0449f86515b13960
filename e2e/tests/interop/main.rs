//! Real Tailscale clients judge the server and our agent. `make interop` runs it.

use std::process::ExitCode;

use e2e::{
    runner::{self, Scenario},
    scenarios, tailscale,
};

mod real_clients;

const SCENARIOS: &[Scenario] = scenarios![
    real_clients::real_clients_join_talk_obey_survive_and_leave,
    real_clients::real_clients_and_our_agent_talk_both_ways,
    real_clients::our_agent_between_real_clients_joins_obeys_survives_and_leaves,
];

fn main() -> ExitCode {
    if let Err(e) = tailscale::clients() {
        return runner::skipped("INTEROP", &e);
    }
    runner::main("the judgement of real clients", SCENARIOS)
}
