//! What is measured, natively and in WebAssembly: the same code.

use std::collections::BTreeSet;

use policy::{ClassKey, Compiled, Diagnostic, Document, End};

use crate::world::{LARGE, Size, World, world};

/// The seed of all figures.
pub(crate) const SEED: u64 = 0x5741_5252_454e;

/// A tenant and what is made of it, for tasks to start from.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) document: Document,
    pub(crate) law: Compiled,
    /// The classes of the nodes, each once.
    pub(crate) classes: Vec<ClassKey>,
}

/// A part of the work, by name.
pub(crate) type Task = (&'static str, fn(&Bench) -> usize);

/// Everything that is measured. Each returns a number that depends on the work done.
pub(crate) const TASKS: &[Task] = &[
    ("parse and check", parse),
    ("compile", compile),
    ("filters and peers of all nodes", everything),
    ("one node added", node_added),
    ("one node retagged", node_retagged),
    ("decide one flow", decide),
    ("complete at the end", complete),
    ("lint", lint),
    ("edit: one rule off and on", switch),
];

impl Bench {
    pub(crate) fn new(size: Size) -> Self {
        let world = world(size, SEED);
        let (document, found) = policy::parse(&world.text);
        assert!(!policy::has_errors(&found), "{:?}", found.first());
        let law = Compiled::new(&document, &world.directory);
        let classes: BTreeSet<ClassKey> = world.nodes.iter().map(|n| law.class_of(n)).collect();
        Self {
            classes: classes.into_iter().collect(),
            world,
            document,
            law,
        }
    }

    pub(crate) fn large() -> Self {
        Self::new(LARGE)
    }
}

fn parse(bench: &Bench) -> usize {
    let (document, found): (Document, Vec<Diagnostic>) = policy::parse(&bench.world.text);
    document.groups.len() + found.len()
}

fn compile(bench: &Bench) -> usize {
    let law = Compiled::new(&bench.document, &bench.world.directory);
    usize::from(law != Compiled::deny_all())
}

/// The class of every node, the filter of every class, and who sees whom.
fn everything(bench: &Bench) -> usize {
    let law = &bench.law;
    let mut classes: Vec<ClassKey> = bench.world.nodes.iter().map(|n| law.class_of(n)).collect();
    classes.sort_unstable();
    classes.dedup();
    let rules: usize = classes.iter().map(|c| law.class_filter(c).len()).sum();
    // Who sees is seen.
    let pairs: usize = classes
        .iter()
        .enumerate()
        .map(|(at, a)| classes[at..].iter().filter(|b| law.visible(a, b)).count())
        .sum();
    rules + pairs
}

/// What the engine does for a node that joins: its class, and whom it sees.
fn joined(bench: &Bench, node: &policy::NodeFacts) -> usize {
    let class = bench.law.class_of(node);
    let known = bench.classes.binary_search(&class).is_ok();
    let filter = if known {
        0
    } else {
        bench.law.class_filter(&class).len()
    };
    let seen = bench
        .classes
        .iter()
        .filter(|c| bench.law.visible(&class, c))
        .count();
    seen + filter + bench.law.source_sets(&class).len()
}

fn node_added(bench: &Bench) -> usize {
    let node = &bench.world.nodes[bench.world.nodes.len() / 2];
    joined(bench, node)
}

fn node_retagged(bench: &Bench) -> usize {
    let mut node = bench.world.nodes[bench.world.nodes.len() / 2].clone();
    node.tags = vec!["tag:t7".to_owned(), "tag:t8".to_owned()];
    joined(bench, &node)
}

fn decide(bench: &Bench) -> usize {
    let nodes = &bench.world.nodes;
    let end = |at: usize| End {
        node: &nodes[at],
        address: nodes[at].addresses[0],
    };
    let (from, to) = (end(nodes.len() / 3), end(nodes.len() / 2));
    usize::from(bench.law.decide(from, to, 6, 22) != bench.law.decide(to, from, 6, 443))
}

fn complete(bench: &Bench) -> usize {
    let text = &bench.world.text;
    policy::complete::complete(text, text.len() - 3, &bench.world.directory)
        .offers
        .len()
}

fn lint(bench: &Bench) -> usize {
    policy::lint::lint(&bench.world.text, &bench.world.directory).len()
}

fn switch(bench: &Bench) -> usize {
    let text = &bench.world.text;
    let path = policy::edit::Path::new(["acls", "500"]);
    let off = policy::edit::switch_off(text, &path).expect("a rule is switched off");
    let at = off.replacements[0].span.start;
    let off = off.apply(text);
    let on = policy::edit::switch_on(&off, at).expect("a rule is switched on");
    on.replacements.len()
}
