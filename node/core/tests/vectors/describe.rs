//! Decoded values in the words of the vectors.

use patchmesh_content::id::{PeerId, hex};
use patchmesh_content::index::ReleaseIndex;
use patchmesh_core::message::{
    Announcement, ChunkAnswer, DeclineReason, DocumentRef, Message, Want,
};
use patchmesh_core::peer::{Address, Proof};
use patchmesh_trust::member::Certificate;
use serde_json::{Value, json};

pub(crate) fn message(message: &Message) -> Value {
    match message {
        Message::Have {
            content,
            all,
            words,
        } => {
            let word = |(index, bits): &(u32, u64)| json!([index, format!("{bits:016x}")]);
            let words: Vec<Value> = words.iter().map(word).collect();
            json!({ "have": content.to_hex(), "all": all, "words": words })
        }
        Message::Claim {
            holder,
            content,
            span,
            duration,
        } => {
            let duration = number(duration.as_millis());
            let mut claim =
                json!({ "claim": content.to_hex(), "span": span.0, "duration_ms": duration });
            if let Some(holder) = holder {
                claim["holder"] = json!(hex(&holder.0));
            }
            claim
        }
        Message::Digest {
            version,
            digest,
            log,
        } => {
            let mut shown = json!({ "digest": hex(digest), "version": number(*version) });
            if let Some((size, root)) = log {
                shown["log"] = json!({ "size": number(*size), "root": hex(root) });
            }
            shown
        }
        Message::Alarm { role, version } => {
            json!({ "alarm": role, "version": number(*version) })
        }
        Message::Mark(mark) => {
            json!({ "revoked": number(mark.version), "digest": mark.digest.map(|one| hex(&one)) })
        }
        Message::Stop(stop) => json!({
            "stop": hex(&stop.payload),
            "key": hex(&stop.key),
            "signature": hex(&stop.signature),
        }),
        Message::Cosignature(one) => json!({
            "cosignature": hex(&one.witness),
            "size": number(one.head.size),
            "root": hex(&one.head.root),
            "signature": hex(&one.signature),
        }),
        Message::Cosigned { digest, asks } => json!({ "cosigned": hex(digest), "asks": asks }),
        Message::Head(head) => json!({ "head": head.map(number) }),
        Message::Interest { content } => json!({ "interest": content.to_hex() }),
        Message::Introduce(list) => json!({ "introduce": peers(list) }),
        Message::Release { content, span } => {
            json!({ "release": content.to_hex(), "span": span.0 })
        }
    }
}

pub(crate) fn want(want: &Want) -> Value {
    json!({
        "content": want.content.to_hex(),
        "chunk": want.chunk.0,
        "unreachable": want.unreachable,
    })
}

pub(crate) fn answer(answer: &ChunkAnswer) -> Value {
    let decline = match answer {
        ChunkAnswer::Frame(len) => return json!({ "frame": len }),
        ChunkAnswer::Decline(decline) => decline,
    };
    let reason = match decline.reason {
        DeclineReason::Busy => "busy",
        DeclineReason::Gone => "gone",
        DeclineReason::HeldBySite => "held-by-site",
        DeclineReason::Leased => "leased",
        DeclineReason::Refused => "refused",
    };
    json!({
        "decline": reason,
        "retry_after_ms": number(decline.retry_after.as_millis()),
        "holders": peers(&decline.holders),
    })
}

pub(crate) fn document(document: &DocumentRef) -> Value {
    match document {
        DocumentRef::Metadata { role, version } => json!({ "role": role, "version": version }),
        DocumentRef::Index { sha256, name } => json!({ "index": name, "sha256": hex(sha256) }),
        DocumentRef::Annex { name, sha256 } => {
            json!({ "annex": name.path(), "sha256": hex(sha256) })
        }
    }
}

pub(crate) fn announcement(announcement: &Announcement) -> Value {
    json!({
        "root_version": announcement.root_version,
        "document": hex(&announcement.timestamp),
    })
}

pub(crate) fn hello(proof: &Proof) -> Value {
    let addresses: Vec<String> = proof.addresses.iter().map(|a| hex(a)).collect();
    json!({
        "certificate": hex(&proof.certificate),
        "signature": hex(&proof.signature),
        "protocol": [proof.protocol.0, proof.protocol.1],
        "head": proof.head,
        "addresses": addresses,
    })
}

pub(crate) fn certificate(certificate: &Certificate) -> Value {
    json!({
        "site": certificate.site,
        "origin": certificate.origin,
        "not_before": certificate.validity.not_before.0,
        "not_after": certificate.validity.not_after.0,
        "serial": hex(&certificate.serial),
    })
}

pub(crate) fn index(index: &ReleaseIndex) -> Value {
    json!({
        "files": index.files.len(),
        "chunks": index.chunks.len(),
        "total_bytes": index.total_bytes(),
        "wire_bytes": index.wire_bytes(),
    })
}

fn peers(list: &[(PeerId, Vec<Address>)]) -> Value {
    let one = |(peer, addresses): &(PeerId, Vec<Address>)| {
        let addresses: Vec<String> = addresses.iter().map(|a| hex(a)).collect();
        json!([peer.to_hex(), addresses])
    };
    list.iter().map(one).collect()
}

/// A number that JSON readers keep exact, or a text.
pub(crate) fn number(value: u64) -> Value {
    if value < 1 << 53 {
        json!(value)
    } else {
        json!(value.to_string())
    }
}
