//! patchmeshd: the node that runs on every endpoint and origin.

fn main() {}
