//! `cargo x`: checks, code generation, benches and laboratory of this repository.

mod codegen;

fn main() -> anyhow::Result<()> {
    let check = std::env::args().any(|argument| argument == "--check");
    codegen::run(check)
}
