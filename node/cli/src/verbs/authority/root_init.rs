//! `root init`: keys, root, targets.

use std::path::Path;

use patchmesh_trust::author::{Draft, LineKeys, RootPlan, TargetsPlan};
use patchmesh_trust::key::SecretKey;
use patchmesh_trust::threshold::RoleKeys;
use patchmesh_trust::time::UtcTime;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::root::RootInitArgs;
use crate::clock;
use crate::draft::authority::{Authority, ROOT_FILE, TARGETS_FILE, refuse_bad_line};
use crate::draft::edits;
use crate::draft::folder::{DraftFolder, statement_hash};
use crate::draft::names::{NAMES_FILE, Names};
use crate::draft::refusal;
use crate::failure::Failure;
use crate::files::{self, MODE_PUBLIC};
use crate::keys::public::{self, NamedKey};
use crate::keys::{passphrase, pem};
use crate::output::Output;
use crate::text::{fingerprint, push, safe};

/// Name of the online key and of its file.
const ONLINE: &str = "online";
/// Begin of the names of operations' keys.
const OPERATIONS: &str = "operations";
/// Mode of the ceremony folder: it holds key files.
const FOLDER_MODE: u32 = 0o700;

/// A key that is made here.
struct NewKey {
    named: NamedKey,
    seed: Zeroizing<[u8; 32]>,
}

