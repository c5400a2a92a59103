//! The program around a node: arguments, signals, exit codes.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::{Args, ConfigVerb, Verb};
use crate::config::layer::{ConfigError, Layers};
use crate::config::load::Settings;
use crate::config::{show, world};
use crate::{drive, logging, start};

/// Exit code of a wrong configuration, as of wrong usage.
const EXIT_USAGE: u8 = 2;
/// Threads for disk work; more would only queue at the disk.
const BLOCKING_THREADS_MAX: usize = 16;
/// Threads of the runtime: one drives the node, one moves bytes.
const WORKER_THREADS: usize = 2;

/// Runs what the arguments ask for.
pub(crate) fn main(args: Args) -> ExitCode {
    let config = args.config.as_deref();
    match args.verb {
        None => match load(config) {
            Ok(settings) => run(settings),
            Err(error) => fail(&error, EXIT_USAGE),
        },
        Some(Verb::Config {
            verb: ConfigVerb::Default,
        }) => print(&show::default_file()),
        Some(Verb::Config {
            verb: ConfigVerb::Check { file },
        }) => check(file.as_deref().or(config)),
        Some(Verb::Config {
            verb: ConfigVerb::Show { origin },
        }) => match layers(config) {
            Ok(layers) => print(&show::values(&layers, origin)),
            Err(error) => fail(&error, EXIT_USAGE),
        },
    }
}

fn layers(config: Option<&Path>) -> Result<Layers, ConfigError> {
    Layers::read(config, std::env::vars())
}

fn load(config: Option<&Path>) -> Result<Settings, ConfigError> {
    Settings::load(&layers(config)?)
}

/// Names everything that is wrong, not only the first.
fn check(config: Option<&Path>) -> ExitCode {
    let loaded = layers(config).and_then(|layers| Ok((Settings::load(&layers)?, layers)));
    match loaded {
        Err(error) => fail(&error, EXIT_USAGE),
        Ok((settings, layers)) => world::check(&settings, &layers)
            .iter()
            .fold(ExitCode::SUCCESS, |_, error| fail(error, EXIT_USAGE)),
    }
}

fn run(settings: Settings) -> ExitCode {
    if let Err(error) = logging::start(&settings.log_level, settings.log_json) {
        return fail(&error, EXIT_USAGE);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(node(settings)),
        Err(error) => fail(&error, 1),
    }
}

async fn node(settings: Settings) -> ExitCode {
    let stop = CancellationToken::new();
    if let Err(error) = stop_on_signals(&stop) {
        return fail(&error, 1);
    }
    let mut started = match start::start(settings, stop) {
        Ok(started) => started,
        Err(error) => return fail(&error, 1),
    };
    let ended = drive::run(&mut started.node, started.ears).await;
    let closed = drive::close(started.node).await;
    match (ended, closed) {
        (Ok(()), Ok(())) => ExitCode::SUCCESS,
        (Err(error), _) => fail(&error, 1),
        (Ok(()), Err(error)) => fail(&error, 1),
    }
}

fn stop_on_signals(stop: &CancellationToken) -> std::io::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(())
}

fn print(text: &str) -> ExitCode {
    // A reader that has gone is no failure of ours.
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

/// Says what failed and why, down to the first cause.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    let mut text = format!("patchmeshd: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.push('\n');
    drop(std::io::stderr().write_all(text.as_bytes()));
    ExitCode::from(code)
}
