//! patchmesh-sim: worlds that drive the engine of the node.

fn main() {}