#[derive(Debug, Serialize)]
struct InitDocument {
    action: &'static str,
    folder: String,
    mesh: String,
    fingerprint: String,
    threshold: u32,
    keys: Vec<KeyLine>,
    operations: Vec<KeyLine>,
    online_key: String,
    lines: Vec<String>,
    signed: bool,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct KeyLine {
    name: String,
    keyid: String,
}

/// Makes a network.
pub(crate) fn run(args: &RootInitArgs, output: &Output) -> anyhow::Result<()> {
    check(args)?;
    let made = new_keys(args)?;
    let mut people: Vec<NamedKey> = Vec::new();
    for path in &args.public {
        people.push(NamedKey::read(path)?);
    }
    people.extend(made.iter().map(|key| key.named.clone()));
    let online = new_key(ONLINE)?;
    let made_for_operations = operations_keys(args)?;
    let mut operations: Vec<NamedKey> = Vec::new();
    for path in &args.operations_public {
        operations.push(NamedKey::read(path)?);
    }
    operations.extend(made_for_operations.iter().map(|key| key.named.clone()));
    let online_named = std::slice::from_ref(&online.named);
    let names = Names::of_keys(&[&people[..], &operations[..], online_named].concat());
    let (root, targets) = plans(args, &people, &operations, &online)?;
    let all_here = args.public.is_empty();
    if !args.dry_run {
        let all: Vec<&NewKey> = made.iter().chain(&made_for_operations).collect();
        write_keys(args, &all, &online, output)?;
        let names_path = args.out.join(NAMES_FILE);
        files::write_new(&names_path, &names.to_bytes(), MODE_PUBLIC)?;
        if all_here {
            write_signed(&args.out, &made, root.clone(), targets, &names)?;
        } else {
            write_drafts(&args.out, &root, &targets, &names)?;
        }
        next_steps(args, all_here, output);
    }
    let document = InitDocument {
        action: "init",
        folder: args.out.display().to_string(),
        mesh: statement_hash(&root),
        fingerprint: fingerprint(&statement_hash(&root)),
        threshold: args.threshold,
        keys: people.iter().map(line_of).collect(),
        operations: operations.iter().map(line_of).collect(),
        online_key: online.named.key.key_id(),
        lines: args.lines.clone(),
        signed: all_here,
        dry_run: args.dry_run,
    };
    output.document("patchmesh.root/1", &document, || text(&document))
}

fn check(args: &RootInitArgs) -> anyhow::Result<()> {
    if args.operations_threshold.is_some() && operations_count(args) == 0 {
        let failure = Failure::usage("a threshold of operations without keys of operations");
        return Err(failure.hint("--operations N").into());
    }
    let people = if args.public.is_empty() {
        args.keys
    } else {
        u32::try_from(args.public.len()).unwrap_or(u32::MAX)
    };
    if args.threshold == 0 || args.threshold > people || people > 32 {
        let message = format!("{} of {people} keys is not possible", args.threshold);
        let failure = Failure::usage(message);
        return Err(failure
            .hint("1 <= --threshold <= number of keys <= 32")
            .into());
    }
    args.lines
        .iter()
        .try_for_each(|line| refuse_bad_line(line))?;
    for name in &args.names {
        let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let taken = name.starts_with(OPERATIONS) && args.operations > 0;
        let plain = !taken && !name.is_empty() && !name.starts_with('.') && name.chars().all(ok);
        if !plain || name == ONLINE || args.names.iter().filter(|n| *n == name).count() > 1 {
            let failure = Failure::usage(format!("{} is no name for a key file", safe(name)));
            return Err(failure.hint("letters, digits, dash; each name once").into());
        }
    }
    let mut found = args.out.read_dir().ok().into_iter().flatten();
    if found.next().is_some() || args.out.is_file() {
        let message = format!("{} is not empty", args.out.display());
        let hint = "choose a new folder with --out; keys are never written over";
        return Err(Failure::failed("E_EXISTS", message).hint(hint).into());
    }
    Ok(())
}

fn operations_count(args: &RootInitArgs) -> usize {
    args.operations as usize + args.operations_public.len()
}

fn new_keys(args: &RootInitArgs) -> anyhow::Result<Vec<NewKey>> {
    if !args.public.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = 1..=args.keys as usize;
    let names = numbers.map(|number| {
        let given = args.names.get(number - 1).cloned();
        given.unwrap_or_else(|| format!("key-{number}"))
    });
    names.map(|name| new_key(&name)).collect()
}

fn operations_keys(args: &RootInitArgs) -> anyhow::Result<Vec<NewKey>> {
    let numbers = 1..=args.operations;
    numbers
        .map(|number| new_key(&format!("{OPERATIONS}-{number}")))
        .collect()
}

fn new_key(name: &str) -> anyhow::Result<NewKey> {
    let seed = pem::new_seed()?;
    let key = SecretKey::from_seed(*seed).public_key();
    let name = name.to_owned();
    Ok(NewKey {
        named: NamedKey { name, key },
        seed,
    })
}

fn plans(
    args: &RootInitArgs,
    people: &[NamedKey],
    operations: &[NamedKey],
    online: &NewKey,
) -> anyhow::Result<(Draft, Draft)> {
    let operations: Vec<_> = operations.iter().map(|key| key.key.clone()).collect();
    let threshold = args.operations_threshold;
    let threshold = threshold.unwrap_or(if operations.len() < 2 { 1 } else { 2 });
    let operations = match operations.as_slice() {
        [] => None,
        keys => Some(edits::all(keys, threshold)?),
    };
    let keys: Vec<_> = people.iter().map(|key| key.key.clone()).collect();
    let people = edits::all(&keys, args.threshold)?;
    let online = std::slice::from_ref(&online.named.key);
    let online =
        RoleKeys::new(online, 1).map_err(|refusal| refusal::refused("the key", refusal))?;
    let expires = |days: u32| clock::now().plus_days(i64::from(days));
    let root = RootPlan {
        version: 1,
        expires: expires(args.expires),
        root: people.clone(),
        timestamp: online.clone(),
        snapshot: online,
        targets: people.clone(),
    };
    let lines = args.lines.iter().map(|line| LineKeys {
        line: line.clone(),
        keys: people.clone(),
    });
    let targets = TargetsPlan {
        version: 1,
        expires: expires(args.targets_expire),
        lines: lines.collect(),
        // Who signs releases keeps the keys that may stop them.
        membership: operations.is_some().then_some(people),
        rollout: operations,
    };
    let author = |error| refusal::author(&error, &Names::default());
    Ok((
        root.build().map_err(author)?,
        targets.build().map_err(author)?,
    ))
}

/// Every passphrase is known before the first file is written, so that a
/// mistyped one leaves nothing behind.
fn write_keys(
    args: &RootInitArgs,
    made: &[&NewKey],
    online: &NewKey,
    output: &Output,
) -> anyhow::Result<()> {
    let given = passphrase::given(&args.passphrase)?;
    let people = made
        .iter()
        .map(|key| (*key, format!("{}.pem", key.named.name)));
    let mut ready = Vec::new();
    for (key, file) in people.chain([(online, format!("{ONLINE}.key"))]) {
        let path = args.out.join(file);
        let passphrase = passphrase::new(given.as_ref(), &path.display().to_string(), output)?;
        ready.push((key, path, passphrase));
    }
    files::make_folder(&args.out, FOLDER_MODE)?;
    for (key, path, passphrase) in ready {
        pem::write(&path, &key.seed, &passphrase)?;
        key.named.write(&public::path_of(&path))?;
    }
    Ok(())
}

fn write_signed(
    folder: &Path,
    made: &[NewKey],
    root: Draft,
    targets: Draft,
    names: &Names,
) -> anyhow::Result<()> {
    let now = clock::now();
    let root = signed(root, made, &Authority::default(), names, now)?;
    let authority = Authority {
        root: Some(root.clone()),
        ..Authority::default()
    };
    let targets = signed(targets, made, &authority, names, now)?;
    files::write_new(&folder.join(ROOT_FILE), &root, MODE_PUBLIC)?;
    files::write_new(&folder.join(TARGETS_FILE), &targets, MODE_PUBLIC)
}

fn signed(
    mut draft: Draft,
    made: &[NewKey],
    authority: &Authority,
    names: &Names,
    now: UtcTime,
) -> anyhow::Result<Vec<u8>> {
    let message = draft.signing_bytes();
    for key in made {
        let signature = SecretKey::from_seed(*key.seed).sign(&message);
        draft
            .add_signature(&key.named.key.key_id(), &signature)
            .map_err(|error| refusal::author(&error, names))?;
    }
    authority.assemble(&[draft], names, now)
}

fn write_drafts(folder: &Path, root: &Draft, targets: &Draft, names: &Names) -> anyhow::Result<()> {
    for (name, draft) in [("root.draft", root), ("targets.draft", targets)] {
        let path = folder.join(name);
        files::make_folder(&path, 0o755)?;
        DraftFolder::write(&path, draft, &Authority::default(), names)?;
    }
    Ok(())
}

fn next_steps(args: &RootInitArgs, all_here: bool, output: &Output) {
    let folder = args.out.display();
    if all_here {
        output.say(format!(
            "next: give each person their key file; keep {folder}/{ONLINE}.key on the origin;\n\
             \x20     patchmesh publish {folder} --repository repo --key file:{folder}/{ONLINE}.key"
        ));
    } else {
        output.say(format!(
            "next, each person:\n\
             \x20     patchmesh sign {folder}/root.draft --key file:KEY\n\
             \x20     patchmesh sign {folder}/targets.draft --key file:KEY\n\
             then: patchmesh assemble {folder}/root.draft {folder}/root.*.sig\n\
             \x20     patchmesh assemble {folder}/targets.draft {folder}/targets.*.sig \
             --root {folder}/root.draft/signed.json\n\
             \x20     patchmesh publish {folder}/root.draft {folder}/targets.draft \
             --repository repo --key file:{folder}/{ONLINE}.key"
        ));
    }
}

fn line_of(key: &NamedKey) -> KeyLine {
    KeyLine {
        name: key.name.clone(),
        keyid: key.key.key_id(),
    }
}

fn text(document: &InitDocument) -> String {
    let mut text = format!(
        "network      {}\nfingerprint  {}\nthreshold    {} of {}\n",
        document.mesh,
        document.fingerprint,
        document.threshold,
        document.keys.len()
    );
    for key in &document.keys {
        push(
            &mut text,
            format_args!("key          {}  {}\n", safe(&key.name), key.keyid),
        );
    }
    for key in &document.operations {
        push(
            &mut text,
            format_args!("operations   {}  {}\n", safe(&key.name), key.keyid),
        );
    }
    push(
        &mut text,
        format_args!("key          {ONLINE}  {}\n", document.online_key),
    );
    for line in &document.lines {
        push(&mut text, format_args!("line         {line}\n"));
    }
    text
}
