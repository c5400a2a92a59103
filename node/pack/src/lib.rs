//! Files to chunks and back, as pure functions over bytes.
