//! Runs scenarios one after the other, each in its own child of the lab.

use std::{process::ExitCode, time::Instant};

use anyhow::Result;

use crate::{eventually::now, lab};

/// A scenario: a sentence about the product, and the function that proves it.
pub struct Scenario {
    /// The sentence, as an identifier.
    pub name: &'static str,
    /// The proof.
    pub run: fn() -> Result<()>,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Runs the scenarios whose name holds one of the arguments (all without
/// arguments), each in a lab of its own; prints a line each and the sum.
pub fn main(what: &str, scenarios: &[Scenario]) -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    if let [one] = args.as_slice()
        && let Some(name) = one.strip_prefix("only=")
    {
        return run_one(scenarios, name);
    }
    let chosen = scenarios
        .iter()
        .filter(|s| args.is_empty() || args.iter().any(|a| s.name.contains(a.as_str())));
    let (mut passed, mut failed) = (0, 0);
    if let Err(e) = lab::check() {
        println!("SKIPPED: {what} needs a network lab: {e:#}");
        println!(
            "SKIPPED: run it as root, or allow unprivileged user namespaces, and run `make test` again"
        );
        println!("0 passed, 0 failed, {} skipped", scenarios.len());
        return ExitCode::SUCCESS;
    }
    for scenario in chosen {
        let start = now();
        let ok = in_child(scenario.name);
        report(scenario.name, ok, start);
        if ok { passed += 1 } else { failed += 1 }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Says loudly that nothing was proved, and why.
pub fn skipped(what: &str, why: &anyhow::Error) -> ExitCode {
    println!("{what} SKIPPED: {why:#}");
    ExitCode::SUCCESS
}

fn report(name: &str, ok: bool, start: Instant) {
    let seconds = now().duration_since(start).as_secs_f32();
    println!(
        "scenario {name} ... {} ({seconds:.1} s)",
        if ok { "ok" } else { "FAILED" }
    );
}

fn in_child(name: &str) -> bool {
    match try_in_child(name) {
        Ok(ok) => ok,
        Err(e) => {
            eprintln!("{name}: {e:#}");
            false
        }
    }
}

/// Whether the scenario passed; what it left in its folder is kept when it did not.
fn try_in_child(name: &str) -> Result<bool> {
    let mut scratch = tempfile::Builder::new().prefix("warren-lab-").tempdir()?;
    let ok = std::process::Command::new(std::env::current_exe()?)
        .arg(format!("only={name}"))
        .env(lab::SCRATCH, scratch.path())
        .status()?
        .success();
    if !ok {
        scratch.disable_cleanup(true);
        eprintln!("{name}: logs are in {}", scratch.path().display());
    }
    Ok(ok)
}

fn run_one(scenarios: &[Scenario], name: &str) -> ExitCode {
    let Some(scenario) = scenarios.iter().find(|s| s.name == name) else {
        eprintln!("no scenario is called {name}");
        return ExitCode::FAILURE;
    };
    match lab::enter().and_then(|()| (scenario.run)()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{name}: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// A list of scenarios, each named as its function.
#[macro_export]
macro_rules! scenarios {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        &[$($crate::runner::Scenario {
            name: stringify!($name),
            run: $module::$name,
        }),+]
    };
}
