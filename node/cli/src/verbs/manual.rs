//! `man`, `completions`: made from the same description as the parser.

use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;
use crate::files::{self, MODE_PUBLIC};
use crate::output::Output;

/// Prints the main page, or writes all pages.
pub(crate) fn man(folder: Option<&Path>) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = folder else {
        return Output::raw(&page(&command)?);
    };
    files::make_folder(folder, 0o755)?;
    write_pages(&command, folder)
}

/// After `Command::build` the display name holds all words: `patchmesh-root-init`.
fn write_pages(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    files::write(&path, &page(command)?, MODE_PUBLIC)?;
    Output::raw(format!("{}\n", path.display()).as_bytes())?;
    for below in command.get_subcommands() {
        if below.get_name() != "help" {
            write_pages(below, folder)?;
        }
    }
    Ok(())
}

fn page(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .render(&mut page)
        .context("failed to render a page")?;
    Ok(page)
}

/// Prints completions.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "patchmesh", &mut script);
    Output::raw(&script)
}
