//! `warren-server`: the coordination server, console and relay.

fn main() {}
