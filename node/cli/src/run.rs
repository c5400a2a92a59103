//! From the parsed command line to a verb, and from its end to an exit code.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use patchmesh_api::exit;

use crate::args::log::LogVerb;
use crate::args::release::ReleaseVerb;
use crate::args::root::{KeyVerb, RootVerb};
use crate::args::{Cli, Verb};
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::{self, authority};

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments),
    };
    let output = Output::new(&cli.global);
    match dispatch(&cli, &output) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) if is_closed_pipe(&error) => ExitCode::from(exit::DONE),
        Err(error) => {
            let failure = Failure::of(&error);
            output.end(&failure);
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(cli: &Cli, output: &Output) -> anyhow::Result<()> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Assemble(args) => verbs::assemble::run(args, output),
        Verb::Backup(verb) => authority::backup::run(verb, output),
        Verb::Completions { shell } => verbs::manual::completions(*shell),
        Verb::Events(args) => verbs::events::run(args, global, output),
        Verb::Fetch(args) => verbs::fetch::run(args, global, output),
        Verb::Key(KeyVerb::Import(args)) => {
            verbs::key::import(&args.source, &args.out, args.dry_run, output)
        }
        Verb::Key(KeyVerb::New(args)) => verbs::key::new(args, output),
        Verb::Key(KeyVerb::Replace(args)) => authority::key_replace::run(args, output),
        Verb::Key(KeyVerb::Show { path }) => verbs::key::show(path, output),
        Verb::Line(verb) => authority::line::run(verb, output),
        Verb::Log(LogVerb::Prove(args)) => verbs::log::prove::run(args, output),
        Verb::Log(LogVerb::Show { repository, last }) => {
            verbs::log::show::run(repository, *last, output)
        }
        Verb::Log(LogVerb::Verify(args)) => verbs::log::verify::run(args, output),
        Verb::Man { dir } => verbs::manual::man(dir.as_deref()),
        Verb::Membership(verb) => authority::membership::run(verb, output),
        Verb::Peers(args) => verbs::node::peers(args, global, output),
        Verb::Publish(args) => verbs::publish::run(args, global, output),
        Verb::Refresh => verbs::node::refresh(global, output),
        Verb::Release(ReleaseVerb::Build(args)) => verbs::release_build::run(args, output),
        Verb::Release(ReleaseVerb::Diff { old, new }) => {
            verbs::release_show::diff(old, new, output)
        }
        Verb::Release(ReleaseVerb::Show { path, files }) => {
            verbs::release_show::show(path, *files, output)
        }
        Verb::Releases(args) => verbs::node::releases(args, global, output),
        Verb::Renew(args) => authority::renew::run(args, output),
        Verb::Role(verb) => authority::role::run(verb, output),
        Verb::Rollout(verb) => authority::rollout::run(verb, output),
        Verb::Root(RootVerb::Init(args)) => authority::root_init::run(args, output),
        Verb::Root(RootVerb::Rotate(args)) => authority::root_rotate::run(args, output),
        Verb::Root(RootVerb::Show { path }) => authority::root_show::run(path, output),
        Verb::Sign(args) => verbs::sign::run(args, output),
        Verb::Status => verbs::status::run(global, output),
        Verb::Stop(verb) => authority::stop::run(verb, global, output),
        Verb::Tuf(args) => verbs::tuf::run(args, output),
        Verb::Verify(args) => verbs::verify::run(args, output),
        Verb::VerifyProof(args) => verbs::verify_proof::run(args, output),
        Verb::Why(args) => verbs::node::why(&args.release, global, output),
    }
}

/// Help and version go to stdout with exit 0; wrong usage ends with exit 2, in
/// JSON mode too with the `exit_error` line last.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    // There is nowhere left to report that the stream is gone.
    drop(error.print());
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return ExitCode::from(exit::DONE);
    }
    let code = usage_code(arguments);
    if arguments.iter().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.trim_start_matches("error: ");
        let mut failure = Failure::usage(message).hint("patchmesh help");
        failure.code = code;
        Output::plain_json().end(&failure);
    }
    ExitCode::from(code)
}

/// Programs that drive TUF clients know no other failure than 1.
fn usage_code(arguments: &[OsString]) -> u8 {
    let mut words = arguments.iter().skip(1);
    let verb = words.find(|word| !word.to_string_lossy().starts_with('-'));
    match verb {
        Some(verb) if verb == "tuf" => exit::FAILED,
        Some(_) | None => exit::USAGE,
    }
}

/// A reader that has seen enough is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let source = error.downcast_ref::<io::Error>();
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}
