//! Keys in the form of OpenSSH (RFC 4253, section 6.6; RFC 8709; RFC 5656): the
//! line of a `.pub` file, the bytes that an agent gives, and fingerprints.

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use patchmesh_trust::key::{PublicKey, p256_signature_der, sha256};

use crate::text::safe;

/// What a key is called that `ssh-keygen -t ed25519` makes.
pub(crate) const ED25519: &str = "ssh-ed25519";
/// What a key is called that `ssh-keygen -t ecdsa -b 256` makes.
pub(crate) const P256: &str = "ecdsa-sha2-nistp256";
/// Longest key in bytes; one of RSA with 16,384 bits has about 2,100.
const KEY_LEN_MAX: usize = 4096;

/// Bytes in which each value has its length before it (RFC 4251, section 5).
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// Four bytes as a number.
    pub(crate) fn number(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    /// A length, then that many bytes.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (value, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(value)
    }

    fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.string()?).ok()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Adds a length and bytes; `None` where the length has no place in 32 bits.
pub(crate) fn push_string(bytes: &mut Vec<u8>, value: &[u8]) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(value.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(value);
    Some(())
}

/// The fingerprint that `ssh-add -l` prints.
pub(crate) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", Base64Unpadded::encode_string(&sha256(blob)))
}

/// The key in these bytes, or why it cannot sign here.
pub(crate) fn key(blob: &[u8]) -> Result<PublicKey, String> {
    let mut reader = Reader(blob);
    let kind = reader.text().unwrap_or_default();
    let parsed = match kind {
        ED25519 => ed25519(&mut reader),
        P256 => p256(&mut reader),
        _ => return Err(unfit(kind)),
    };
    let whole = reader.is_empty() && blob.len() <= KEY_LEN_MAX;
    parsed
        .filter(|_| whole)
        .ok_or_else(|| format!("it is no sound {kind} key"))
}

/// Why a kind of key cannot sign here.
fn unfit(kind: &str) -> String {
    if kind.contains("-cert-") {
        return "it is a certificate; name the key itself".to_owned();
    }
    if kind.starts_with("sk-") {
        return "keys of FIDO tokens sign other bytes than they are given".to_owned();
    }
    if kind.starts_with("ssh-rsa") || kind.starts_with("rsa-") {
        return "RSA keys sign nothing here".to_owned();
    }
    format!("keys of kind {} sign nothing here", safe(kind))
}

fn ed25519(reader: &mut Reader<'_>) -> Option<PublicKey> {
    PublicKey::ed25519(reader.string()?.try_into().ok()?).ok()
}

fn p256(reader: &mut Reader<'_>) -> Option<PublicKey> {
    if reader.text()? != "nistp256" {
        return None;
    }
    PublicKey::p256_point(reader.string()?).ok()
}

/// A signature as documents hold it, from the bytes that an agent gives: 64 raw
/// bytes for Ed25519, DER for P-256.
pub(crate) fn signature(blob: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader(blob);
    let kind = reader.text()?;
    let bytes = reader.string()?;
    let taken = match kind {
        ED25519 => bytes.to_vec(),
        P256 => {
            let mut numbers = Reader(bytes);
            let (r, s) = (numbers.string()?, numbers.string()?);
            p256_signature_der(r, s).filter(|_| numbers.is_empty())?
        }
        _ => return None,
    };
    reader.is_empty().then_some(taken)
}

/// Whether a file looks like a public key of OpenSSH.
pub(crate) fn is_line(text: &str) -> bool {
    let kind = text.split_ascii_whitespace().next().unwrap_or_default();
    ["ssh-", "ecdsa-", "sk-", "rsa-"]
        .iter()
        .any(|start| kind.starts_with(start))
}

/// The bytes of the key in the one line of a `.pub` file of OpenSSH.
pub(crate) fn line(text: &str) -> Result<Vec<u8>, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err("a file with one key is expected".to_owned());
    };
    let mut words = line.split_ascii_whitespace();
    let (kind, body) = (words.next(), words.next());
    let body = body.filter(|body| body.len() <= KEY_LEN_MAX * 2);
    let blob = body.and_then(|body| Base64::decode_vec(body).ok());
    let blob = blob.ok_or("it is no line of a public key")?;
    // The word before is for people; a key of another kind behind it would deceive.
    if Reader(&blob).text() != kind {
        return Err("the line names another kind than its key".to_owned());
    }
    Ok(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `ssh-keygen`, with the fingerprints that `ssh-keygen -l` printed.
    const LINES: [(&str, &str); 2] = [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINztNIQpLJB1XGDpdTJCn0ud\
             jAnbYVcg8CWJEQ4uR0rI alice",
            "SHA256:fwVUJj4bjHtQSwlWt4go/Eh6vNEOSRoXEkrYFIPCy4s",
        ),
        (
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlz\
             dHAyNTYAAABBBM9jzN2kxcF/Mo1zx4Eexz69fmgqISchU8/6Ho0+7F9L/fZZOFiEOiMu0A\
             UgniJp7bPDqEPeU5MmhDA8h4mHVuw= bob",
            "SHA256:+ih/oxtF8ZVoTtdAxr4E+tO9Tpc0ZDYb1z2NGc5Sa3E",
        ),
    ];

    #[test]
    fn lines_of_openssh_give_their_keys_and_fingerprints() {
        for (text, print) in LINES {
            assert!(is_line(text));
            let blob = line(text).unwrap();
            assert_eq!(fingerprint(&blob), print);
            key(&blob).unwrap();
        }
    }

    #[test]
    fn other_kinds_and_broken_lines_are_refused_with_a_reason() {
        let of = |kind: &str| {
            let mut blob = Vec::new();
            push_string(&mut blob, kind.as_bytes()).unwrap();
            push_string(&mut blob, &[7; 32]).unwrap();
            key(&blob).unwrap_err()
        };
        assert!(of("sk-ssh-ed25519@openssh.com").contains("FIDO"));
        assert!(of("sk-ecdsa-sha2-nistp256@openssh.com").contains("FIDO"));
        assert!(of("ssh-ed25519-cert-v01@openssh.com").contains("certificate"));
        assert!(of("ssh-rsa").contains("RSA"));
        assert!(of("ssh-dss\u{202e}").contains("\\u{202e}"));
        assert!(of(ED25519).contains("no sound"));
        let (good, _) = LINES[0];
        let body = good.split(' ').nth(1).unwrap();
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 !!!!",
            &format!("ssh-rsa {body}"),
            &format!("{good}\n{good}"),
        ] {
            assert!(line(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_cut_anywhere_or_with_more_behind_it_is_refused() {
        for (text, _) in LINES {
            let blob = line(text).unwrap();
            for len in 0..blob.len() {
                assert!(key(&blob[..len]).is_err(), "{len}");
                assert!(signature(&blob[..len]).is_none(), "{len}");
            }
            assert!(key(&[&blob[..], &[0]].concat()).is_err());
        }
    }
}
