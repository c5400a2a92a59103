//! Encrypted key files: PKCS#8 with scrypt and AES-256-CBC, which OpenSSL
//! opens too. A plain key file is refused.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use patchmesh_trust::key::SecretKey;
use pkcs8::der::Decode as _;
use pkcs8::der::pem::PemLabel as _;
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, ObjectIdentifier, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files::{self, MODE_SECRET};

/// Longest key file in bytes; a real one has about 400.
const KEY_FILE_LEN_MAX: usize = 16 * 1024;
/// Ed25519 (RFC 8410).
pub(crate) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// DER before the 32 bytes of an Ed25519 secret in PKCS#8.
const PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// scrypt N = 2^14, r = 8, p = 5: as costly as N = 2^17, p = 1 is to a machine
/// with enough memory for few guesses, within the 32 MiB that OpenSSL allows.
const SCRYPT: (u8, u32, u32) = (14, 8, 5);

/// A seed from the system's random source.
pub(crate) fn new_seed() -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0u8; 32]);
    fill(seed.as_mut_slice())?;
    Ok(seed)
}

/// Writes a key to a new file of mode 0600.
pub(crate) fn write(path: &Path, seed: &[u8; 32], passphrase: &str) -> anyhow::Result<()> {
    let text = encrypt(seed, passphrase)?;
    files::write_new(path, text.as_bytes(), MODE_SECRET)
}

/// Opens a key file.
pub(crate) fn open(path: &Path, passphrase: &str) -> anyhow::Result<SecretKey> {
    let text = read(path)?;
    let seed =
        decrypt(&text, passphrase).with_context(|| format!("failed to open {}", path.display()))?;
    Ok(SecretKey::from_seed(*seed))
}

/// Reads the text of an encrypted key file, before any passphrase is asked for.
pub(crate) fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let bytes = Zeroizing::new(files::read(path, KEY_FILE_LEN_MAX)?);
    let text = str::from_utf8(&bytes).unwrap_or_default();
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        refuse_open_mode(path)?;
        return Ok(Zeroizing::new(text.to_owned()));
    }
    if text.contains("PRIVATE KEY") {
        let message = format!("{} holds a key without a passphrase", path.display());
        let hint = "encrypt it: openssl pkcs8 -topk8 -scrypt -in FILE -out NEW";
        return Err(Failure::failed("E_KEY_PLAIN", message).hint(hint).into());
    }
    let message = format!("{} is not an encrypted key file", path.display());
    let hint = "name the file that ends in .pem or .key, not the public half";
    Err(Failure::failed("E_KEY_FORMAT", message).hint(hint).into())
}

fn refuse_open_mode(path: &Path) -> anyhow::Result<()> {
    let mode = File::open(path)?.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let message = format!(
            "{} can be read by others (mode {:o})",
            path.display(),
            mode & 0o777
        );
        let hint = format!("chmod 600 {}", path.display());
        return Err(Failure::failed("E_SECRET_MODE", message).hint(hint).into());
    }
    Ok(())
}

fn encrypt(seed: &[u8; 32], passphrase: &str) -> anyhow::Result<Zeroizing<String>> {
    let plain = Zeroizing::new([&PREFIX[..], &seed[..]].concat());
    let info = PrivateKeyInfoRef::from_der(&plain).map_err(broken)?;
    let (log_n, r, p) = SCRYPT;
    let cost = scrypt::Params::new(log_n, r, p).map_err(broken)?;
    let (mut salt, mut iv) = ([0u8; 16], [0u8; 16]);
    fill(&mut salt)?;
    fill(&mut iv)?;
    let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(broken)?;
    let document = info
        .encrypt_with_params(scheme, passphrase.as_bytes())
        .map_err(broken)?;
    document
        .to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)
        .map_err(broken)
}

fn decrypt(text: &str, passphrase: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let format = || Failure::failed("E_KEY_FORMAT", "not an Ed25519 key in PKCS#8");
    let (_, document) = pkcs8::SecretDocument::from_pem(text).map_err(|_| format())?;
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| format())?;
    let plain = info
        .decrypt(passphrase.as_bytes())
        .map_err(|_| Failure::failed("E_PASSPHRASE", "the passphrase is wrong"))?;
    let key = PrivateKeyInfoRef::from_der(plain.as_bytes())
        .map_err(|_| Failure::failed("E_PASSPHRASE", "the passphrase is wrong"))?;
    if key.algorithm.oid != ED25519 {
        return Err(format().into());
    }
    // An OCTET STRING in an OCTET STRING (RFC 8410, section 7).
    let inner = key.private_key.as_bytes();
    let seed = inner.strip_prefix(&[0x04, 0x20]);
    let seed: [u8; 32] = seed
        .and_then(|seed| seed.try_into().ok())
        .ok_or_else(format)?;
    Ok(Zeroizing::new(seed))
}

/// Fills bytes from the system's random source.
pub(crate) fn fill(bytes: &mut [u8]) -> anyhow::Result<()> {
    let filled = getrandom::fill(bytes);
    filled.map_err(|error| anyhow::anyhow!("failed to get random bytes: {error}"))
}

fn broken(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("failed to encrypt the key: {error}")
}
