//! `warren`: joins this machine to a mesh.

fn main() {}
