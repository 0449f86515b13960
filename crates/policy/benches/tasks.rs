//! What is measured, natively and in WebAssembly: the same code.

#[path = "asked.rs"]
mod asked;

use std::collections::BTreeSet;

use policy::{
    ClassKey, Compiled, Diagnostic, Document, End, NodeFacts, Routers, Sight,
    routes::{Peer, Viewer},
};
use wire::{NodeId, Timestamp};

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
    pub(crate) sight: Sight,
    asked: asked::Asked,
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
    ("prepare to explain", asked::prepare),
    ("explain one flow", asked::explain),
    ("who can reach a node", asked::who),
    ("impact of a narrow rule", asked::narrow_rule),
    ("impact of two members more", asked::group_member),
    ("impact of a rule from all to all", asked::wide_rule),
    ("impact of a retag", asked::retag),
];

impl Bench {
    pub(crate) fn new(size: Size) -> Self {
        let world = world(size, SEED);
        let (document, found) = policy::parse(&world.text);
        assert!(!policy::has_errors(&found), "{:?}", found.first());
        let law = Compiled::new(&document, &world.directory);
        let classes: BTreeSet<ClassKey> = world.nodes.iter().map(|n| law.class_of(n)).collect();
        let mut sight = Sight::default();
        for class in &classes {
            sight.add(class);
        }
        Self {
            classes: classes.into_iter().collect(),
            sight,
            asked: asked::Asked::new(&world, &document),
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

/// A router and what the others are told of it.
struct Router<'a> {
    class: usize,
    peer: Peer<'a>,
}

/// The class of every node, the filter of every class and of every router, who
/// sees whom, and which routes.
fn everything(bench: &Bench) -> usize {
    let law = &bench.law;
    let keys: Vec<ClassKey> = bench.world.nodes.iter().map(|n| law.class_of(n)).collect();
    let mut classes: Vec<&ClassKey> = keys.iter().collect();
    classes.sort_unstable();
    classes.dedup();
    let mut rules: usize = classes.iter().map(|c| law.class_filter(c).len()).sum();
    let mut sight = Sight::default();
    // Who sees is seen.
    let mut pairs = 0;
    for class in &classes {
        pairs += count(&sight.add(class));
    }
    let (routers, served) = routers(bench, &keys, &classes);
    for router in &served {
        rules += law
            .node_filter(classes[router.class], router.peer.node)
            .len();
    }
    rules + pairs + routes(law, &sight, &classes, &routers, &served)
}

fn routers<'a>(
    bench: &'a Bench,
    keys: &[ClassKey],
    classes: &[&ClassKey],
) -> (Routers, Vec<Router<'a>>) {
    let nodes = (0..).map(NodeId).zip(&bench.world.nodes).zip(keys);
    let routing: Vec<_> = nodes.filter(|((_, n), _)| !n.routes.is_empty()).collect();
    let created =
        |id: NodeId| Timestamp::from_unix_seconds(1_700_000_000 + i64::try_from(id.0).unwrap_or(0));
    let all = Routers::new(
        &bench.law,
        routing.iter().map(|((id, n), _)| (*id, created(*id), *n)),
    );
    let router = |((id, node), key): &((NodeId, &'a NodeFacts), &ClassKey)| Router {
        class: classes.binary_search(key).expect("the class is known"),
        peer: Peer { id: *id, node },
    };
    let served = routing.iter().map(router).collect();
    (all, served)
}

/// The routes that nodes of each class are told of, in all; routers see the same
/// as others of their class, and those of which they are a standby besides.
fn routes(
    law: &Compiled,
    sight: &Sight,
    classes: &[&ClassKey],
    routers: &Routers,
    served: &[Router<'_>],
) -> usize {
    let of_class = |class: &&ClassKey| {
        let seen = sight.seen_by(class);
        let viewer = Viewer { class, routes: &[] };
        let peers = served
            .iter()
            .filter(|r| seen[r.class / 64] >> (r.class % 64) & 1 == 1);
        peers
            .map(|r| law.routes_seen(routers, viewer, r.peer).len())
            .sum::<usize>()
    };
    classes.iter().map(of_class).sum()
}

fn count(words: &[u64]) -> usize {
    words
        .iter()
        .map(|w| usize::try_from(w.count_ones()).unwrap_or(0))
        .sum()
}

/// What the engine does for a node that joins: its class, and whom it sees.
fn joined(bench: &Bench, node: &NodeFacts) -> usize {
    let class = bench.law.class_of(node);
    let known = bench.classes.binary_search(&class).is_ok();
    let filter = if known {
        0
    } else {
        bench.law.class_filter(&class).len()
    };
    let seen = count(&bench.sight.seen_by(&class));
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
