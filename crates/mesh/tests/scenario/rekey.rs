//! Sessions end and are renewed while packets flow.

use mesh::event::Event;
use simnet::nat::Behaviour;

use crate::{
    stream::Stream,
    world::{Site, World, secs},
};

const EASY: Site = Site::Behind(Behaviour::EASY);

fn initiations(world: &World) -> usize {
    let entries = &world.net.trace().entries;
    entries.iter().filter(|e| e.what == "initiation").count()
}

#[test]
fn sessions_are_renewed_without_losing_a_packet() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    let mut back = Stream::new(1, 0);
    let before = initiations(&world);
    for _ in 0..40_000 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    world.run(secs(1));
    stream.collect(&mut world);
    back.collect(&mut world);
    assert_eq!(stream.lost(), [0; 0]);
    assert_eq!(back.lost(), [0; 0]);
    assert!(
        initiations(&world) >= before + 3,
        "400 s hold three renewals"
    );
}

#[test]
fn after_a_long_silence_the_next_packet_still_arrives() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    world.send(0, 1, 80, b"before");
    world.run(secs(1));
    world.run(secs(290));
    world.take_payloads(1);
    world.send(0, 1, 80, b"after");
    world.run(secs(1));
    assert_eq!(world.take_payloads(1), [b"after"]);
}

#[test]
fn a_quiet_node_sleeps() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    world.send(0, 1, 80, b"one");
    world.run(secs(400));
    for agent in &world.agents {
        assert_eq!(agent.node.poll_timeout(), None, "nothing is left to do");
        let gone = agent
            .events
            .iter()
            .any(|e| matches!(e, Event::PathChanged { to: None, .. }));
        assert!(gone || agent.id.0 == 2, "the idle tunnel is dropped");
    }
}
