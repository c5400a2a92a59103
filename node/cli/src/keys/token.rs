//! `pkcs11:`: keys in tokens and hardware security modules, by the module of
//! their maker (PKCS #11 v3.0). The module runs inside this program, so it is
//! named by the person, by an absolute path.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use patchmesh_trust::key::{PublicKey, p256_signature_der, sha256};

use crate::failure::Failure;
use crate::keys::passphrase::Passphrase;
use crate::keys::uri::TokenUri;
use crate::text::safe;

/// Longest public point as a token gives it: P-256 in an OCTET STRING.
const POINT_LEN_MAX: usize = 67;

/// A key in a token.
#[derive(Debug)]
pub(crate) struct TokenKey {
    /// The public half.
    pub(crate) public: PublicKey,
    session: Session,
    private: Option<ObjectHandle>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Ed25519,
    P256,
}

/// Finds the public half; with a PIN the private one too.
pub(crate) fn open(uri: &TokenUri, pin: Option<&Passphrase>) -> anyhow::Result<TokenKey> {
    let module = Pkcs11::new(&uri.module).map_err(|error| failed("load the module", &error))?;
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .map_err(|error| failed("start the module", &error))?;
    let slot = slot(&module, uri)?;
    let session = module
        .open_ro_session(slot)
        .map_err(|error| failed("open the token", &error))?;
    if let Some(pin) = pin {
        // Once only: a token locks itself after a few wrong ones.
        session
            .login(UserType::User, Some(&AuthPin::from(pin.as_str())))
            .map_err(|error| failed("log in to the token", &error))?;
    }
    let public = one(&session, ObjectClass::PUBLIC_KEY, uri)?;
    let (public, kind) = read(&session, public)?;
    let private = match pin {
        Some(_) => Some(one(&session, ObjectClass::PRIVATE_KEY, uri)?),
        None => None,
    };
    Ok(TokenKey {
        public,
        session,
        private,
        kind,
    })
}

/// The one slot whose token is meant.
fn slot(module: &Pkcs11, uri: &TokenUri) -> anyhow::Result<Slot> {
    let slots = module
        .get_slots_with_initialized_token()
        .map_err(|error| failed("list the tokens", &error))?;
    let fits = |slot: &Slot| {
        let Ok(info) = module.get_token_info(*slot) else {
            return false;
        };
        let same = |wanted: &Option<String>, found: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted == found.trim_end())
        };
        same(&uri.token, info.label())
            && same(&uri.serial, info.serial_number())
            && same(&uri.manufacturer, info.manufacturer_id())
            && same(&uri.model, info.model())
    };
    let fitting: Vec<Slot> = slots.into_iter().filter(fits).collect();
    match fitting[..] {
        [slot] => Ok(slot),
        [] => Err(missing("no token of this name is there")),
        _ => Err(missing(format!("{} tokens fit; name one", fitting.len()))),
    }
}

/// The one object of a class that is meant.
fn one(session: &Session, class: ObjectClass, uri: &TokenUri) -> anyhow::Result<ObjectHandle> {
    let mut template = vec![Attribute::Class(class)];
    let label = uri.object.as_ref().map(|label| label.clone().into_bytes());
    template.extend(label.map(Attribute::Label));
    template.extend(uri.id.clone().map(Attribute::Id));
    let found = session
        .find_objects(&template)
        .map_err(|error| failed("search the token", &error))?;
    let what = if class == ObjectClass::PUBLIC_KEY {
        "public half of a key"
    } else {
        "private key"
    };
    match found[..] {
        [object] => Ok(object),
        [] => Err(missing(format!("the token holds no {what} of this name"))),
        _ => {
            let message = format!("{} fit; name id and object", found.len());
            Err(missing(message))
        }
    }
}

fn read(session: &Session, object: ObjectHandle) -> anyhow::Result<(PublicKey, Kind)> {
    let wanted = [AttributeType::KeyType, AttributeType::EcPoint];
    let attributes = session
        .get_attributes(object, &wanted)
        .map_err(|error| failed("read the public half", &error))?;
    let mut point = Vec::new();
    let mut ed25519 = false;
    for attribute in attributes {
        if let Attribute::KeyType(kind) = attribute {
            ed25519 = kind == KeyType::EC_EDWARDS;
        } else if let Attribute::EcPoint(bytes) = attribute {
            point = bytes;
        }
    }
    let read = if ed25519 {
        let bytes = unwrapped(&point, 32).and_then(|bytes| bytes.try_into().ok());
        let key = bytes.and_then(|bytes: [u8; 32]| PublicKey::ed25519(&bytes).ok());
        key.map(|key| (key, Kind::Ed25519))
    } else {
        let key = unwrapped(&point, 65).and_then(|bytes| PublicKey::p256_point(bytes).ok());
        key.map(|key| (key, Kind::P256))
    };
    read.ok_or_else(|| {
        let failure = Failure::failed("E_KEY_KIND", "it is no Ed25519 or P-256 key");
        failure
            .hint("the curve is chosen when a token makes a key")
            .into()
    })
}

/// A point of this length: as it is, or in an OCTET STRING, which version 2.40
/// of PKCS #11 asks for and not every module gives.
fn unwrapped(point: &[u8], len: usize) -> Option<&[u8]> {
    if point.len() > POINT_LEN_MAX {
        return None;
    }
    let head = [0x04, u8::try_from(len).ok()?];
    let inner = point.strip_prefix(&head).filter(|inner| inner.len() == len);
    inner.or_else(|| (point.len() == len).then_some(point))
}

impl TokenKey {
    /// Has the token sign; the caller checks the signature. The bytes go in one
    /// call, since several tokens know no other for Ed25519.
    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let private = self.private;
        let private = private.ok_or_else(|| missing("the token was opened without a PIN"))?;
        let signed = match self.kind {
            Kind::Ed25519 => {
                let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
                self.session.sign(&Mechanism::Eddsa(pure), private, message)
            }
            Kind::P256 => self
                .session
                .sign(&Mechanism::Ecdsa, private, &sha256(message)),
        };
        let signature = signed.map_err(|error| failed("sign", &error))?;
        match self.kind {
            Kind::Ed25519 => Ok(signature),
            Kind::P256 => {
                let halves = signature.split_at_checked(signature.len() / 2);
                let der = halves.and_then(|(r, s)| p256_signature_der(r, s));
                der.ok_or_else(|| missing("what the token gave is no signature"))
            }
        }
    }
}

fn missing(message: impl Into<String>) -> anyhow::Error {
    let failure = Failure::failed("E_KEY_TOKEN", message);
    failure
        .hint("pkcs11-tool --module FILE.so -L lists tokens, -O lists keys")
        .into()
}

fn failed(what: &str, error: &cryptoki::error::Error) -> anyhow::Error {
    let message = format!("failed to {what}: {}", safe(&error.to_string()));
    Failure::failed("E_KEY_TOKEN", message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_taken_bare_and_wrapped_and_in_no_other_length() {
        let bare = [4u8; 65];
        let wrapped = [&[0x04, 65][..], &bare].concat();
        assert_eq!(unwrapped(&bare, 65), Some(&bare[..]));
        assert_eq!(unwrapped(&wrapped, 65), Some(&bare[..]));
        assert_eq!(unwrapped(&wrapped[..66], 65), None);
        assert_eq!(unwrapped(&[4, 32, 1], 32), None);
        assert_eq!(unwrapped(&[0; 200], 65), None);
    }
}
