//! The command line of patchmeshd.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The Patchmesh node: joins the mesh of its network, fetches signed releases
/// with its neighbours and stages them; or serves a repository as an origin.
#[derive(Debug, Parser)]
#[command(name = "patchmeshd", version, max_term_width = 100, after_help = crate::failure::ENDS)]
pub(crate) struct Args {
    /// Configuration file; its drop-ins lie beside it in a folder of the same
    /// name that ends in `.d`.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// What to do instead of running.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check, show or print configuration.
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
}

/// Verbs of `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Check a configuration and name everything that is wrong; exit 0 if a node
    /// would start with it, else 2.
    Check {
        /// The file, instead of `--config`.
        file: Option<PathBuf>,
    },
    /// Print a documented file with every default.
    Default,
    /// Print the values in force.
    Show {
        /// Say where each value came from.
        #[arg(long)]
        origin: bool,
    },
}
