//! patchmesh-demo: the tour on real processes, on loopback.
