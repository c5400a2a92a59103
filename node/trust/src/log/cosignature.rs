//! Cosignatures of witnesses (C2SP tlog-cosignature, version 1 with Ed25519):
//! a statement that the witness saw this head, and all it saw before in it.

use patchmesh_content::id::hex;
use patchmesh_proto::Message as _;
use patchmesh_proto::frame::{FrameRefusal, decode};
use patchmesh_proto::v1;
use serde::{Deserialize, Serialize};

use crate::key::{NodeKey, PublicKey, cosigned};
use crate::log::checkpoint;
use crate::log::head::LogHead;
use crate::log::note::{self, COSIGNATURE, Note, NoteLine, typed_key_id};
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// Bytes of a signature as a note carries it: the time, then Ed25519.
pub const COSIGNATURE_LEN: usize = 8 + 64;
/// Longest cosignature by itself: key, size, root, signature and their lengths.
pub const COSIGNATURE_WIRE_LEN_MAX: usize = 160;

/// T-75. A cosignature as it travels, not checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cosignature {
    /// The witness: its node key.
    pub witness: [u8; 32],
    /// The head that it signed.
    pub head: LogHead,
    /// [`COSIGNATURE_LEN`] bytes.
    pub signature: Vec<u8>,
}

impl Cosignature {
    /// Signs a head of the log of a network as [`cosign`] does.
    ///
    /// # Errors
    /// As [`cosign`].
    pub fn sign(
        key: &NodeKey,
        mesh_id: &[u8; 32],
        head: LogHead,
        utc: UtcTime,
    ) -> Result<Self, Refusal> {
        let signature = cosign(key, &checkpoint::origin(mesh_id), &head, utc)?;
        Ok(Self {
            witness: key.public(),
            head,
            signature: signature.to_vec(),
        })
    }

    /// Checks the lengths of a cosignature that came in another message.
    ///
    /// # Errors
    /// `Malformed`, also for a log without leaves.
    pub fn from_wire(wire: v1::Cosignature) -> Result<Self, Refusal> {
        let exact = |bytes: Vec<u8>| bytes.try_into().map_err(|_| Refusal::Malformed);
        if wire.size == 0 || wire.signature.len() != COSIGNATURE_LEN {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            witness: exact(wire.witness)?,
            head: LogHead {
                size: wire.size,
                root: exact(wire.root)?,
            },
            signature: wire.signature,
        })
    }

    /// As it travels in another message.
    pub fn to_wire(&self) -> v1::Cosignature {
        v1::Cosignature {
            witness: self.witness.to_vec(),
            size: self.head.size,
            root: self.head.root.to_vec(),
            signature: self.signature.clone(),
        }
    }

    /// Reads a cosignature by itself, as the store keeps it.
    ///
    /// # Errors
    /// `TooLarge` above [`COSIGNATURE_WIRE_LEN_MAX`], `Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let wire = decode(bytes, COSIGNATURE_WIRE_LEN_MAX);
        Self::from_wire(wire.map_err(|refusal| match refusal {
            FrameRefusal::Malformed => Refusal::Malformed,
            FrameRefusal::TooLarge | FrameRefusal::TooManyElements => Refusal::TooLarge,
        })?)
    }

    /// As the store keeps it.
    pub fn encode(&self) -> Vec<u8> {
        self.to_wire().encode_to_vec()
    }

    /// As the signature line of a note, with its newline; the name of the witness
    /// is its key.
    pub fn line(&self) -> String {
        let name = hex(&self.witness);
        let key_id = typed_key_id(&name, COSIGNATURE, &self.witness);
        note::line(&name, key_id, &self.signature)
    }

    /// The time that it states; 1970 if that is none.
    pub fn stated(&self) -> UtcTime {
        let time = self.signature.first_chunk();
        UtcTime(time.map_or(0, |time| i64::from_be_bytes(*time)))
    }

    /// Checks it, and gives the time that it states. Who signed is the caller's
    /// to judge.
    ///
    /// # Errors
    /// As [`check`].
    pub fn verify(&self, origin: &str) -> Result<UtcTime, Refusal> {
        check(&self.witness, origin, &self.head, &self.signature)
    }
}

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

/// The time at which a witness cosigned the head of a checkpoint by a line of its
/// note, under whatever name.
///
/// # Errors
/// `UnknownKey` without a line of it, else as [`check`]; of several lines one
/// that holds is enough.
pub fn on_note(
    note: &Note<'_>,
    witness: &[u8; 32],
    origin: &str,
    head: &LogHead,
) -> Result<UtcTime, Refusal> {
    let lines = note.lines.iter();
    let own = lines.filter(|line| is_of(line, line.name, witness));
    let mut found = Err(Refusal::UnknownKey);
    for line in own {
        found = found.or_else(|_| check(witness, origin, head, &line.signature));
    }
    found
}

/// Whether a line of a note is one of this witness under this name.
pub fn is_of(line: &NoteLine<'_>, name: &str, witness: &[u8; 32]) -> bool {
    line.name == name && line.key_id == typed_key_id(name, COSIGNATURE, witness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

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
        assert!(check(&witness.public(), "log", &HEAD, &forged).is_err());
        let note = format!("{text}\n{}", line("w1", &witness.public(), &cosigned));
        let note = Note::read(note.as_bytes()).unwrap();
        assert!(is_of(&note.lines[0], "w1", &witness.public()));
        let on_note = |witness: &[u8; 32], head| on_note(&note, witness, "log", head);
        assert_eq!(on_note(&witness.public(), &HEAD), Ok(AT));
        assert_eq!(on_note(&[5; 32], &HEAD), Err(Refusal::UnknownKey));
        let other = LogHead { size: 6, ..HEAD };
        assert_eq!(
            on_note(&witness.public(), &other),
            Err(Refusal::BadSignature)
        );
        assert_eq!(
            note.check("w1", &secret.public_key()),
            Err(Refusal::UnknownKey)
        );
    }
}
