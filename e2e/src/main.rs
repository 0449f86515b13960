//! `warren-lab`: the lab as a program: a demonstration that stays, and the measurements.
#![expect(clippy::print_stderr, reason = "it speaks to the person who runs it")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("demo") => e2e::demo::main(),
        Some("bench") => e2e::bench::main(),
        other => {
            let said = other.unwrap_or_default();
            Err(anyhow::anyhow!("`{said}` is not one of demo, bench"))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("warren-lab: {e:#}");
            ExitCode::FAILURE
        }
    }
}
