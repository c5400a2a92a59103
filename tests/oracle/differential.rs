//! Changed documents for two verifiers: what one accepts and the other refuses
//! is a finding, unless it is on the list.

use std::collections::BTreeMap;
use std::fmt;

use crate::allowed::{ALLOWED, Allowed, Case, Refuses};
use crate::chance::Chance;
use crate::change;
use crate::world::{Both, Kind, ORDER, Pins, Publication, Verdicts};

/// Changed documents in a normal run, and with `PATCHMESH_LONG=1`.
const CASES: [u64; 2] = [1_000, 100_000];

/// What came of all cases.
#[derive(Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    allowed: BTreeMap<&'static str, u64>,
    /// Differences that no rule allows: seed, verdicts of ours and theirs, text.
    findings: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accepted,
            refused,
            allowed,
            findings,
        } = self;
        write!(
            f,
            "both accept {accepted}, both refuse {refused}, allowed {allowed:?}, "
        )?;
        write!(f, "findings {}", findings.len())
    }
}

/// One update with one changed document. Gives the changed bytes, whether both
/// accepted everything, and the first verdicts that differ.
fn run(start: &Both, pins: Pins, seed: u64) -> (Vec<u8>, bool, Option<(Kind, Verdicts)>) {
    let mut chance = Chance(seed);
    let mut publication = Publication::new(3, 2, pins);
    let at = chance.below(ORDER.len());
    if chance.percent(75) {
        change::of_value(&mut publication.0[at], &mut chance);
    }
    let mut changed = publication.0[at].bytes();
    if chance.percent(40) {
        change::of_text(&mut changed, &mut chance);
    }
    let mut both = start.clone();
    // A new root makes theirs forget what it held, so the others go without.
    let first = usize::from(at > 0);
    for (number, kind) in ORDER.into_iter().enumerate().skip(first) {
        let honest = publication.0[number].bytes();
        let bytes = if number == at { &changed } else { &honest };
        let verdicts = both.give(kind, bytes);
        match (verdicts[0].is_ok(), verdicts[1].is_ok()) {
            (true, true) => {}
            (false, false) => return (changed, false, None),
            _ => return (changed, false, Some((kind, verdicts))),
        }
    }
    (changed, true, None)
}

fn compare(seeds: impl Iterator<Item = u64>) -> Tally {
    let starts = [Pins::Version, Pins::Bytes].map(|pins| (Both::holding(pins), pins));
    let mut tally = Tally::default();
    for seed in seeds {
        let (start, pins) = &starts[usize::from(seed % 4 == 0)];
        let (changed, accepted, difference) = run(start, *pins, seed);
        let Some((kind, verdicts)) = difference else {
            *(if accepted {
                &mut tally.accepted
            } else {
                &mut tally.refused
            }) += 1;
            continue;
        };
        let who = if verdicts[0].is_err() {
            Refuses::Ours
        } else {
            Refuses::Theirs
        };
        let case = Case::read(&changed);
        let rule = case.and_then(|case| Allowed::find(&case, who));
        if let Some(rule) = rule {
            *tally.allowed.entry(rule.name).or_default() += 1;
        } else {
            let text = String::from_utf8_lossy(&changed);
            let finding = format!("seed {seed}, {kind:?}: {verdicts:?}\n{text}");
            tally.findings.push(finding);
        }
    }
    tally
}

#[test]
fn changed_documents_get_the_same_verdict_from_another_verifier() {
    let long = std::env::var_os("PATCHMESH_LONG").is_some_and(|value| value == "1");
    let cases = CASES[usize::from(long)];
    let tally = compare(0..cases);
    println!("{cases} changed documents: {tally}");
    let findings = &tally.findings;
    assert!(
        findings.is_empty(),
        "{}:\n{}",
        findings.len(),
        findings.join("\n")
    );
    let both = tally.accepted + tally.refused;
    assert_eq!(both + tally.allowed.values().sum::<u64>(), cases);
    assert!(
        tally.accepted > cases / 20,
        "changes that change nothing bad: {tally}"
    );
    assert!(tally.refused > cases / 4, "changes that do: {tally}");
    for rule in &ALLOWED {
        assert!(!rule.reason.is_empty());
        let met = tally.allowed.contains_key(rule.name);
        assert!(
            met || !long,
            "{} never happens: take it off the list",
            rule.name
        );
    }
}
