//! `pkcs11:` names of keys in tokens (RFC 7512), as far as they matter here.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::text::safe;

/// Longest name in bytes.
const LEN_MAX: usize = 4096;

/// A key in a token. What is `None` may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenUri {
    /// Label of the token.
    pub(crate) token: Option<String>,
    /// Its serial number.
    pub(crate) serial: Option<String>,
    /// Its maker.
    pub(crate) manufacturer: Option<String>,
    /// Its model.
    pub(crate) model: Option<String>,
    /// Label of the key.
    pub(crate) object: Option<String>,
    /// Id of the key, any bytes.
    pub(crate) id: Option<Vec<u8>>,
    /// The module, a shared library.
    pub(crate) module: PathBuf,
    /// The file with the PIN.
    pub(crate) pin: Option<PathBuf>,
}

impl TokenUri {
    /// What a person calls the key.
    #[cfg(feature = "pkcs11")]
    pub(crate) fn name(&self) -> String {
        let token = self.token.as_deref().unwrap_or("token");
        let object = self.object.as_deref().unwrap_or("key");
        format!("{token}/{object}")
    }
}

/// Reads what follows `pkcs11:`.
pub(crate) fn parse(text: &str) -> anyhow::Result<TokenUri> {
    if text.len() > LEN_MAX {
        return Err(refused("the name of a token's key is too long"));
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let mut uri = TokenUri::default();
    let mut seen = Vec::new();
    let attributes = path.split(';').chain(query.split('&'));
    for attribute in attributes.filter(|attribute| !attribute.is_empty()) {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        // What stands in an argument is seen by every process; it is not shown again.
        if name == "pin-value" {
            let failure = Failure::usage("pin-value: a PIN is never part of a command");
            let hint = "use pin-source=FILE, or leave it out to be asked";
            return Err(failure.hint(hint).into());
        }
        if seen.contains(&name) {
            return Err(refused(format!("{} stands twice", safe(name))));
        }
        seen.push(name);
        set(&mut uri, name, decode(value)?)?;
    }
    if uri.module.as_os_str().is_empty() {
        let failure = Failure::usage("pkcs11: does not say which module speaks to the token");
        let hint = "add ?module-path=/usr/lib/.../module.so, as the maker of the token says";
        return Err(failure.hint(hint).into());
    }
    if !uri.module.is_absolute() {
        return Err(refused("module-path is not absolute"));
    }
    if uri.object.is_none() && uri.id.is_none() {
        return Err(refused("neither object nor id names a key"));
    }
    Ok(uri)
}

fn set(uri: &mut TokenUri, name: &str, value: Vec<u8>) -> anyhow::Result<()> {
    if name == "id" {
        uri.id = Some(value);
        return Ok(());
    }
    let value =
        String::from_utf8(value).map_err(|_| refused(format!("{} is not UTF-8", safe(name))))?;
    match name {
        "token" => uri.token = Some(value),
        "serial" => uri.serial = Some(value),
        "manufacturer" => uri.manufacturer = Some(value),
        "model" => uri.model = Some(value),
        "object" => uri.object = Some(value),
        "type" if ["private", "public"].contains(&value.as_str()) => {}
        "module-path" => uri.module = PathBuf::from(value),
        "pin-source" => {
            let path = value.strip_prefix("file:").unwrap_or(&value);
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with('|') {
                return Err(refused("pin-source names no file"));
            }
            uri.pin = Some(PathBuf::from(path));
        }
        _ => {
            let message = format!("{} in pkcs11: is not known", safe(name));
            let hint = "known: token, serial, manufacturer, model, object, id, type; after ?: \
                        module-path, pin-source";
            return Err(Failure::usage(message).hint(hint).into());
        }
    }
    Ok(())
}

/// Undoes percent-encoding.
fn decode(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let pair = rest.split_first_chunk::<2>();
        let byte =
            pair.and_then(|([high, low], _)| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok());
        let (Some(byte), Some((_, after))) = (byte, pair) else {
            return Err(refused("a % in pkcs11: has no two digits behind it"));
        };
        bytes.push(byte);
        rest = after;
    }
    Ok(bytes)
}

fn refused(message: impl Into<String>) -> anyhow::Error {
    let hint = "such as pkcs11:token=NAME;object=NAME?module-path=/FILE.so";
    Failure::usage(message).hint(hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_name_are_read() {
        let uri = parse(
            "token=Two%20of%20three;object=release;id=%01%ff;type=private?module-path=/m.so\
             &pin-source=file:///run/pin",
        )
        .unwrap();
        assert_eq!(uri.token.as_deref(), Some("Two of three"));
        assert_eq!(uri.object.as_deref(), Some("release"));
        assert_eq!(uri.id, Some(vec![1, 0xff]));
        assert_eq!(uri.module, PathBuf::from("/m.so"));
        assert_eq!(uri.pin, Some(PathBuf::from("/run/pin")));
    }

    #[test]
    fn a_pin_in_the_name_is_refused_and_not_repeated() {
        for uri in [
            "object=a?module-path=/m.so&pin-value=86420",
            "object=a;pin-value=86420?module-path=/m.so",
        ] {
            let said = Failure::of(&parse(uri).unwrap_err());
            assert!(said.message.contains("pin-value"), "{said:?}");
            assert!(!format!("{said:?}").contains("86420"), "{said:?}");
        }
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_refused() {
        for uri in [
            "",
            "object=a",
            "?module-path=/m.so",
            "object=a?module-path=m.so",
            "object=a;object=b?module-path=/m.so",
            "object=%1?module-path=/m.so",
            "object=%zz?module-path=/m.so",
            "object=%ff?module-path=/m.so",
            "slot-id=0;object=a?module-path=/m.so",
            "object=a;type=cert?module-path=/m.so",
            "object=a?module-path=/m.so&pin-source=|cat",
            "object=a?module-path=/m.so&module-name=x",
        ] {
            assert!(parse(uri).is_err(), "{uri}");
        }
        let long = format!("object={}?module-path=/m.so", "a".repeat(LEN_MAX));
        assert!(parse(&long).is_err());
    }
}
