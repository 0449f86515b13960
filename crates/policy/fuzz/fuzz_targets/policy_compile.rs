//! Any document: compiling and asking never panics, and visibility is symmetric.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::{Compiled, Directory, NodeFacts, User};
use wire::{UserId, api::Role};

fn node(user: Option<u64>, tags: &[&str], host: u8) -> NodeFacts {
    NodeFacts {
        user: user.map(UserId),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        addresses: vec![
            std::net::Ipv4Addr::new(100, 64, 0, host).into(),
            wire::net::mesh_ipv6_of(std::net::Ipv4Addr::new(100, 64, 0, host)).into(),
        ],
        ..NodeFacts::default()
    }
}

fuzz_target!(|text: &str| {
    let (document, _) = policy::parse(text);
    let directory = Directory {
        users: vec![User {
            id: UserId(1),
            email: "a@b".to_owned(),
            role: Role::Member,
        }],
        ..Directory::default()
    };
    let law = Compiled::new(&document, &directory);
    let nodes = [node(Some(1), &[], 1), node(None, &["tag:a"], 2), node(Some(1), &[], 3)];
    for a in &nodes {
        for b in &nodes {
            let (ca, cb) = (law.class_of(a), law.class_of(b));
            assert_eq!(law.visible(&ca, &cb), law.visible(&cb, &ca));
            if law.can_reach(a, b, 6, 22) {
                assert!(law.visible(&ca, &cb));
            }
            let _ = law.node_filter(&cb, b);
        }
    }
});
