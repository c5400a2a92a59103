//! Who is at the other end of a connection: the certificate of a hello.
//!
//! Limit, stated plainly: until the membership role exists, a node issues its
//! certificate itself. What it proves is that the holder of the key `peer`
//! knows the network's id and declares this site and role. The site and the
//! origin role are claims; nothing about releases rests on them, and who lies
//! about its site only misplaces its own traffic (M-20).

use patchmesh_content::id::PeerId;
use patchmesh_proto::Message as _;
use patchmesh_proto::frame::{FrameRefusal, decode};
use patchmesh_proto::limits::{ROLES_MAX, SITE_LEN_MAX};
use patchmesh_proto::v1;

use crate::key::domain::Domain;
use crate::key::{NodeKey, sha256, verify_as_node};
use crate::limits::CERTIFICATE_LEN_MAX;
use crate::refusal::Refusal;
use crate::time::UtcTime;

/// What a verified certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The node.
    pub peer: PeerId,
    /// Its site, as it declares; empty for an origin outside all sites.
    pub site: String,
    /// Whether it declares itself an origin.
    pub origin: bool,
    /// Valid in this time.
    pub validity: Validity,
    /// Number of this certificate.
    pub serial: [u8; 16],
}

/// The time in which a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second at which it holds. Clocks differ: an issuer sets it a
    /// little into the past.
    pub not_before: UtcTime,
    /// First second at which it no longer holds.
    pub not_after: UtcTime,
}

/// Issues a node's certificate for itself; gives payload and signature of a
/// `SignedCertificate`.
///
/// # Errors
/// `Malformed` if the site is not `[A-Za-z0-9][A-Za-z0-9._-]{0,63}` (empty is
/// allowed for an origin) or the validity is empty.
pub fn issue_certificate(
    key: &NodeKey,
    mesh_id: &[u8; 32],
    site: &str,
    origin: bool,
    validity: Validity,
) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    check_terms(site, origin, validity)?;
    let public = key.public();
    let mut roles = vec![v1::certificate::Role::Member as i32];
    if origin {
        roles.push(v1::certificate::Role::Origin as i32);
    }
    let begin = validity.not_before.0.to_be_bytes();
    let serial = sha256(&[&public[..], &begin[..], site.as_bytes()].concat());
    let certificate = v1::Certificate {
        mesh_id: mesh_id.to_vec(),
        peer_id: public.to_vec(),
        serial: serial[..16].to_vec(),
        site: site.to_owned(),
        roles,
        not_before: validity.not_before.0,
        not_after: validity.not_after.0,
        issuer: public.to_vec(),
    };
    let payload = certificate.encode_to_vec();
    let signature = key.sign(Domain::Certificate, &payload);
    Ok((payload, signature.to_vec()))
}

/// Checks the certificate of a peer whose key the secure channel has proved.
///
/// # Errors
/// `BadSignature` if the peer's key did not sign these bytes, `WrongNetwork`,
/// `UnknownKey` if it is issued for or by another key, `Expired` outside its
/// validity, `TooLarge`, `Malformed`.
pub fn verify_certificate(
    payload: &[u8],
    signature: &[u8],
    peer: &PeerId,
    mesh_id: &[u8; 32],
    utc: UtcTime,
) -> Result<Certificate, Refusal> {
    if payload.len() > CERTIFICATE_LEN_MAX {
        return Err(Refusal::TooLarge);
    }
    if !verify_as_node(&peer.0, Domain::Certificate, payload, signature) {
        return Err(Refusal::BadSignature);
    }
    let wire: v1::Certificate =
        decode(payload, CERTIFICATE_LEN_MAX).map_err(|refusal| match refusal {
            FrameRefusal::TooLarge | FrameRefusal::TooManyElements => Refusal::TooLarge,
            FrameRefusal::Malformed => Refusal::Malformed,
        })?;
    if wire.mesh_id != mesh_id {
        return Err(Refusal::WrongNetwork);
    }
    if wire.peer_id != peer.0 || wire.issuer != peer.0 {
        return Err(Refusal::UnknownKey);
    }
    let member = v1::certificate::Role::Member as i32;
    if wire.roles.len() > ROLES_MAX || !wire.roles.contains(&member) {
        return Err(Refusal::Malformed);
    }
    let origin = wire.roles.contains(&(v1::certificate::Role::Origin as i32));
    let validity = Validity {
        not_before: UtcTime(wire.not_before),
        not_after: UtcTime(wire.not_after),
    };
    check_terms(&wire.site, origin, validity)?;
    if utc < validity.not_before || validity.not_after <= utc {
        return Err(Refusal::Expired);
    }
    Ok(Certificate {
        peer: *peer,
        site: wire.site,
        origin,
        validity,
        serial: wire.serial.try_into().map_err(|_| Refusal::Malformed)?,
    })
}

/// Whether a text may name a site: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
pub fn is_site(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.len() <= SITE_LEN_MAX
        && bytes.iter().all(plain)
}

fn check_terms(site: &str, origin: bool, validity: Validity) -> Result<(), Refusal> {
    let site_ok = is_site(site) || (site.is_empty() && origin);
    if site_ok && validity.not_before < validity.not_after {
        Ok(())
    } else {
        Err(Refusal::Malformed)
    }
}

#[cfg(test)]
mod tests;
