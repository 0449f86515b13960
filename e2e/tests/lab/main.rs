//! The product in a network lab. Needs root or user namespaces; `make test` runs it.

use std::process::ExitCode;

use e2e::{
    runner::{self, Scenario},
    scenarios,
};

mod agent_crash;
mod canary;
mod compose;
mod console_acts;
mod console_explain;
mod console_policy;
mod cut_off;
mod membership;
mod nat_kinds;
mod nat_matrix;
mod roam;
mod second_machine;
mod server_crash;
mod two_tenants;
mod udp_returns;

const SCENARIOS: &[Scenario] = scenarios![
    nat_kinds::the_lab_routers_behave_as_their_kind,
    nat_matrix::every_pair_of_nats_talks_as_directly_as_it_can,
    canary::the_wire_carries_nothing_that_can_be_read,
    second_machine::a_machine_that_has_nothing_joins_by_the_shown_command,
    server_crash::a_killed_server_costs_no_packet_and_no_fact,
    console_policy::an_owner_sets_up_adds_machines_and_rules_the_wire_in_the_browser,
    console_acts::an_administrator_looks_after_machines_keys_and_people_in_the_browser,
    console_explain::an_administrator_learns_why_and_what_a_change_does_in_the_browser,
    agent_crash::a_killed_agent_keeps_its_state_and_leaves_nothing_behind,
    udp_returns::a_path_becomes_direct_when_udp_returns_and_loses_nothing,
    roam::a_machine_that_moves_is_reached_directly_again,
    membership::a_machine_waits_until_an_administrator_approves_it,
    membership::a_person_lets_a_machine_in_and_it_comes_and_goes,
    cut_off::a_removed_or_expired_node_is_cut_off_within_two_seconds,
    compose::the_composed_services_run_as_written,
    two_tenants::tenants_with_the_same_names_never_meet,
];

fn main() -> ExitCode {
    runner::main("the product's proof", SCENARIOS)
}
