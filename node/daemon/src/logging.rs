//! Log lines on standard error.

use tracing_subscriber::EnvFilter;

/// The filter of `log.level` is not one.
#[derive(Debug, thiserror::Error)]
#[error("failed to read log.level {0:?}: it takes error, warn, info, debug, trace or a filter")]
pub(crate) struct BadFilter(String);

/// Starts logging at this level, as text or JSON lines.
pub(crate) fn start(level: &str, json: bool) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(level).map_err(|_| BadFilter(level.to_owned()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if json {
        builder.json().init()
    } else {
        builder.with_ansi(false).init()
    }
    Ok(())
}
