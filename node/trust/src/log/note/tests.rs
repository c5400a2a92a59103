//! Notes: the published example, and what is refused.

use proptest::prelude::*;

use super::*;

/// Key and note that the reference implementation of signed notes gives as
/// its example (golang.org/x/mod/sumdb/note).
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIu\
                    GUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key() -> PublicKey {
    let key = Base64::decode_vec("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    assert_eq!(key[0], ED25519);
    PublicKey::ed25519(key[1..].try_into().unwrap()).unwrap()
}

#[test]
fn the_published_note_is_read_and_its_signature_holds() {
    let bytes = format!("{TEXT}\n{LINE}");
    let note = Note::read(bytes.as_bytes()).unwrap();
    assert_eq!(note.text, TEXT);
    assert_eq!(note.lines[0].key_id, [0xc7, 0x4f, 0x20, 0xa3]);
    assert_eq!(note.check("PeterNeumann", &key()), Ok(()));
    let written = line(
        "PeterNeumann",
        note.lines[0].key_id,
        &note.lines[0].signature,
    );
    assert_eq!(written, LINE);
    assert_eq!(note.check("Other", &key()), Err(Refusal::UnknownKey));
    let altered = bytes.replace("answer", "Answer");
    let note = Note::read(altered.as_bytes()).unwrap();
    assert_eq!(
        note.check("PeterNeumann", &key()),
        Err(Refusal::BadSignature)
    );
}

#[test]
fn what_is_no_note_is_refused_before_it_is_parsed_or_by_its_form() {
    let good = format!("{TEXT}\n{LINE}");
    let forms = [
        good.replace("\n\n", "\n"),
        good.trim_end().to_owned(),
        good.replace('\u{2014}', "-"),
        good.replace("PeterNeumann", "Peter+Neumann"),
        good.replace("PeterNeumann ", ""),
        good.replace("nAM=", "nAM"),
        good.replace("you", "y\tu"),
        format!("{TEXT}\n\u{2014} a AAAAAA==\n"),
        format!("{TEXT}\n"),
    ];
    for form in &forms {
        assert_eq!(
            Note::read(form.as_bytes()),
            Err(Refusal::Malformed),
            "{form}"
        );
    }
    assert_eq!(Note::read(b"\xff\n\n"), Err(Refusal::Malformed));
    let long = vec![b'a'; NOTE_LEN_MAX + 1];
    assert_eq!(Note::read(&long), Err(Refusal::TooLarge));
    let many = format!(
        "{TEXT}\n{}",
        line("a", [0; 4], &[1]).repeat(NOTE_SIGNATURES_MAX + 1)
    );
    assert_eq!(Note::read(many.as_bytes()), Err(Refusal::TooLarge));
}

proptest! {
    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0..200_usize,
    ) {
        drop(Note::read(&bytes));
        let good = format!("{TEXT}\n{LINE}");
        drop(Note::read(&good.as_bytes()[..cut]));
    }
}
