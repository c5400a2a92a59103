//! Nothing: a package needs a library, and all of this one are tests.
