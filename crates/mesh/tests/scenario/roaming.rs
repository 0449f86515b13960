//! Nodes that move keep their connections.

use simnet::nat::Behaviour;

use crate::{
    stream::Stream,
    world::{Site, World, millis, secs},
};

const EASY: Site = Site::Behind(Behaviour::EASY);

#[test]
fn a_node_that_moves_is_direct_again_and_loses_little() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    let mut back = Stream::new(1, 0);
    for _ in 0..1_000 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    assert!(world.is_direct(0, 1) && world.is_direct(1, 0));
    world.relocate(0, "10.9.9.9", "198.51.100.99");
    for _ in 0..2_000 {
        stream.step(&mut world);
        back.step(&mut world);
    }
    assert!(world.is_direct(0, 1) && world.is_direct(1, 0));
    world.run(secs(1));
    stream.collect(&mut world);
    back.collect(&mut world);
    // What the mover sends goes both ways from the first packet on.
    assert_eq!(stream.lost(), [0; 0]);
    // What was on its way to the old place, until the mover's call arrived.
    assert!(
        back.lost().len() <= Stream::per(millis(200)),
        "{:?}",
        back.lost()
    );
}

#[test]
fn a_nat_that_forgets_its_mappings_is_survived() {
    let mut world = World::new(&[EASY, EASY]);
    world.run(secs(1));
    let mut stream = Stream::new(0, 1);
    stream.run(&mut world, secs(10));
    let nat = world.agents[0].nat.unwrap();
    world.net.set_behaviour(nat, Behaviour::EASY);
    stream.run(&mut world, secs(40));
    assert!(world.is_direct(0, 1));
    let lost = stream.lost().len();
    assert!(lost <= Stream::per(millis(6_600)), "{lost}");
}
