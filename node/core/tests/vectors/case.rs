//! A file of vectors and its cases.

use std::fmt::Display;

use serde_json::Value;

/// One file.
pub(crate) struct Vectors {
    head: Value,
    cases: Vec<Case>,
}

/// One case.
pub(crate) struct Case {
    /// What is decoded.
    pub(crate) bytes: Vec<u8>,
    fields: Value,
}

/// What became of a case.
pub(crate) struct Outcome {
    expect: String,
    value: Value,
    /// The bytes of the value, where it has an encoder.
    again: Option<Vec<u8>>,
}

impl Outcome {
    /// From the result of a decoder; `accepted` describes what it gave.
    pub(crate) fn of<T, E: Display>(
        decoded: Result<T, E>,
        accepted: impl FnOnce(&T) -> (Value, Option<Vec<u8>>),
    ) -> Self {
        match decoded {
            Ok(decoded) => {
                let (value, again) = accepted(&decoded);
                Self {
                    expect: "ok".to_owned(),
                    value,
                    again,
                }
            }
            Err(refusal) => Self {
                expect: refusal.to_string(),
                value: Value::Null,
                again: None,
            },
        }
    }
}

impl Vectors {
    /// Reads a file.
    pub(crate) fn read(text: &str) -> Self {
        let head: Value = serde_json::from_str(text).expect("the vectors are JSON");
        let cases = head["cases"].as_array().expect("the vectors have cases");
        let cases = cases.iter().map(Case::read).collect();
        Self { head, cases }
    }

    /// A number of the file's head.
    pub(crate) fn number(&self, key: &str) -> u64 {
        self.head[key].as_u64().expect("a number in the head")
    }

    /// A number of the file's head that may be below 0.
    pub(crate) fn signed_number(&self, key: &str) -> i64 {
        self.head[key].as_i64().expect("a number in the head")
    }

    /// 32 bytes of the file's head.
    pub(crate) fn id(&self, key: &str) -> [u8; 32] {
        let bytes = unhex(self.head[key].as_str().expect("a text in the head"));
        bytes.try_into().expect("32 bytes")
    }

    /// Runs all cases, at least `least` of them, and reports every difference.
    pub(crate) fn replay(&self, least: usize, run: impl Fn(&Case) -> Outcome) {
        assert!(self.cases.len() >= least, "{} cases", self.cases.len());
        let wrong: Vec<String> = self.cases.iter().filter_map(|c| c.wrong(&run(c))).collect();
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

impl Case {
    fn read(fields: &Value) -> Self {
        Self {
            bytes: parts(&fields["bytes"]),
            fields: fields.clone(),
        }
    }

    /// What the case is about.
    pub(crate) fn name(&self) -> &str {
        self.fields["name"].as_str().expect("a case has a name")
    }

    /// Bytes of this case, written in parts.
    pub(crate) fn parts(&self, key: &str) -> Vec<u8> {
        parts(&self.fields[key])
    }

    /// A number of this case, if it states one.
    pub(crate) fn signed_number(&self, key: &str) -> Option<i64> {
        self.fields[key].as_i64()
    }

    /// A text of this case.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.fields[key].as_str().expect("a text in the case")
    }

    /// Bytes of this case.
    pub(crate) fn hex(&self, key: &str) -> Vec<u8> {
        unhex(self.fields[key].as_str().expect("a text in the case"))
    }

    fn wrong(&self, outcome: &Outcome) -> Option<String> {
        let name = self.name();
        let expect = self.fields["expect"].as_str().unwrap_or("a text");
        if outcome.expect != expect {
            return Some(format!("{name}: {} instead of {expect}", outcome.expect));
        }
        let value = &self.fields["value"];
        if !value.is_null() && *value != outcome.value {
            return Some(format!("{name}: {} instead of {value}", outcome.value));
        }
        let same = self.fields["again"].as_bool().unwrap_or(true);
        match &outcome.again {
            Some(again) if (*again == self.bytes) != same => Some(format!(
                "{name}: encoding again gives the same bytes: {}",
                !same
            )),
            _ => None,
        }
    }
}

/// A list of texts in hexadecimal, and of texts that are repeated.
fn parts(list: &Value) -> Vec<u8> {
    let part = |part: &Value| {
        if let Some(text) = part.as_str() {
            return unhex(text);
        }
        let times = part["times"].as_u64().expect("a number of times");
        let once = unhex(part["hex"].as_str().expect("what is repeated"));
        once.repeat(usize::try_from(times).expect("it fits into memory"))
    };
    let list = list.as_array().expect("bytes are a list");
    list.iter().map(part).collect::<Vec<_>>().concat()
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "pairs of digits");
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hexadecimal digit");
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).expect("two digits"))
        .collect()
}
