//! Members of documents: names, objects, texts.

use crate::canonical::{Object, Value};
use crate::refusal::Refusal;

/// Whether a name is one of the four top roles, which nobody can delegate.
pub(crate) fn is_top(name: &str) -> bool {
    matches!(name, "root" | "timestamp" | "snapshot" | "targets")
}

/// Role names and target paths are visible ASCII: one spelling, one name.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    let ok = !name.is_empty() && name.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if ok { Ok(()) } else { Err(Refusal::Malformed) }
}

pub(crate) fn object(value: Option<&Value>) -> Result<&Object, Refusal> {
    value.and_then(Value::as_object).ok_or(Refusal::Malformed)
}

pub(crate) fn text(value: Option<&Value>) -> Result<&str, Refusal> {
    value.and_then(Value::as_text).ok_or(Refusal::Malformed)
}

pub(crate) fn optional<T>(
    value: Option<&Value>,
    read: impl FnOnce(&Value) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    value.map(read).transpose()
}
