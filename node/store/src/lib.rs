//! Chunk files, trust files and the rebuildable index on disk.
