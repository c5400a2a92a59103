//! Changes of documents: of what they say, before they are signed, and of their
//! text, after.

use patchmesh_trust::canonical::Value;

use crate::chance::Chance;
use crate::world::{NOW, Part};

/// A node of a value, by the steps that lead to it.
type Way = Vec<usize>;

/// Changes what a document says, once to three times, and now and then who
/// signs it.
pub(crate) fn of_value(part: &mut Part, chance: &mut Chance) {
    for _ in 0..=chance.below(3) {
        let ways = ways(&part.signed);
        let whole = part.signed.clone();
        let way = chance.pick(&ways).clone();
        let from = chance.pick(&ways).clone();
        let other = at(&whole, &from).clone();
        change(&mut part.signed, &way, &other, chance);
    }
    match chance.below(12) {
        0 => drop(part.signers.pop()),
        1 => part.signers.push(9),
        2 => part.signers = vec![1, 2, 3, 4, 5, 6, 7, 8, 9],
        _ => {}
    }
}

/// All nodes below the topmost.
fn ways(value: &Value) -> Vec<Way> {
    let mut found = Vec::new();
    let mut waiting = vec![Vec::new()];
    while let Some(way) = waiting.pop() {
        let count = match at(value, &way) {
            Value::Object(object) => object.len(),
            Value::List(list) => list.len(),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) => 0,
        };
        for step in 0..count {
            let mut below = way.clone();
            below.push(step);
            found.push(below.clone());
            waiting.push(below);
        }
    }
    found
}

fn at<'a>(value: &'a Value, way: &[usize]) -> &'a Value {
    way.iter().fold(value, |value, &step| match value {
        Value::Object(object) => object.values().nth(step).unwrap(),
        Value::List(list) => &list[step],
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) => unreachable!(),
    })
}

fn change(value: &mut Value, way: &[usize], other: &Value, chance: &mut Chance) {
    let (&step, rest) = way.split_first().unwrap();
    match value {
        Value::Object(object) => {
            let name = object.keys().nth(step).unwrap().clone();
            if !rest.is_empty() {
                return change(object.get_mut(&name).unwrap(), rest, other, chance);
            }
            match chance.below(8) {
                0 => drop(object.remove(&name)),
                1 => {
                    let moved = object.remove(&name).unwrap();
                    object.insert(odd_text(&name, chance), moved);
                }
                2 => drop(object.insert(format!("{name}x"), other.clone())),
                _ => {
                    let new = odd(&object[&name], other, chance);
                    object.insert(name, new);
                }
            }
        }
        Value::List(list) => {
            if !rest.is_empty() {
                return change(&mut list[step], rest, other, chance);
            }
            match chance.below(6) {
                0 => drop(list.remove(step)),
                1 => list.push(list[step].clone()),
                2 => list.reverse(),
                _ => list[step] = odd(&list[step], other, chance),
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Text(_) => unreachable!(),
    }
}

/// Something else in place of a value.
fn odd(value: &Value, other: &Value, chance: &mut Chance) -> Value {
    if chance.percent(15) {
        return other.clone();
    }
    match value {
        Value::Integer(number) => {
            let near = [
                number.wrapping_add(1),
                number.wrapping_sub(1),
                0,
                1,
                -1,
                2,
                3,
            ];
            let far = [i64::MAX, i64::MIN, 1 << 32];
            if chance.percent(80) {
                Value::Integer(*chance.pick(&near))
            } else {
                Value::Integer(*chance.pick(&far))
            }
        }
        Value::Text(text) => Value::text(odd_text(text, chance)),
        Value::Bool(bool) => Value::Bool(!bool),
        Value::Null | Value::List(_) | Value::Object(_) => {
            let any = [
                Value::Null,
                Value::Bool(true),
                Value::Integer(0),
                Value::text(""),
            ];
            let more = [Value::List(vec![]), Value::object([])];
            chance.pick(&[&any[..], &more].concat()).clone()
        }
    }
}

fn odd_text(text: &str, chance: &mut Chance) -> String {
    let mut odd = text.to_owned();
    let time = |seconds: i64| {
        patchmesh_trust::time::UtcTime(NOW.0 + seconds)
            .format()
            .unwrap()
    };
    match chance.below(12) {
        0 => odd.push('x'),
        1 => drop(odd.pop()),
        2 => odd = odd.to_uppercase(),
        3 => odd.insert(0, ' '),
        4 => odd = String::new(),
        5 => odd.push('\u{e9}'),
        6 => odd.push('\n'),
        7 if text.len() == 20 => odd = time(0),
        7 if text.len() > 32 => odd = "0".repeat(text.len()),
        8 if text.len() == 20 => odd = time(1),
        8 => odd = odd.replace('1', "2"),
        9 if text.len() == 20 => odd = time(-1),
        9 => "root".clone_into(&mut odd),
        10 if text.len() == 20 => odd = text.replace('Z', "+00:00"),
        10 => "1".clone_into(&mut odd),
        _ => {
            let at = chance.below(odd.len().max(1));
            let letters = odd.bytes().enumerate();
            let changed = letters.map(|(n, byte)| if n == at { byte ^ 1 } else { byte });
            odd = String::from_utf8(changed.collect()).unwrap_or_default();
        }
    }
    odd
}

/// Changes the text of a document.
pub(crate) fn of_text(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let text = String::from_utf8(bytes.clone()).unwrap();
    let nest = |depth| format!("{{\"x\":{}{},", "[".repeat(depth), "]".repeat(depth));
    let replaced = match chance.below(18) {
        0 => text.replacen(",\"", " , \n\"", 3),
        1 => text.replacen("\"signed\":{", "\"signed\":{\"version\":3,", 1),
        2 => text.replacen("\"version\":3", "\"version\":3.0", 1),
        3 => text.replacen("\"version\":3", "\"version\":3e0", 1),
        4 => text.replacen("\"version\":3", "\"version\":03", 1),
        5 => text.replacen("_type", "\\u005ftype", 1),
        6 => format!("{text}x"),
        7 => format!(" {text}\n"),
        8 => format!("\u{feff}{text}"),
        9 => text.replacen('{', "{\"x\":1.5,", 1),
        10 => text.replacen('{', "{\"x\":9223372036854775808,", 1),
        11 => text.replacen('{', &nest(chance.below(140)), 1),
        12 => text.replacen(
            "\"signatures\":[",
            "\"signatures\":[{\"keyid\":\"x\",\"sig\":\"zz\"},",
            1,
        ),
        13 => upper_signature(&text),
        14 => twice(&text),
        15 => text.replacen("\"sig\":\"", "\"sig\":\"00", 1),
        16 => text.replacen('{', "{\"x\":\"\\ud800\",", 1),
        _ => {
            let at = chance.below(bytes.len());
            bytes[at] ^= 1 << chance.below(8);
            return;
        }
    };
    *bytes = replaced.into_bytes();
}

fn upper_signature(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\"sig\":\"") else {
        return text.to_owned();
    };
    let (sig, after) = rest.split_once('"').unwrap();
    format!("{before}\"sig\":\"{}\"{after}", sig.to_uppercase())
}

/// The first signature once more.
fn twice(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\"signatures\":[{") else {
        return text.to_owned();
    };
    let (first, after) = rest.split_once('}').unwrap();
    format!("{before}\"signatures\":[{{{first}}},{{{first}}}{after}")
}
