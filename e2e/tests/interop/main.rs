//! Real Tailscale clients judge the server and our agent. `make interop` runs it.

use std::process::ExitCode;

use e2e::{
    runner::{self, Scenario},
    scenarios, tailscale,
};

mod grants;
mod policy;
mod real_clients;
mod routes;

const SCENARIOS: &[Scenario] = scenarios![
    real_clients::real_clients_join_talk_obey_survive_and_leave,
    real_clients::real_clients_and_our_agent_talk_both_ways,
    real_clients::our_agent_between_real_clients_joins_obeys_survives_and_leaves,
    policy::people_and_tags_sign_in_by_ssh_until_the_policy_is_edited,
    policy::attributes_of_the_policy_reach_the_clients,
    routes::a_network_is_reached_through_a_router_that_the_policy_approves,
    routes::an_exit_node_is_offered_to_others_from_when_a_person_approves_it,
    grants::grants_hold_by_router_by_posture_and_with_their_capabilities,
];

fn main() -> ExitCode {
    if let Err(e) = tailscale::clients() {
        return runner::skipped("INTEROP", &e);
    }
    runner::main("the judgement of real clients", SCENARIOS)
}
