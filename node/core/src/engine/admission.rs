//! Who may come in: judges the hello of a connection.

use patchmesh_proto::limits::{PROTOCOL_MAX, PROTOCOL_MIN};
use patchmesh_trust::member::verify_certificate;
use patchmesh_trust::refusal::Refusal;

use crate::config::Config;
use crate::message::check_addresses;
use crate::peer::{Member, Path, PeerRefusal, Proof};
use crate::time::UtcTime;

/// Checks protocol, certificate and addresses of a hello. Peers of the own,
/// named site are reached over the LAN, all others over the WAN (M-13, M-21).
///
/// # Errors
/// The stable code that the other side and the metrics get.
pub fn judge(
    proof: &Proof,
    config: &Config,
    mesh_id: &[u8; 32],
    utc: UtcTime,
) -> Result<(Member, Path), PeerRefusal> {
    let (lowest, highest) = proof.protocol;
    if lowest > highest || lowest > PROTOCOL_MAX || highest < PROTOCOL_MIN {
        return Err(PeerRefusal::Protocol);
    }
    if proof.peer == config.peer {
        return Err(PeerRefusal::BadCertificate);
    }
    check_addresses(&proof.addresses).map_err(|_| PeerRefusal::Malformed)?;
    let (payload, signature) = (&proof.certificate, &proof.signature);
    let certificate = verify_certificate(payload, signature, &proof.peer, mesh_id, utc);
    let certificate = certificate.map_err(turned_away)?;
    let same_site = !config.site.is_empty() && certificate.site == config.site;
    let member = Member {
        peer: proof.peer,
        site: certificate.site,
        origin: certificate.origin,
        addresses: proof.addresses.clone(),
    };
    Ok((member, if same_site { Path::Lan } else { Path::Wan }))
}

fn turned_away(refusal: Refusal) -> PeerRefusal {
    match refusal {
        Refusal::Expired => PeerRefusal::Expired,
        Refusal::WrongNetwork => PeerRefusal::WrongNetwork,
        Refusal::BadSignature
        | Refusal::BelowThreshold
        | Refusal::Contradiction
        | Refusal::HashMismatch
        | Refusal::Malformed
        | Refusal::NotDelegated
        | Refusal::Pending
        | Refusal::Rollback
        | Refusal::TooLarge
        | Refusal::UnknownKey
        | Refusal::Unproven => PeerRefusal::BadCertificate,
    }
}
