//! Tests of this module.

use super::*;

fn canonical(text: &str) -> Result<String, Refusal> {
    let text = String::from_utf8(parse(text.as_bytes())?.canonical());
    text.map_err(|_| Refusal::Malformed)
}

#[test]
fn members_are_sorted_by_bytes_and_nothing_is_added() {
    let text = "{ \"b\" : [1, -2,\n{}], \"a\":null,\"B\":true , \"\u{e9}\":false, \"z\":\"\" }";
    let expected = "{\"B\":true,\"a\":null,\"b\":[1,-2,{}],\"z\":\"\",\"\u{e9}\":false}";
    assert_eq!(canonical(text).as_deref(), Ok(expected));
}

#[test]
fn only_quote_and_backslash_are_escaped() {
    let text = r#""\u0041\n\/\"\\\ud83d\ude00""#;
    let expected = "\"A\n/\\\"\\\\\u{1f600}\"";
    assert_eq!(canonical(text).as_deref(), Ok(expected));
}

#[test]
fn json_text_reads_back_where_the_canonical_form_does_not() {
    let value = Value::text("a\nb\u{0}\"\\");
    assert_eq!(value.json(), br#""a\u000ab\u0000\"\\""#);
    assert_eq!(parse(&value.json()), Ok(value.clone()));
    assert_eq!(parse(&value.canonical()), Err(Refusal::Malformed));
}

#[test]
fn numbers_keep_their_whole_range() {
    for text in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
        assert_eq!(canonical(text).as_deref(), Ok(text));
    }
    for text in [
        "-",
        "00",
        "-0",
        "1.",
        "1E1",
        "9223372036854775808",
        ".5",
        "0x1",
    ] {
        assert_eq!(canonical(text), Err(Refusal::Malformed), "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    let deeper = nested(DEPTH_MAX + 1);
    assert_eq!(parse(deeper.as_bytes()), Err(Refusal::Malformed));
}

#[test]
fn the_number_of_values_is_bounded() {
    let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    assert!(parse(list(VALUES_MAX - 1).as_bytes()).is_ok());
    let more = list(VALUES_MAX);
    assert_eq!(parse(more.as_bytes()), Err(Refusal::TooLarge));
}

/// T-13: one signature too many ends the reading, whatever is behind it; lists
/// of that name elsewhere and other lists are as long as they like.
#[test]
fn signatures_are_counted_while_they_are_read() {
    let list = |len: usize| format!("[{}]", vec!["{}"; len].join(","));
    let signed = |len: usize| format!(r#"{{"signatures":{},"signed":{{}}}}"#, list(len));
    let read = |text: &str| parse_envelope(text.as_bytes(), VALUES_MAX, 3);
    assert!(read(&signed(3)).is_ok());
    assert_eq!(read(&signed(4)), Err(Refusal::TooLarge));
    let broken = r#"{"signatures":[{},{},{},not JSON at all"#;
    assert_eq!(read(broken), Err(Refusal::TooLarge));
    let elsewhere = format!(
        r#"{{"signed":{{"signatures":{}}},"a":{}}}"#,
        list(4),
        list(9)
    );
    assert!(read(&elsewhere).is_ok());
    assert!(read(&list(9)).is_ok());
}
