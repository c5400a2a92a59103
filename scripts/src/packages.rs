//! Which packages may be linked and where they may come from: the rules of
//! `.deny.toml`, held against what Cargo resolves. `cargo deny` reads the same
//! file and knows more; it takes minutes to build, so CI does not need it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step::cargo;

/// The rules.
const RULES: &str = ".deny.toml";

/// Checks licences, bans and sources; names every package that breaks a rule.
pub(crate) fn check(top: &Path) -> Result<()> {
    let text = std::fs::read_to_string(top.join(RULES)).context("failed to read .deny.toml")?;
    let rules: toml::Table = text.parse().context(".deny.toml is not TOML")?;
    let graph = resolved(top, &list(&rules, "graph", "targets"))?;
    let wrong = broken(&rules, &graph);
    if wrong.is_empty() {
        println!("{} packages keep to {RULES}", graph.packages.len());
        return Ok(());
    }
    for line in &wrong {
        eprintln!("{line}");
    }
    bail!("{} packages break {RULES}", wrong.len());
}

/// What Cargo links for the targets of the rules.
#[derive(Debug, Default)]
struct Graph {
    packages: Vec<Package>,
    /// Names of packages by the package that they use.
    users: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Package {
    name: String,
    version: String,
    license: String,
    /// Empty for a package of this repository.
    source: String,
    /// Dependencies from a registry at any version.
    wild: Vec<String>,
}

fn resolved(top: &Path, targets: &[String]) -> Result<Graph> {
    let mut built = BTreeSet::new();
    for target in targets {
        let words = [
            "tree",
            "--locked",
            "--workspace",
            "--edges",
            "normal,build,dev",
        ];
        let mut command = cargo(top, &words);
        command.args(["--prefix", "none", "--format", "{p}", "--target", target]);
        let tree = output(&mut command)?;
        built.extend(String::from_utf8_lossy(&tree).lines().filter_map(package));
    }
    let metadata = output(&mut cargo(
        top,
        &["metadata", "--format-version", "1", "--locked"],
    ))?;
    let metadata = serde_json::from_slice(&metadata).context("metadata is not JSON")?;
    Ok(graph(&metadata, &built))
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().context("failed to start cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

/// Name and version in a line such as `aes v0.9.4 (*)`.
fn package(line: &str) -> Option<(String, String)> {
    let mut words = line.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    Some((name.to_owned(), version.to_owned()))
}

/// The built part of what Cargo resolves, which also names optional packages that
/// nothing turns on.
fn graph(metadata: &Value, built: &BTreeSet<(String, String)>) -> Graph {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = each(&metadata["resolve"]["nodes"]);
    let linked: BTreeMap<String, &Value> = nodes.map(|node| (text(&node["id"]), node)).collect();
    let known = each(&metadata["packages"]);
    let known: Vec<_> = known
        .filter(|package| built.contains(&(text(&package["name"]), text(&package["version"]))))
        .collect();
    let names: BTreeMap<String, String> = known
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let mut graph = Graph::default();
    for (id, node) in &linked {
        for used in each(&node["deps"]).map(|dependency| text(&dependency["pkg"])) {
            if let (Some(user), Some(used)) = (names.get(id), names.get(&used)) {
                let users = graph.users.entry(used.clone()).or_default();
                users.insert(user.clone());
            }
        }
    }
    let wild = |dependency: &&Value| dependency["req"] == "*" && dependency["path"].is_null();
    graph.packages = known
        .into_iter()
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            license: text(&package["license"]),
            source: text(&package["source"]),
            wild: each(&package["dependencies"])
                .filter(wild)
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect();
    graph
}

fn broken(rules: &toml::Table, graph: &Graph) -> Vec<String> {
    let allowed: BTreeSet<String> = list(rules, "licenses", "allow").into_iter().collect();
    let foreign = graph
        .packages
        .iter()
        .filter(|package| !package.source.is_empty());
    let registry = foreign
        .clone()
        .find(|package| package.source.starts_with("registry+"))
        .map(|package| package.source.as_str());
    let mut wrong = Vec::new();
    for Package {
        name,
        version,
        license,
        source,
        wild,
    } in &graph.packages
    {
        let mut says = |what: String| wrong.push(format!("{name} {version}: {what}"));
        if !source.is_empty() && !permits(license, &allowed) {
            says(format!("licence {license:?} is not allowed"));
        }
        if !source.is_empty() && Some(source.as_str()) != registry {
            says(format!("comes from {source}, not from the one registry"));
        }
        if source.is_empty() && !wild.is_empty() {
            says(format!("takes any version of {}", wild.join(", ")));
        }
    }
    for (name, wrappers) in bans(rules) {
        let users = graph.users.get(&name).into_iter().flatten();
        let others: Vec<_> = users.filter(|user| !wrappers.contains(*user)).collect();
        if graph.packages.iter().any(|package| package.name == name)
            && (wrappers.is_empty() || !others.is_empty())
        {
            wrong.push(format!("{name}: banned, used by {others:?}"));
        }
    }
    wrong
}

/// Banned packages, each with those that may use it all the same.
fn bans(rules: &toml::Table) -> Vec<(String, Vec<String>)> {
    let bans = rules.get("bans").and_then(|bans| bans.get("deny"));
    let bans = bans.and_then(toml::Value::as_array).into_iter().flatten();
    let bans = bans.filter_map(|ban| {
        let name = ban.get("crate")?.as_str()?.to_owned();
        Some((name, texts(ban.get("wrappers"))))
    });
    bans.collect()
}

/// Whether a licence expression (SPDX; a slash is the older OR) can be kept
/// with these licences. AND binds tighter than OR.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) == Some(true) && rest.is_empty()
}

/// `None` where the expression is not one.
fn any_of(rest: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let mut fine = all_of(rest, allowed)?;
    while let ["OR", tail @ ..] = rest {
        *rest = tail;
        fine |= all_of(rest, allowed)?;
    }
    Some(fine)
}

fn all_of(rest: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let mut fine = one(rest, allowed)?;
    while let ["AND", tail @ ..] = rest {
        *rest = tail;
        fine &= one(rest, allowed)?;
    }
    Some(fine)
}

fn one(rest: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let words = *rest;
    match words {
        ["(", tail @ ..] => {
            *rest = tail;
            let fine = any_of(rest, allowed)?;
            let [")", tail @ ..] = *rest else { return None };
            *rest = tail;
            Some(fine)
        }
        ["AND" | "OR" | "WITH" | ")", ..] | [] => None,
        [name, "WITH", exception, tail @ ..] => {
            *rest = tail;
            Some(allowed.contains(&format!("{name} WITH {exception}")))
        }
        [name, tail @ ..] => {
            *rest = tail;
            Some(allowed.contains(*name))
        }
    }
}

fn list(rules: &toml::Table, section: &str, key: &str) -> Vec<String> {
    texts(rules.get(section).and_then(|section| section.get(key)))
}

fn texts(value: Option<&toml::Value>) -> Vec<String> {
    let list = value.and_then(toml::Value::as_array).into_iter().flatten();
    let texts = list.filter_map(|text| text.as_str().map(str::to_owned));
    texts.collect()
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
