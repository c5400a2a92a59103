//! Cosignatures of witnesses (C2SP tlog-cosignature, version 1 with Ed25519):
//! a statement that the witness saw this head, and all it saw before in it.

use crate::key::{NodeKey, PublicKey, cosigned};
use crate::log::checkpoint;
use crate::log::head::LogHead;
use crate::log::note::{self, COSIGNATURE, NoteLine, typed_key_id};
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// Bytes of a signature as a note carries it: the time, then Ed25519.
pub const COSIGNATURE_LEN: usize = 8 + 64;

/// What a witness signs for this head at this time; `None` for a time before
/// 1970.
pub fn text(origin: &str, head: &LogHead, utc: UtcTime) -> Option<String> {
    let seconds = u64::try_from(utc.0).ok()?;
    Some(cosigned(seconds, &checkpoint::text(origin, head)))
}

/// Signs a head as a witness. The caller has kept it durably before: a witness
/// never signs two roots of one size.
///
/// # Errors
/// `Malformed` for a time before 1970.
pub fn cosign(
    key: &NodeKey,
    origin: &str,
    head: &LogHead,
    utc: UtcTime,
) -> Result<[u8; COSIGNATURE_LEN], Refusal> {
    let seconds = u64::try_from(utc.0).map_err(|_| Refusal::Malformed)?;
    let mut bytes = [0; COSIGNATURE_LEN];
    bytes[..8].copy_from_slice(&utc.0.to_be_bytes());
    let checkpoint = checkpoint::text(origin, head);
    bytes[8..].copy_from_slice(&key.cosign(seconds, &checkpoint));
    Ok(bytes)
}

/// Checks a cosignature, and gives the time it states.
///
/// # Errors
/// `Malformed` if it has another length or a time out of range, `BadSignature`.
pub fn check(
    witness: &[u8; 32],
    origin: &str,
    head: &LogHead,
    bytes: &[u8],
) -> Result<UtcTime, Refusal> {
    let (time, signature) = bytes.split_first_chunk::<8>().ok_or(Refusal::Malformed)?;
    let utc = UtcTime(i64::from_be_bytes(*time));
    let text = text(origin, head, utc).ok_or(Refusal::Malformed)?;
    if signature.len() != 64 {
        return Err(Refusal::Malformed);
    }
    if PublicKey::ed25519(witness)?.verify(text.as_bytes(), signature) {
        Ok(utc)
    } else {
        Err(Refusal::BadSignature)
    }
}

/// The signature line of a witness of this name, with its newline.
pub fn line(name: &str, witness: &[u8; 32], signature: &[u8; COSIGNATURE_LEN]) -> String {
    note::line(name, typed_key_id(name, COSIGNATURE, witness), signature)
}

/// Whether a line of a note is one of this witness under this name.
pub fn is_of(line: &NoteLine<'_>, name: &str, witness: &[u8; 32]) -> bool {
    line.name == name && line.key_id == typed_key_id(name, COSIGNATURE, witness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;
    use crate::log::note::Note;

    const HEAD: LogHead = LogHead {
        size: 5,
        root: [3; 32],
    };
    const AT: UtcTime = UtcTime(1_679_315_147);

    #[test]
    fn the_text_is_that_of_the_specification() {
        let text = text("example.com/behind-the-sofa", &HEAD, AT).unwrap();
        let lines: Vec<&str> = str::from_utf8(text.as_bytes()).unwrap().lines().collect();
        assert_eq!(
            lines[..4],
            [
                "cosignature/v1",
                "time 1679315147",
                "example.com/behind-the-sofa",
                "5"
            ]
        );
        assert_eq!(super::text("a", &HEAD, UtcTime(-1)), None);
    }

    #[test]
    fn a_cosignature_holds_for_its_head_time_and_key_only() {
        let key = NodeKey::from_seed([4; 32]);
        let signed = cosign(&key, "log", &HEAD, AT).unwrap();
        assert_eq!(check(&key.public(), "log", &HEAD, &signed), Ok(AT));
        let bad = Err(Refusal::BadSignature);
        let other = LogHead {
            root: [4; 32],
            ..HEAD
        };
        assert_eq!(check(&key.public(), "log", &other, &signed), bad);
        assert_eq!(check(&key.public(), "other", &HEAD, &signed), bad);
        let stranger = NodeKey::from_seed([5; 32]).public();
        assert_eq!(check(&stranger, "log", &HEAD, &signed), bad);
        let mut later = signed;
        later[7] += 1;
        assert_eq!(check(&key.public(), "log", &HEAD, &later), bad);
        for cut in 0..COSIGNATURE_LEN {
            let cut = check(&key.public(), "log", &HEAD, &signed[..cut]);
            assert_eq!(cut, Err(Refusal::Malformed));
        }
        let mut negative = signed;
        negative[0] = 0x80;
        let checked = check(&key.public(), "log", &HEAD, &negative);
        assert_eq!(checked, Err(Refusal::Malformed));
    }

    /// M-01: one key, one head, two types.
    #[test]
    fn a_log_signature_is_no_cosignature_and_the_reverse() {
        let (witness, secret) = (NodeKey::from_seed([4; 32]), SecretKey::from_seed([4; 32]));
        let cosigned = cosign(&witness, "log", &HEAD, AT).unwrap();
        let text = checkpoint::text("log", &HEAD);
        assert!(!secret.public_key().verify(text.as_bytes(), &cosigned[8..]));
        let plain = secret.sign(text.as_bytes());
        let forged = [&cosigned[..8], &plain].concat();
        let checked = check(&witness.public(), "log", &HEAD, &forged);
        assert_eq!(checked, Err(Refusal::BadSignature));
        let note = format!("{text}\n{}", line("w1", &witness.public(), &cosigned));
        let note = Note::read(note.as_bytes()).unwrap();
        assert!(is_of(&note.lines[0], "w1", &witness.public()));
        assert_eq!(
            note.check("w1", &secret.public_key()),
            Err(Refusal::UnknownKey)
        );
    }
}
