//! End-to-end, attack, crash and fuzz tests of Patchmesh.
