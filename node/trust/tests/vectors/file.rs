//! The file: documents by name, and what becomes of one after others.

use std::collections::BTreeMap;

use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::role::RoleName;
use patchmesh_trust::state::Verifier;
use serde_json::{Map, Value, json};

use crate::cases::Case;
use crate::kit::{NOW, all_lines, root};

/// The file.
pub(crate) const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../proto/vectors/metadata.json"
);

const SAYS: &str = "Signed metadata. A verifier that trusts `anchor` and loads every release \
    line takes the documents `given` one after another at the time `utc`, in seconds since 1970, \
    and then judges `document`. `expect` is `ok` or the code of the refusal. Documents are \
    text, or in hexadecimal where they are none.";

/// What the file says.
pub(crate) struct File {
    anchor: Vec<u8>,
    documents: BTreeMap<String, (RoleName, Vec<u8>)>,
    pub(crate) cases: Vec<Value>,
}

/// The text of the file.
pub(crate) fn write(cases: &[Case]) -> String {
    let mut documents: Vec<(Value, String)> = Vec::new();
    let mut name_of = |role: &RoleName, bytes: &[u8]| {
        let entry = match std::str::from_utf8(bytes) {
            Ok(text) => json!({"role": role.to_string(), "text": text}),
            Err(_) => json!({"role": role.to_string(), "hex": patchmesh_content::id::hex(bytes)}),
        };
        let known = documents.iter().find(|(held, _)| *held == entry);
        if let Some((_, name)) = known {
            return name.clone();
        }
        let name = format!("d{}", documents.len());
        documents.push((entry, name.clone()));
        name
    };
    let cases = cases.iter().map(|case| {
        let given = case.given.iter();
        let given: Vec<_> = given.map(|(role, bytes)| name_of(role, bytes)).collect();
        let document = name_of(&case.role, &case.bytes);
        json!({"name": case.name, "given": given, "document": document, "expect": case.expect})
    });
    let cases: Vec<Value> = cases.collect();
    let anchor = String::from_utf8(root(1)).unwrap();
    let lines = |list: Vec<String>| list.join(",\n    ");
    let documents = documents.iter();
    let documents = documents.map(|(entry, name)| format!("{}: {entry}", json!(name)));
    format!(
        "{{\n  \"kind\": \"metadata\",\n  \"says\": {},\n  \"utc\": {},\n  \"anchor\": {},\n  \
         \"documents\": {{\n    {}\n  }},\n  \"cases\": [\n    {}\n  ]\n}}\n",
        json!(SAYS),
        NOW.0,
        json!(anchor),
        lines(documents.collect()),
        lines(cases.iter().map(Value::to_string).collect()),
    )
}

/// What a text says.
pub(crate) fn read(text: &str) -> File {
    let file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(file["utc"], json!(NOW.0));
    let documents: &Map<String, Value> = file["documents"].as_object().unwrap();
    let document = |(name, entry): (&String, &Value)| {
        let role = entry["role"].as_str().unwrap().parse().unwrap();
        let bytes = match entry["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => unhex(entry["hex"].as_str().unwrap()),
        };
        (name.clone(), (role, bytes))
    };
    File {
        anchor: file["anchor"].as_str().unwrap().as_bytes().to_vec(),
        documents: documents.iter().map(document).collect(),
        cases: file["cases"].as_array().unwrap().clone(),
    }
}

impl File {
    /// How a case differs from what it expects; empty where it does not.
    pub(crate) fn wrong(&self, case: &Value) -> String {
        let mut verifier = Verifier::new(&self.anchor, &all_lines()).unwrap();
        for name in case["given"].as_array().unwrap() {
            let (role, bytes) = &self.documents[name.as_str().unwrap()];
            let admission = verifier.admit(role, bytes, NOW);
            let admission = match admission {
                Ok(admission) => admission,
                Err(refusal) => return format!("{case}: {role}: {}", refusal.code()),
            };
            verifier.apply(admission);
        }
        let (role, bytes) = &self.documents[case["document"].as_str().unwrap()];
        let verdict = verifier.admit(role, bytes, NOW);
        let verdict = verdict.map_or_else(Refusal::code, |_| "ok");
        let expect = case["expect"].as_str().unwrap();
        if verdict == expect {
            return String::new();
        }
        format!("{}: {verdict}, not {expect}", case["name"])
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap();
    let pairs = text.as_bytes().chunks_exact(2);
    let bytes = pairs.map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])));
    bytes.collect::<Result<_, _>>().unwrap()
}
