//! `key new`, `key import`, `key show`.

use std::path::Path;

use patchmesh_trust::key::SecretKey;
use serde::Serialize;

use crate::args::root::KeyNewArgs;
use crate::files;
use crate::keys::public::{self, NamedKey};
use crate::keys::{passphrase, pem, spec};
use crate::output::Output;
use crate::text::{fingerprint, safe};

#[derive(Debug, Serialize)]
struct KeyDocument {
    action: &'static str,
    name: String,
    keyid: String,
    fingerprint: String,
    scheme: String,
    file: Option<String>,
    dry_run: bool,
}

/// Makes a key.
pub(crate) fn new(args: &KeyNewArgs, output: &Output) -> anyhow::Result<()> {
    let public_path = public::path_of(&args.out);
    files::refuse_existing(&args.out)?;
    files::refuse_existing(&public_path)?;
    let seed = pem::new_seed()?;
    let key = NamedKey {
        name: public::name_of(&args.out),
        key: SecretKey::from_seed(*seed).public_key(),
    };
    if !args.dry_run {
        let given = passphrase::given(&args.passphrase)?;
        let shown = args.out.display().to_string();
        let passphrase = passphrase::new(given.as_ref(), &shown, output)?;
        pem::write(&args.out, &seed, &passphrase)?;
        key.write(&public_path)?;
        output.say(format!(
            "next: hand {} to whoever runs `patchmesh root init --public`",
            public_path.display()
        ));
    }
    let file = Some(args.out.display().to_string());
    print("new", &key, file, args.dry_run, output)
}

/// Takes over a public half: of a file, an agent or a token.
pub(crate) fn import(
    source: &Path,
    out: &Path,
    dry_run: bool,
    output: &Output,
) -> anyhow::Result<()> {
    files::refuse_existing(out)?;
    let spec = source.to_str().map(spec::elsewhere).transpose()?.flatten();
    let held = spec.as_ref().map(spec::public_elsewhere).transpose()?;
    let key = match held.flatten() {
        Some(key) => key,
        None => public::read_foreign(source)?,
    };
    let key = NamedKey {
        name: public::name_of(out),
        key,
    };
    if !dry_run {
        key.write(out)?;
    }
    let file = Some(out.display().to_string());
    print("import", &key, file, dry_run, output)
}

/// Shows a public half.
pub(crate) fn show(path: &Path, output: &Output) -> anyhow::Result<()> {
    let public_path = if path.extension().is_some_and(|extension| extension == "pub") {
        path.to_owned()
    } else {
        pem::read(path)?;
        public::path_of(path)
    };
    let key = NamedKey::read(&public_path)?;
    print("show", &key, None, false, output)
}

fn print(
    action: &'static str,
    key: &NamedKey,
    file: Option<String>,
    dry_run: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let keyid = key.key.key_id();
    let document = KeyDocument {
        action,
        name: key.name.clone(),
        fingerprint: fingerprint(&keyid),
        scheme: key.key.scheme().to_owned(),
        keyid,
        file,
        dry_run,
    };
    output.document("patchmesh.key/1", &document, || {
        format!(
            "{}  {}  {}\nfingerprint: {}\n",
            safe(&document.name),
            document.scheme,
            document.keyid,
            document.fingerprint
        )
    })
}
