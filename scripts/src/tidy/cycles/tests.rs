//! Fixtures of the module graph: chains, circles, façades and machines.

use super::*;

const PACKAGE: (&str, &str) = ("node/core/Cargo.toml", "[package]\nname = \"x\"");

fn says(files: &[(&str, &str)]) -> Vec<String> {
    let all: Vec<_> = files.iter().copied().chain([PACKAGE]).collect();
    let found = check(&Tree::of(&all));
    found.iter().map(|finding| finding.says.clone()).collect()
}

#[test]
fn a_chain_passes_even_where_tests_look_back() {
    let files = [
        (
            "node/core/src/lib.rs",
            "pub mod a; pub mod b; pub use a::A;",
        ),
        ("node/core/src/a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "node/core/src/b.rs",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
        ),
    ];
    assert_eq!(says(&files), Vec::<String>::new());
}

#[test]
fn a_circle_is_printed_with_its_lines() {
    let files = [
        ("node/core/src/lib.rs", "pub mod a; pub mod b; pub mod c;"),
        ("node/core/src/a.rs", "use crate::b::B;"),
        ("node/core/src/b.rs", "\nfn f() { crate::c::g() }"),
        (
            "node/core/src/c.rs",
            "fn g() { print!(\"{}\", crate::a::X) }",
        ),
    ];
    let found = says(&files);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("node/core/src/a.rs:1 uses b"),
        "{found:?}"
    );
    assert!(
        found[0].contains("node/core/src/b.rs:2 uses c"),
        "{found:?}"
    );
    assert!(
        found[0].contains("node/core/src/c.rs:1 uses a"),
        "{found:?}"
    );
}

#[test]
fn an_import_through_the_own_facade_is_a_circle() {
    let files = [
        ("node/core/src/lib.rs", "mod a; pub mod b; pub use a::A;"),
        ("node/core/src/a.rs", "pub struct A;"),
        ("node/core/src/b.rs", "use crate::A;"),
        ("node/core/src/main.rs", "fn main() {}"),
    ];
    assert_eq!(says(&files), Vec::<String>::new());
    let files = [
        (
            "node/core/src/lib.rs",
            "mod a; pub mod b; pub use a::A; pub use b::B;",
        ),
        files[1],
        files[2],
    ];
    assert_eq!(says(&files).len(), 1);
}

#[test]
fn machines_do_not_meet_outside_the_engine() {
    let mut files = vec![
        (
            "node/core/src/lib.rs",
            "mod catalog; mod engine; mod swarm;",
        ),
        ("node/core/src/catalog/mod.rs", "mod sync;"),
        ("node/core/src/catalog/sync.rs", ""),
        ("node/core/src/swarm/mod.rs", "mod pick;"),
        ("node/core/src/swarm/pick.rs", ""),
        (
            "node/core/src/engine.rs",
            "use crate::{catalog::sync, swarm::pick};",
        ),
    ];
    assert_eq!(says(&files), Vec::<String>::new());
    files[4].1 = "use crate::catalog::sync;";
    assert_eq!(says(&files), ["machine swarm uses machine catalog"]);
}
