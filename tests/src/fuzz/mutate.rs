//! Changed inputs: a few edits of one that is kept, the same ones in every run.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Longest input that is changed; longer ones are only replayed.
const LEN_MAX: usize = 64 * 1024;
/// Edits of one input.
const EDITS_MAX: usize = 4;
/// Most bytes that one edit adds or takes.
const EDIT_LEN_MAX: usize = 16;

/// One change.
#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
    Repeat(Index, usize),
}

/// Runs a target over changed inputs.
///
/// # Panics
/// If the target does, with the smallest change that makes it.
pub fn run(target: fn(&[u8]), inputs: &[Vec<u8>], cases: u32) {
    let short: Vec<_> = inputs
        .iter()
        .filter(|input| input.len() <= LEN_MAX)
        .cloned()
        .collect();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[42; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let changed = (select(short), vec(edit(), 1..=EDITS_MAX));
    let ran = runner.run(&changed, |(mut input, edits)| {
        for edit in &edits {
            apply(&mut input, edit);
        }
        target(&input);
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), vec(any::<u8>(), 1..=EDIT_LEN_MAX))
            .prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<Index>(), 1..=EDIT_LEN_MAX).prop_map(|(at, len)| Edit::Remove(at, len)),
        any::<Index>().prop_map(Edit::Truncate),
        (any::<Index>(), 1..=EDIT_LEN_MAX).prop_map(|(at, len)| Edit::Repeat(at, len)),
    ]
}

fn apply(input: &mut Vec<u8>, edit: &Edit) {
    let len = input.len();
    let place = |at: &Index| at.index(len.max(1)).min(len);
    let range = |at: &Index, take: usize| place(at)..(place(at) + take).min(len);
    match edit {
        Edit::Flip(at, bit) => {
            if let Some(byte) = input.get_mut(place(at)) {
                *byte ^= 1 << bit;
            }
        }
        Edit::Set(at, new) => {
            if let Some(byte) = input.get_mut(place(at)) {
                *byte = *new;
            }
        }
        Edit::Insert(at, bytes) => {
            let at = place(at);
            input.splice(at..at, bytes.iter().copied());
        }
        Edit::Remove(at, take) => drop(input.drain(range(at, *take))),
        Edit::Truncate(at) => input.truncate(place(at)),
        Edit::Repeat(at, take) => {
            let range = range(at, *take);
            let bytes = input[range.clone()].to_vec();
            input.splice(range.start..range.start, bytes);
        }
    }
}
