//! The tasks of `benches/policy.rs`, callable from scripts.

#[path = "../../benches/tasks.rs"]
mod tasks;
#[path = "../../benches/world.rs"]
mod world;

use std::sync::OnceLock;

static BENCH: OnceLock<tasks::Bench> = OnceLock::new();

fn task(number: usize) -> tasks::Task {
    tasks::TASKS[number]
}

/// Makes the tenant; the number of tasks.
#[unsafe(no_mangle)]
pub extern "C" fn prepare() -> usize {
    BENCH.get_or_init(tasks::Bench::large);
    tasks::TASKS.len()
}

/// Where the name of a task begins.
#[unsafe(no_mangle)]
pub extern "C" fn name(number: usize) -> *const u8 {
    task(number).0.as_ptr()
}

/// How long it is.
#[unsafe(no_mangle)]
pub extern "C" fn name_length(number: usize) -> usize {
    task(number).0.len()
}

/// Does a task once.
#[unsafe(no_mangle)]
pub extern "C" fn run(number: usize) -> usize {
    task(number).1(BENCH.get_or_init(tasks::Bench::large))
}

/// The name of a task.
pub fn name_of(number: usize) -> &'static str {
    task(number).0
}
