//! Tests of the layers: what is refused, and which source wins.

use super::*;

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("node.toml");
    std::fs::write(&file, text).expect("written");
    (folder, file)
}

fn all(text: &str) -> Vec<ConfigError> {
    let (_folder, file) = written(text);
    Layers::read(Some(&file), std::iter::empty()).1
}

fn read(text: &str) -> Result<(), ConfigError> {
    let mut wrong = all(text).into_iter();
    let first = wrong.next();
    assert!(wrong.next().is_none(), "one thing is wrong: {text}");
    first.map_or(Ok(()), Err)
}

#[test]
fn everything_that_is_wrong_is_named_once() {
    let text = "[node]\nsite = 5\nwieght = 4\n[net]\nmdns = maybe\nlisten = 7\nsite = x y\n";
    let wrong = all(text);
    let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    for (line, says) in [
        (2, "`node.site` takes a text"),
        (3, "unknown key `node.wieght`"),
        (5, ""),
        (6, "`net.listen` takes a list"),
        (7, ""),
    ] {
        let place = format!("node.toml:{line}: ");
        let here = said.iter().filter(|one| one.contains(&place));
        let here: Vec<_> = here.collect();
        assert_eq!(here.len(), 1, "line {line}: {said:#?}");
        assert!(here[0].contains(says), "{said:#?}");
    }
    assert_eq!(said.len(), 5, "{said:#?}");
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_key() {
    let error = read("[node]\nsite = \"a\"\nstat = \"x\"\n")
        .expect_err("unknown")
        .to_string();
    assert!(
        error.contains("node.toml:3: unknown key `node.stat`"),
        "{error}"
    );
    assert!(error.ends_with("`node.state`"), "{error}");
    let error = read("site = \"a\"\n").expect_err("no section").to_string();
    assert!(error.contains("node.toml:1: unknown key `site`"), "{error}");
}

#[test]
fn a_wrong_value_says_what_the_key_takes() {
    let error = read("[store]\nquota = 5\n")
        .expect_err("a bare number")
        .to_string();
    assert!(
        error.contains("node.toml:2: `store.quota` takes a size with a unit"),
        "{error}"
    );
    let error = read("[node]\nweight = 99\n")
        .expect_err("too large")
        .to_string();
    assert!(error.contains("from 0 to 16"), "{error}");
    let error = read("[node\n").expect_err("not TOML").to_string();
    assert!(error.contains("node.toml:1"), "{error}");
}

#[test]
fn later_sources_win_and_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("node.toml");
    std::fs::write(&file, "[node]\nsite = \"file\"\nweight = 1\n").expect("written");
    std::fs::create_dir(folder.path().join("node.d")).expect("made");
    std::fs::write(
        folder.path().join("node.d/10-a.toml"),
        "[node]\nsite = \"ten\"\n",
    )
    .expect("written");
    std::fs::write(
        folder.path().join("node.d/20-b.toml"),
        "[node]\nsite = \"twenty\"\n",
    )
    .expect("written");
    let environment = [("PATCHMESH_NET__MDNS".to_owned(), "false".to_owned())];
    let layers = valid(Layers::read(Some(&file), environment.into_iter()));
    assert_eq!(layers.get("node.site").0.as_str(), Some("twenty"));
    assert_eq!(layers.get("node.weight").0.as_integer(), Some(1));
    assert_eq!(layers.get("net.mdns").0.as_bool(), Some(false));
    assert_eq!(layers.get("net.mdns").1.to_string(), "PATCHMESH_NET__MDNS");
    assert!(
        layers
            .get("node.site")
            .1
            .to_string()
            .ends_with("20-b.toml:2")
    );
}

#[test]
fn sizes_need_a_unit_and_must_fit() {
    assert_eq!(parse_size("20 GiB"), Some(20 << 30));
    assert_eq!(parse_size("5MB"), Some(5_000_000));
    assert_eq!(parse_size("5"), None);
    assert_eq!(parse_size("5 bananas"), None);
    assert_eq!(parse_size("99999999999 TiB"), None);
}

fn valid((layers, wrong): (Layers, Vec<ConfigError>)) -> Layers {
    assert!(wrong.is_empty(), "{wrong:?}");
    layers
}

#[test]
fn a_file_without_an_end_is_refused() {
    let (_, wrong) = Layers::read(Some(Path::new("/dev/zero")), std::iter::empty());
    let [ConfigError::TooLong { .. }] = &wrong[..] else {
        panic!("one refusal: {wrong:?}");
    };
}
