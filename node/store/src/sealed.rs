//! Files that say themselves whether they are complete and unchanged:
//! eight bytes of kind and version, the payload, and a BLAKE3 over both and the
//! name the file should have. A torn, flipped or misnamed file does not open.

use patchmesh_content::id::Hasher;

/// First bytes of a sealed file; the last byte is the format version.
const HEAD: [u8; 8] = *b"PMSEAL\0\x01";
/// Bytes a seal adds to its payload.
pub(crate) const SEAL_LEN: usize = HEAD.len() + 32;

/// The head of a sealed file and its last 32 bytes; the payload goes between.
pub(crate) fn seal(name: &[u8], payload: &[u8]) -> ([u8; 8], [u8; 32]) {
    (HEAD, digest(name, payload))
}

/// All bytes of a sealed file.
pub(crate) fn sealed(name: &[u8], payload: &[u8]) -> Vec<u8> {
    let (head, tail) = seal(name, payload);
    [head.as_slice(), payload, tail.as_slice()].concat()
}

/// The payload, if the file is whole and has the right name.
pub(crate) fn open(name: &[u8], mut file: Vec<u8>) -> Option<Vec<u8>> {
    let payload = file.strip_prefix(HEAD.as_slice())?;
    let (payload, tail) = payload.split_at_checked(payload.len().checked_sub(32)?)?;
    if digest(name, payload).as_slice() != tail {
        return None;
    }
    file.truncate(file.len() - 32);
    file.drain(..HEAD.len());
    Some(file)
}

fn digest(name: &[u8], payload: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.update(&HEAD);
    hasher.update(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(name);
    hasher.update(payload);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_byte_length_or_name_is_noticed() {
        let file = sealed(b"name", b"payload");
        assert_eq!(open(b"name", file.clone()), Some(b"payload".to_vec()));
        assert_eq!(open(b"nam", file.clone()), None);
        for at in 0..file.len() {
            let mut flipped = file.clone();
            flipped[at] ^= 0x10;
            assert_eq!(open(b"name", flipped), None, "byte {at}");
            assert_eq!(open(b"name", file[..at].to_vec()), None, "length {at}");
        }
        let longer = [file.as_slice(), &[0]].concat();
        assert_eq!(open(b"name", longer), None);
    }
}
