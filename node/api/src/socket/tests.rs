//! Places, permissions, and what stands in the way.

use super::*;

fn environment<'a>(pairs: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
    |name| {
        let found = pairs.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| OsString::from(*value))
    }
}

#[test]
fn the_option_wins_then_the_variable_then_the_runtime_folders() {
    let all = [
        (SOCKET_VARIABLE, "/v/s"),
        ("RUNTIME_DIRECTORY", "/r"),
        ("XDG_RUNTIME_DIR", "/x"),
    ];
    let option = Path::new("/o/s");
    for (option, from, expected) in [
        (Some(option), 0, "/o/s"),
        (None, 0, "/v/s"),
        (None, 1, "/r/control.sock"),
        (None, 2, "/x/patchmesh/control.sock"),
        (None, 3, "/run/patchmesh/control.sock"),
    ] {
        let path = listen_path(option, environment(&all[from..]));
        assert_eq!(path, Path::new(expected));
    }
    let empty = [(SOCKET_VARIABLE, ""), ("XDG_RUNTIME_DIR", "/x")];
    assert!(listen_path(None, environment(&empty)).starts_with("/x"));
}

#[test]
fn the_socket_is_for_its_owner_only_and_no_scratch_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/control.sock");
    let _listener = bind(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    assert!(UnixStream::connect(&path).is_ok());
}

#[test]
fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let live = bind(&path).unwrap();
    assert!(matches!(bind(&path), Err(BindError::Busy(_))));
    drop(live);
    assert!(bind(&path).is_ok());
}

#[test]
fn a_file_at_the_path_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    fs::write(&path, "mine").unwrap();
    assert!(matches!(bind(&path), Err(BindError::NotASocket(_))));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_path_over_the_limit_is_named() {
    let path = Path::new("/tmp")
        .join("x".repeat(SOCKET_PATH_LEN_MAX))
        .join("s");
    assert!(matches!(bind(&path), Err(BindError::TooLong(_))));
}
