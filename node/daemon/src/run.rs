//! The program around a node: arguments, signals, exit codes.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::{Args, ConfigVerb, Verb};
use crate::config::layer::{ConfigError, Layers, Origin};
use crate::config::load::Settings;
use crate::config::{show, world};
use crate::failure::Failure;
use crate::{drive, logging, start};

/// Threads for disk work; more would only queue at the disk.
const BLOCKING_THREADS_MAX: usize = 16;
/// Threads of the runtime: one drives the node, one moves bytes.
const WORKER_THREADS: usize = 2;

/// Runs what the arguments ask for.
pub(crate) fn main(args: Args) -> ExitCode {
    let config = args.config.as_deref();
    match args.verb {
        None => match load(config) {
            Ok((settings, _)) => run(settings),
            Err(wrong) => refuse(&wrong),
        },
        Some(Verb::Config {
            verb: ConfigVerb::Default,
        }) => print(&show::default_file()),
        Some(Verb::Config {
            verb: ConfigVerb::Check { file },
        }) => check(file.as_deref().or(config)),
        Some(Verb::Config {
            verb: ConfigVerb::Show { origin },
        }) => match Layers::read(config, std::env::vars()) {
            (layers, wrong) if wrong.is_empty() => print(&show::values(&layers, origin)),
            (_, wrong) => refuse(&wrong),
        },
    }
}

/// The settings, or everything that is wrong with them.
fn load(config: Option<&Path>) -> Result<(Settings, Layers), Vec<ConfigError>> {
    let (layers, mut wrong) = Layers::read(config, std::env::vars());
    let settings = Settings::load(&layers);
    add(&mut wrong, settings.check(&layers), &layers);
    if wrong.is_empty() {
        Ok((settings, layers))
    } else {
        Err(wrong)
    }
}

/// Names everything that is wrong, not only the first.
fn check(config: Option<&Path>) -> ExitCode {
    let (layers, mut wrong) = Layers::read(config, std::env::vars());
    let settings = Settings::load(&layers);
    add(&mut wrong, settings.check(&layers), &layers);
    add(&mut wrong, world::check(&settings, &layers), &layers);
    refuse(&wrong)
}

/// Adds what is wrong with keys of which nothing is known to be wrong yet. Where
/// a file was not read whole, a default may stand for what it says, so that only
/// keys count which were read.
fn add(wrong: &mut Vec<ConfigError>, more: Vec<ConfigError>, layers: &Layers) {
    let whole = wrong.iter().all(|error| error.key().is_some());
    let known: Vec<String> = wrong
        .iter()
        .filter_map(|error| error.key().map(str::to_owned))
        .collect();
    let counts = |error: &ConfigError| {
        error.key().is_some_and(|key| {
            let read = whole || *layers.get(key).1 != Origin::Default;
            read && !known.iter().any(|other| other == key)
        })
    };
    wrong.extend(more.into_iter().filter(counts));
}

/// Says every one of them; none is success.
fn refuse(wrong: &[ConfigError]) -> ExitCode {
    wrong.iter().fold(ExitCode::SUCCESS, |_, error| {
        Failure::config(error).end(false)
    })
}

fn run(settings: Settings) -> ExitCode {
    let json = settings.log_json;
    if let Err(error) = logging::start(&settings.log_level, json) {
        return Failure::config(&error).end(json);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(node(settings)),
        Err(error) => Err(Failure::failed(&error)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.end(json),
    }
}

async fn node(settings: Settings) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    stop_on_signals(&stop).map_err(|error| Failure::failed(&error))?;
    let started = start::start(settings, stop);
    let mut started = started.map_err(|error| Failure::of_start(&error))?;
    let ended = drive::run(&mut started.node, started.ears).await;
    let closed = Box::pin(drive::close(started.node)).await;
    ended.map_err(|error| Failure::of_halt(&error))?;
    closed.map_err(|error| Failure::of_sync(&error))
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
        Err(error) => Failure::failed(&error).end(false),
    }
}
