//! Bounds of the control socket, each with its reason.

use std::time::Duration;

/// One request line in bytes: a verb and a release name, or a stop in hexadecimal.
pub const REQUEST_LEN_MAX: usize = 8 * 1024;
/// One answer line in bytes: 10,000 releases or peers at about 1 KiB each.
pub const ANSWER_LEN_MAX: usize = 16 * 1024 * 1024;
/// Events that a node remembers and that one answer carries at most.
pub const EVENTS_MAX: usize = 1024;
/// Longest silence of the node before the client gives up. A node that streams
/// progress writes a line at least every [`PROGRESS_INTERVAL`].
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time between two progress lines of one fetch.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);
/// Longest path of a unix socket in bytes, its final NUL apart.
pub const SOCKET_PATH_LEN_MAX: usize = 107;
/// Altered chunks that a node remembers of one release.
pub const CORRUPT_MAX: usize = 64;
