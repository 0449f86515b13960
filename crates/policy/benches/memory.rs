//! `cargo bench -p policy --bench memory`: the bytes that a compiled policy holds.

#![expect(
    clippy::print_stdout,
    reason = "the figure is what this program is for"
)]

mod world;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Counts what is allocated and not freed.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; it hands on what the system gives"
)]
// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let world = world::world(world::LARGE, 0x5741_5252_454e);
    let held = |what: &str, before: usize| {
        let bytes = HELD.load(Ordering::Relaxed) - before;
        println!(
            "{what}: {}.{} MB",
            bytes / 1_000_000,
            bytes % 1_000_000 / 100_000
        );
    };
    let start = HELD.load(Ordering::Relaxed);
    let (document, _) = policy::parse(&world.text);
    held("document", start);
    let start = HELD.load(Ordering::Relaxed);
    let law = policy::Compiled::new(&document, &world.directory);
    held("compiled policy", start);
    let start = HELD.load(Ordering::Relaxed);
    let mut classes: Vec<_> = world.nodes.iter().map(|n| law.class_of(n)).collect();
    classes.sort_unstable();
    classes.dedup();
    held("classes of all nodes", start);
    println!(
        "text: {} kB; {} nodes in {} classes",
        world.text.len() / 1_000,
        world.nodes.len(),
        classes.len()
    );
}
