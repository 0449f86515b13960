//! Questions: why, who, and what would change.

use policy::{
    Directory, Document, End, Explainer, Flow, Node, NodeFacts,
    explain::{Inbound, Verdict},
    impact::{Bounds, Side, impact},
};
use wire::{NodeId, net::PortRange};

use super::Bench;
use crate::world::World;

/// What questions start from.
pub(crate) struct Asked {
    explainer: Explainer<'static>,
    /// A rule more, for a few.
    narrow: Document,
    /// A member more in a group.
    member: Document,
    /// A rule more, for everybody.
    wide: Document,
    /// The nodes, one with other tags.
    retagged: Vec<NodeFacts>,
}

impl Asked {
    pub(crate) fn new(world: &World, document: &Document) -> Self {
        let edited = |from: &str, to: &str| {
            assert!(world.text.contains(from), "{from}");
            let (document, found) = policy::parse(&world.text.replacen(from, to, 1));
            assert!(!policy::has_errors(&found), "{:?}", found.first());
            document
        };
        let with_rule = |src: &str, dst: &str| {
            let rule = format!(
                "\"acls\": [\n{{\"action\": \"accept\", \"src\": [\"{src}\"], \"dst\": [\"{dst}\"]}},"
            );
            edited("\"acls\": [", &rule)
        };
        let mut retagged = world.nodes.clone();
        let at = retagged.len() / 2;
        retagged[at].tags = vec!["tag:t7".to_owned(), "tag:t8".to_owned()];
        // The explainer lasts as long as the process.
        let document: &Document = Box::leak(Box::new(document.clone()));
        let directory: &Directory = Box::leak(Box::new(world.directory.clone()));
        Self {
            explainer: Explainer::new(document, directory),
            narrow: with_rule("group:g3", "tag:t5:8443"),
            member: edited(
                "\"group:g0\": [",
                "\"group:g0\": [\"user77@example.com\", \"user1999@example.com\", ",
            ),
            wide: with_rule("*", "*:*"),
            retagged,
        }
    }
}

pub(crate) fn prepare(bench: &Bench) -> usize {
    let explainer = Explainer::new(&bench.document, &bench.world.directory);
    usize::from(format!("{:p}", &raw const explainer).is_empty())
}

fn end(bench: &Bench, at: usize) -> End<'_> {
    let node = &bench.world.nodes[at];
    End {
        node,
        address: node.addresses[0],
    }
}

fn flow(bench: &Bench, from: usize, to: usize) -> usize {
    let explained = bench.asked.explainer.explain(&Flow {
        from: end(bench, from),
        to: end(bench, to),
        proto: 6,
        ports: &[PortRange {
            first: 20,
            last: 9_000,
        }],
        offered: &[],
    });
    explained.allowed.len() + usize::from(explained.verdict == Verdict::Denied)
}

pub(crate) fn explain(bench: &Bench) -> usize {
    let nodes = bench.world.nodes.len();
    flow(bench, nodes / 3, nodes / 2)
}

pub(crate) fn who(bench: &Bench) -> usize {
    let inbound = Inbound {
        to: end(bench, bench.world.nodes.len() / 2),
        proto: 6,
        ports: &[PortRange::one(443)],
    };
    let reaches = bench
        .asked
        .explainer
        .who_reaches(&inbound, &bench.world.nodes);
    reaches
        .iter()
        .flat_map(|r| &r.sources)
        .map(|s| s.devices.len())
        .sum()
}

fn nodes(facts: &[NodeFacts]) -> Vec<Node<'_>> {
    let all = (1..).map(NodeId).zip(facts);
    all.map(|(id, facts)| Node {
        id,
        name: "",
        facts,
    })
    .collect()
}

fn change(bench: &Bench, document: &Document, after: &[NodeFacts]) -> usize {
    let (before, after) = (nodes(&bench.world.nodes), nodes(after));
    let side = |document, nodes| Side {
        document,
        directory: &bench.world.directory,
        nodes,
    };
    let told = impact(
        &side(&bench.document, &before),
        &side(document, &after),
        Bounds::default(),
    );
    let flows = told.gained.traffic.flows + told.lost.traffic.flows;
    assert!(flows > 0);
    told.gained.traffic.shown.len() + told.lost.traffic.shown.len()
}

pub(crate) fn narrow_rule(bench: &Bench) -> usize {
    change(bench, &bench.asked.narrow, &bench.world.nodes)
}

pub(crate) fn group_member(bench: &Bench) -> usize {
    change(bench, &bench.asked.member, &bench.world.nodes)
}

pub(crate) fn wide_rule(bench: &Bench) -> usize {
    change(bench, &bench.asked.wide, &bench.world.nodes)
}

pub(crate) fn retag(bench: &Bench) -> usize {
    change(bench, &bench.document, &bench.asked.retagged)
}
