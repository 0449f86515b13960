//! Random histories: whatever happens to the network, packets arrive once it is well.

use proptest::prelude::*;
use simnet::{host::Udp, link::Link, nat::Behaviour};

use crate::{
    stream::Stream,
    world::{Site, World, millis, secs},
};

#[derive(Debug, Clone)]
enum Step {
    Talk(u8),
    Pass(u16),
    BlockUdp(usize, bool),
    ForgetMappings(usize),
    LosePackets(usize, u32),
    Move(usize, u8),
    LinkChanged(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u8..100).prop_map(Step::Talk),
        3 => (0u16..20_000).prop_map(Step::Pass),
        2 => (0usize..2, any::<bool>()).prop_map(|(i, b)| Step::BlockUdp(i, b)),
        1 => (0usize..2).prop_map(Step::ForgetMappings),
        1 => (0usize..2, 0u32..500).prop_map(|(i, n)| Step::LosePackets(i, n)),
        1 => (0usize..2, 1u8..200).prop_map(|(i, n)| Step::Move(i, n)),
        1 => (0usize..2).prop_map(Step::LinkChanged),
    ]
}

fn site() -> impl Strategy<Value = Site> {
    prop_oneof![
        Just(Site::Public),
        Just(Site::Behind(Behaviour::EASY)),
        Just(Site::Behind(Behaviour::OPEN)),
        Just(Site::Behind(Behaviour::HARD)),
    ]
}

fn apply(world: &mut World, streams: &mut [Stream; 2], step: &Step) {
    match *step {
        Step::Talk(packets) => {
            for _ in 0..packets {
                streams[0].step(world);
                streams[1].step(world);
            }
        }
        Step::Pass(ms) => world.run(millis(ms.into())),
        Step::BlockUdp(i, blocked) => {
            let udp = if blocked { Udp::Blocked } else { Udp::Passes };
            let host = world.agents[i].host;
            world.net.set_udp(host, udp);
        }
        Step::ForgetMappings(i) => {
            if let Some(nat) = world.agents[i].nat {
                world.net.forget_mappings(nat);
            }
        }
        Step::LosePackets(i, loss_per_mille) => {
            let link = Link {
                loss_per_mille,
                ..Link::default()
            };
            let host = world.agents[i].host;
            world.net.set_link(host, link);
        }
        Step::Move(i, n) => {
            let which = u8::try_from(i).unwrap();
            world.relocate(
                i,
                &format!("10.{n}.{which}.7"),
                &format!("198.51.{which}.{n}"),
            );
        }
        Step::LinkChanged(i) => {
            let now = world.net.now();
            world.agents[i].node.link_changed(now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// After any history, once nothing disturbs any more and trust in old
    /// paths has run out, every packet arrives.
    #[test]
    fn a_network_that_is_well_again_loses_nothing(
        sites in [site(), site()],
        steps in prop::collection::vec(step(), 0..25),
    ) {
        let mut world = World::new(&sites);
        let mut streams = [Stream::new(0, 1), Stream::new(1, 0)];
        for step in &steps {
            apply(&mut world, &mut streams, step);
        }
        for i in 0..2 {
            apply(&mut world, &mut streams, &Step::LosePackets(i, 0));
        }
        // Long enough for a lost handshake to be tried again and trust to end.
        for _ in 0..300 {
            for stream in &mut streams {
                stream.step(&mut world);
            }
            world.run(millis(90));
        }
        let before = [streams[0].sent(), streams[1].sent()];
        for _ in 0..500 {
            for stream in &mut streams {
                stream.step(&mut world);
            }
        }
        world.run(secs(1));
        for (stream, before) in streams.iter_mut().zip(before) {
            stream.collect(&mut world);
            let lost: Vec<_> = stream.lost().into_iter().filter(|n| *n >= before).collect();
            prop_assert_eq!(lost, Vec::<usize>::new());
        }
    }
}
