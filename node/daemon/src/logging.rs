//! Log lines on standard error.

use tracing_subscriber::EnvFilter;

/// Libraries that warn about foreign input, which must not fill the log.
const LIBRARIES: [&str; 6] = [
    "libp2p_core",
    "libp2p_gossipsub",
    "libp2p_mdns",
    "libp2p_swarm",
    "libp2p_tcp",
    "yamux",
];

/// The filter of `log.level` is not one.
#[derive(Debug, thiserror::Error)]
#[error("failed to read log.level {0:?}: it takes error, warn, info, debug, trace or a filter")]
pub(crate) struct BadFilter(String);

/// What `log.level` says.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, BadFilter> {
    let bad = || BadFilter(level.to_owned());
    let mut filter = EnvFilter::try_new(level).map_err(|_| bad())?;
    for library in LIBRARIES.iter().filter(|library| !level.contains(*library)) {
        filter = filter.add_directive(format!("{library}=error").parse().map_err(|_| bad())?);
    }
    Ok(filter)
}

/// Starts logging at this level, as text or JSON lines.
pub(crate) fn start(level: &str, json: bool) -> Result<(), BadFilter> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level)?)
        .with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder.with_ansi(false).init();
    }
    Ok(())
}
