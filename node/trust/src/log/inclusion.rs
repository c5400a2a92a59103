//! The proof file (C2SP tlog-proof): a document, where it stands in the log, the
//! path to the root, and the checkpoint that names the root.

use base64ct::{Base64, Encoding as _};
use patchmesh_proto::limits::SNAPSHOT_LEN_MAX;

use crate::canonical::{Object, Value, parse_up_to};
use crate::envelope::natural;
use crate::key::{PublicKey, sha256};
use crate::limits::VALUES_MAX;
use crate::log::checkpoint;
use crate::log::head::{Hash, LogHead};
use crate::log::note::NOTE_LEN_MAX;
use crate::log::proof::{PATH_LEN_MAX, check_inclusion};
use crate::refusal::Refusal;

/// First line of the file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Bytes of a proof file: the longest document, a path and a checkpoint.
pub const PROOF_FILE_LEN_MAX: usize = SNAPSHOT_LEN_MAX * 4 / 3 + NOTE_LEN_MAX + 8 * 1024;

/// What a checked proof file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// SHA-256 of the signed part: the entry.
    pub entry: Hash,
    /// `_type` of the document; a release line says `targets`.
    pub kind: String,
    /// Its version.
    pub version: u64,
    /// Position in the log.
    pub index: u64,
    /// The head that the checkpoint names.
    pub head: LogHead,
    /// The document, byte for byte.
    pub document: Vec<u8>,
}

/// Writes a proof file.
pub fn write(document: &[u8], index: u64, path: &[Hash], checkpoint: &str) -> String {
    let document = Base64::encode_string(document);
    let mut text = format!("{HEADER}\nextra {document}\nindex {index}\n");
    for hash in path {
        text.push_str(&Base64::encode_string(hash));
        text.push('\n');
    }
    format!("{text}\n{checkpoint}")
}

/// The checkpoint in a proof file; the whole of any other file.
pub fn note_of(bytes: &[u8]) -> &[u8] {
    let text = str::from_utf8(bytes).unwrap_or_default();
    if !text.starts_with(HEADER) {
        return bytes;
    }
    text.split_once("\n\n")
        .map_or(&[], |(_, note)| note.as_bytes())
}

/// Whether a file is a proof, by its first line.
pub fn is_proof(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER.as_bytes())
}

/// Checks a proof file by the origin of the log and the keys that sign for it.
///
/// # Errors
/// `TooLarge`, `Malformed`, the refusal of the checkpoint, or `HashMismatch` if
/// the path does not lead from the document to the root. Who signed the
/// document is not looked at: that it was published is what is proved.
pub fn open<'a>(
    bytes: &[u8],
    origin: &str,
    keys: impl IntoIterator<Item = &'a PublicKey>,
) -> Result<Included, Refusal> {
    if bytes.len() > PROOF_FILE_LEN_MAX {
        return Err(Refusal::TooLarge);
    }
    let text = str::from_utf8(bytes).map_err(|_| Refusal::Malformed)?;
    let (proof, _) = text.split_once("\n\n").ok_or(Refusal::Malformed)?;
    let head = checkpoint::open(note_of(bytes), origin, keys)?;
    let (document, index, path) = read_proof(proof).ok_or(Refusal::Malformed)?;
    let (entry, kind, version) = read_document(&document)?;
    check_inclusion(&head, index, &entry, &path)?;
    Ok(Included {
        entry,
        kind,
        version,
        index,
        head,
        document,
    })
}

fn read_proof(text: &str) -> Option<(Vec<u8>, u64, Vec<Hash>)> {
    let mut lines = text.split('\n');
    if lines.next() != Some(HEADER) {
        return None;
    }
    let document = Base64::decode_vec(lines.next()?.strip_prefix("extra ")?).ok()?;
    let index = lines.next()?.strip_prefix("index ")?;
    let plain = index == "0" || !index.starts_with(['0', '+']);
    let mut path = Vec::new();
    for line in lines {
        if path.len() == PATH_LEN_MAX {
            return None;
        }
        path.push(Base64::decode_vec(line).ok()?.try_into().ok()?);
    }
    Some((document, index.parse().ok().filter(|_| plain)?, path))
}

/// Entry, type and version of a document.
pub fn read_document(bytes: &[u8]) -> Result<(Hash, String, u64), Refusal> {
    if bytes.len() > SNAPSHOT_LEN_MAX {
        return Err(Refusal::TooLarge);
    }
    let Value::Object(mut outer) = parse_up_to(bytes, VALUES_MAX)? else {
        return Err(Refusal::Malformed);
    };
    let signed = outer.remove("signed").ok_or(Refusal::Malformed)?;
    let entry = sha256(&signed.canonical());
    let signed: &Object = signed.as_object().ok_or(Refusal::Malformed)?;
    let kind = signed.get("_type").and_then(Value::as_text);
    let version = natural(signed.get("version"))?;
    Ok((entry, kind.ok_or(Refusal::Malformed)?.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;
    use crate::log::head::leaf_hash;
    use crate::log::tree::Tree;

    const DOCUMENT: &[u8] = br#"{"signatures":[],"signed":{"_type":"targets","version":7}}"#;

    fn proof(secret: &SecretKey) -> String {
        let (entry, _, _) = read_document(DOCUMENT).unwrap();
        let entries = [[1; 32], [2; 32], entry, [3; 32], [4; 32]];
        let tree = Tree::of(entries.map(|entry| leaf_hash(&entry)));
        let signature = secret.sign(checkpoint::text("log", &tree.head()).as_bytes());
        let key = secret.public_key();
        let checkpoint = checkpoint::write("log", &tree.head(), &key, &signature).unwrap();
        write(DOCUMENT, 2, &tree.inclusion(2, 5).unwrap(), &checkpoint)
    }

    #[test]
    fn a_proof_file_needs_nothing_but_the_key_and_no_change_proves_another() {
        let secret = SecretKey::from_seed([8; 32]);
        let (proof, key) = (proof(&secret), secret.public_key());
        let included = open(proof.as_bytes(), "log", [&key]).unwrap();
        assert_eq!((included.index, included.version), (2, 7));
        assert_eq!((included.kind.as_str(), included.head.size), ("targets", 5));
        for at in 0..proof.len() {
            let mut other = proof.clone().into_bytes();
            other[at] ^= 1;
            // Only what is not signed may differ: spaces and signatures of the document.
            if let Ok(other) = open(&other, "log", [&key]) {
                assert_eq!(
                    (other.entry, other.head),
                    (included.entry, included.head),
                    "{at}"
                );
            }
            assert!(open(&proof.as_bytes()[..at], "log", [&key]).is_err());
        }
        let other = SecretKey::from_seed([9; 32]).public_key();
        assert_eq!(
            open(proof.as_bytes(), "log", [&other]),
            Err(Refusal::UnknownKey)
        );
        let long = vec![b'a'; PROOF_FILE_LEN_MAX + 1];
        assert_eq!(open(&long, "log", [&key]), Err(Refusal::TooLarge));
    }
}
