//! Times the tasks natively, as `scripts/policy-timing.mjs` does in WebAssembly.

use std::{hint::black_box, time::Instant};

use policy_timing::{name_of, prepare, run};

fn main() {
    for number in 0..prepare() {
        let start = Instant::now();
        let mut spent = Vec::new();
        while spent.len() < 5 || (start.elapsed().as_millis() < 1_000 && spent.len() < 1_000) {
            let before = Instant::now();
            black_box(run(number));
            spent.push(before.elapsed().as_secs_f64() * 1_000.0);
        }
        spent.sort_by(f64::total_cmp);
        println!("{}\t{:.4}", name_of(number), spent[spent.len() / 2]);
    }
}
