//! `cargo bench -p policy`: the engine on a large tenant.

mod tasks;
mod world;

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};

fn engine(c: &mut Criterion) {
    let bench = tasks::Bench::large();
    let mut group = c.benchmark_group("policy");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for (name, task) in tasks::TASKS {
        group.bench_function(*name, |b| b.iter(|| black_box(task(black_box(&bench)))));
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
