//! Inputs that are kept: the wire vectors, and files made from valid encodings
//! and known bad ones. An input that ever made a target fail stays for ever.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// All inputs of a target, in the order of their names.
///
/// # Panics
/// If there is none.
pub fn inputs(target: &str) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = vectors(&tests.join(format!("../proto/vectors/{target}.json")));
    inputs.extend(files(target).into_iter().map(|(_, bytes)| bytes));
    assert!(!inputs.is_empty(), "no input for {target}");
    inputs
}

/// Names and bytes of the files of a target; none if it has no folder. Names
/// of inputs that must be refused begin with `bad-`.
///
/// # Panics
/// If one cannot be read.
pub fn files(target: &str) -> Vec<(String, Vec<u8>)> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
    let entries = fs::read_dir(corpora.join(target)).into_iter().flatten();
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = paths.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.into_owned(), fs::read(path).expect("an input"))
    });
    read.collect()
}

fn vectors(path: &Path) -> Vec<Vec<u8>> {
    let Ok(text) = fs::read_to_string(path) else {
        return Vec::new();
    };
    let file: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let cases = file["cases"].as_array().expect("the vectors have cases");
    cases.iter().map(bytes_of).collect()
}

fn bytes_of(case: &Value) -> Vec<u8> {
    // Chunks carry the length that their frame is decoded to.
    let length = case["length"].as_u64().map(|length| {
        let length = u32::try_from(length).expect("a length of 32 bits");
        length.to_le_bytes().to_vec()
    });
    let parts = case["bytes"].as_array().expect("bytes are a list");
    let parts = parts.iter().map(|part| {
        if let Some(text) = part.as_str() {
            return unhex(text);
        }
        let times = part["times"].as_u64().expect("a number of times");
        let once = unhex(part["hex"].as_str().expect("what is repeated"));
        once.repeat(usize::try_from(times).expect("it fits into memory"))
    });
    length.into_iter().chain(parts).flatten().collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("a hexadecimal digit");
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).expect("two digits"))
        .collect()
}
