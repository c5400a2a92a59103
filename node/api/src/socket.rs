//! Where the control socket lies, and who may open it: its owner only.
//!
//! No other module knows the place. Order: option, `PATCHMESH_SOCKET`, the
//! service manager's runtime folder, the user's runtime folder, `/run`.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::limits::SOCKET_PATH_LEN_MAX;

/// Environment variable that names the socket.
pub const SOCKET_VARIABLE: &str = "PATCHMESH_SOCKET";
/// Name of the socket in its folder.
pub const SOCKET_NAME: &str = "control.sock";

/// Failure to listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another node answers at this path.
    #[error("failed to listen at {}: another node answers there", .0.display())]
    Busy(PathBuf),
    /// The system refused.
    #[error("failed to listen at {}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something that is not a socket stands at the path.
    #[error("failed to listen at {}: the path is taken by something else", .0.display())]
    NotASocket(PathBuf),
    /// The path is longer than the system allows.
    #[error("failed to listen at {}: over {SOCKET_PATH_LEN_MAX} bytes", .0.display())]
    TooLong(PathBuf),
}

/// Where a node listens. `variable` reads the environment.
pub fn listen_path(option: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    candidates(option, variable).swap_remove(0)
}

/// Where a client looks for a node: the first path that exists, else the
/// first of all.
pub fn find_path(option: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let mut paths = candidates(option, variable);
    let found = paths.iter().position(|path| path.exists()).unwrap_or(0);
    paths.swap_remove(found)
}

fn candidates(option: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    if let Some(path) = option {
        return vec![path.to_owned()];
    }
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = set(SOCKET_VARIABLE) {
        return vec![PathBuf::from(path)];
    }
    let mut paths = Vec::new();
    if let Some(folder) = set("RUNTIME_DIRECTORY") {
        paths.push(PathBuf::from(folder).join(SOCKET_NAME));
    }
    if let Some(folder) = set("XDG_RUNTIME_DIR") {
        paths.push(PathBuf::from(folder).join("patchmesh").join(SOCKET_NAME));
    }
    paths.push(Path::new("/run/patchmesh").join(SOCKET_NAME));
    paths
}

/// Listens at a path that only the own user can open. A socket that nobody
/// answers is replaced; a missing folder is made with mode 0700. Blocking mode.
pub fn bind(path: &Path) -> Result<UnixListener, BindError> {
    let scratch = scratch_path(path);
    let longest = scratch.join("s").as_os_str().as_bytes().len();
    if path.as_os_str().as_bytes().len().max(longest) > SOCKET_PATH_LEN_MAX {
        return Err(BindError::TooLong(path.to_owned()));
    }
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(BindError::Busy(path.to_owned()));
        }
        Ok(_) | Err(_) => {}
    }
    bind_in(&scratch, path).map_err(|source| BindError::Io {
        path: path.to_owned(),
        source,
    })
}

/// A socket is born with the modes of the umask. It is made inside a private
/// folder and moved to its place with mode 0600, so there is no moment in
/// which another user can open it.
fn bind_in(scratch: &Path, path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    DirBuilder::new().mode(0o700).create(scratch)?;
    let inside = scratch.join("s");
    let bound = UnixListener::bind(&inside).and_then(|listener| {
        fs::set_permissions(&inside, Permissions::from_mode(0o600))?;
        fs::rename(&inside, path)?;
        Ok(listener)
    });
    let removed = fs::remove_dir_all(scratch);
    let listener = bound?;
    removed?;
    Ok(listener)
}

fn scratch_path(path: &Path) -> PathBuf {
    path.with_file_name(format!(".s{}", std::process::id()))
}

#[cfg(test)]
mod tests;
