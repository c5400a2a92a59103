//! The checkpoint: the head of a log as a signed note (C2SP tlog-checkpoint).

use base64ct::{Base64, Encoding as _};
use patchmesh_content::id::hex;

use crate::key::PublicKey;
use crate::log::head::LogHead;
use crate::log::note::{self, Note};
use crate::refusal::Refusal;

/// Origin line of the log of a network, and name of the keys that sign for it.
pub fn origin(mesh_id: &[u8; 32]) -> String {
    format!("patchmesh/{}", hex(mesh_id))
}

/// The text that is signed.
pub fn text(origin: &str, head: &LogHead) -> String {
    let root = Base64::encode_string(&head.root);
    format!("{origin}\n{}\n{root}\n", head.size)
}

/// A checkpoint with the signature that this key made over [`text`]; `None` for
/// a key that signs no notes.
pub fn write(origin: &str, head: &LogHead, key: &PublicKey, signature: &[u8]) -> Option<String> {
    let key_id = note::key_id(origin, key)?;
    let text = text(origin, head);
    Some(format!("{text}\n{}", note::line(origin, key_id, signature)))
}

/// Reads a checkpoint of this origin that one of the keys signed. Lines that
/// extend the text are refused: nobody writes any here.
///
/// # Errors
/// `WrongNetwork` for another origin, `UnknownKey`, `BadSignature`, `TooLarge`,
/// `Malformed`.
pub fn open<'a>(
    bytes: &[u8],
    origin: &str,
    keys: impl IntoIterator<Item = &'a PublicKey>,
) -> Result<LogHead, Refusal> {
    let note = Note::read(bytes)?;
    let (own, rest) = note.text.split_once('\n').ok_or(Refusal::Malformed)?;
    if own != origin {
        return Err(Refusal::WrongNetwork);
    }
    let mut result = Err(Refusal::UnknownKey);
    for key in keys {
        match note.check(origin, key) {
            Err(Refusal::UnknownKey) => {}
            checked => result = checked,
        }
        if result == Ok(()) {
            break;
        }
    }
    result?;
    read_head(rest).ok_or(Refusal::Malformed)
}

/// Size and root, each on its line.
fn read_head(lines: &str) -> Option<LogHead> {
    let (size, root) = lines.strip_suffix('\n')?.split_once('\n')?;
    let plain = size.bytes().all(|byte| byte.is_ascii_digit());
    let leading = size.len() > 1 && size.starts_with('0');
    let root = Base64::decode_vec(root).ok()?;
    Some(LogHead {
        size: size.parse().ok().filter(|_| plain && !leading)?,
        root: root.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::SecretKey;

    const HEAD: LogHead = LogHead {
        size: 20_852_163,
        root: [9; 32],
    };

    fn checkpoint(secret: &SecretKey, origin: &str) -> String {
        let signature = secret.sign(text(origin, &HEAD).as_bytes());
        write(origin, &HEAD, &secret.public_key(), &signature).unwrap()
    }

    #[test]
    fn a_checkpoint_reads_back_and_only_by_its_key_and_origin() {
        let (secret, other) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let origin = origin(&[7; 32]);
        let written = checkpoint(&secret, &origin);
        let keys = [other.public_key(), secret.public_key()];
        assert_eq!(open(written.as_bytes(), &origin, &keys), Ok(HEAD));
        let opened = open(written.as_bytes(), &origin, &keys[..1]);
        assert_eq!(opened, Err(Refusal::UnknownKey));
        let opened = open(written.as_bytes(), "patchmesh/other", &keys);
        assert_eq!(opened, Err(Refusal::WrongNetwork));
        let altered = written.replacen("20852163", "20852164", 1);
        let opened = open(altered.as_bytes(), &origin, &keys);
        assert_eq!(opened, Err(Refusal::BadSignature));
    }

    #[test]
    fn a_signed_text_of_another_form_is_refused() {
        let secret = SecretKey::from_seed([1; 32]);
        let origin = origin(&[7; 32]);
        let root = Base64::encode_string(&[9; 32]);
        let short = Base64::encode_string(&[9; 31]);
        for text in [
            format!("{origin}\n01\n{root}\n"),
            format!("{origin}\n+1\n{root}\n"),
            format!("{origin}\n18446744073709551616\n{root}\n"),
            format!("{origin}\n1\n{short}\n"),
            format!("{origin}\n1\n{root}\nextension\n"),
            format!("{origin}\n1\n"),
            format!("{origin}\n"),
        ] {
            let key = secret.public_key();
            let key_id = note::key_id(&origin, &key).unwrap();
            let line = note::line(&origin, key_id, &secret.sign(text.as_bytes()));
            let note = format!("{text}\n{line}");
            assert_eq!(
                open(note.as_bytes(), &origin, [&key]),
                Err(Refusal::Malformed),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_change_of_a_checkpoint_passes_or_panics(at in 0..300_usize, flip in 1..255_u8) {
            let secret = SecretKey::from_seed([1; 32]);
            let origin = origin(&[7; 32]);
            let mut bytes = checkpoint(&secret, &origin).into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let opened = open(&bytes, &origin, [&secret.public_key()]);
            prop_assert!(opened.is_err());
        }
    }
}
