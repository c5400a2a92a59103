//! Passphrases: from a file of mode 0600, an open descriptor, or a prompt.
//! Never from an argument or the environment, where other processes see them.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use zeroize::Zeroizing;

use crate::args::root::PassphraseArgs;
use crate::failure::Failure;
use crate::lines::read_line;
use crate::output::Output;

/// A secret text that is wiped when dropped.
pub(crate) type Passphrase = Zeroizing<String>;

/// Shortest passphrase of a new key, in characters.
const NEW_LEN_MIN: usize = 8;

/// The passphrase of an existing key.
pub(crate) fn existing(
    args: &PassphraseArgs,
    name: &str,
    output: &Output,
) -> anyhow::Result<Passphrase> {
    match given(args)? {
        Some(passphrase) => Ok(passphrase),
        None => prompt(&format!("passphrase of {name}: "), output),
    }
}

/// The passphrase of a new key: the one given, else typed twice.
pub(crate) fn new(
    given: Option<&Passphrase>,
    name: &str,
    output: &Output,
) -> anyhow::Result<Passphrase> {
    let passphrase = if let Some(passphrase) = given {
        passphrase.clone()
    } else {
        let first = prompt(&format!("new passphrase of {name}: "), output)?;
        let second = prompt("the same again: ", output)?;
        if first != second {
            let message = "the two passphrases differ";
            return Err(Failure::failed("E_PASSPHRASE", message).into());
        }
        first
    };
    if passphrase.chars().count() < NEW_LEN_MIN {
        let message = format!("a passphrase has at least {NEW_LEN_MIN} characters");
        return Err(Failure::failed("E_PASSPHRASE", message).into());
    }
    Ok(passphrase)
}

/// The passphrase that a file or descriptor gives. A descriptor can be read
/// once only; where several keys are made, its line serves them all.
pub(crate) fn given(args: &PassphraseArgs) -> anyhow::Result<Option<Passphrase>> {
    if let Some(path) = &args.passphrase_file {
        return from_file(path).map(Some);
    }
    if let Some(descriptor) = args.passphrase_fd {
        let path = format!("/dev/fd/{descriptor}");
        let mut file =
            File::open(&path).with_context(|| format!("failed to read descriptor {descriptor}"))?;
        return read_line(&mut file).map(|line| Some(Zeroizing::new(line)));
    }
    Ok(None)
}

/// The first line of a file that only its owner can read.
pub(crate) fn from_file(path: &Path) -> anyhow::Result<Passphrase> {
    let mut file =
        File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let message = format!(
            "{} can be read by others (mode {:o})",
            path.display(),
            mode & 0o777
        );
        let hint = format!("chmod 600 {}", path.display());
        return Err(Failure::failed("E_SECRET_MODE", message).hint(hint).into());
    }
    read_line(&mut file).map(Zeroizing::new)
}

fn prompt(question: &str, output: &Output) -> anyhow::Result<Passphrase> {
    if !output.may_ask() || !io::stdin().is_terminal() {
        let failure = Failure::usage("a passphrase is needed, and there is no terminal to ask on");
        return Err(failure
            .hint("use --passphrase-file or --passphrase-fd")
            .into());
    }
    let typed = rpassword::prompt_password(question).context("failed to read a passphrase")?;
    Ok(Zeroizing::new(typed))
}
