//! Plans over every combination of facts.

use super::*;

fn all_facts() -> impl Iterator<Item = Facts> {
    let states = [
        ReleaseState::Known,
        ReleaseState::Fetching,
        ReleaseState::Staged,
        ReleaseState::Applying,
        ReleaseState::Good,
        ReleaseState::Failed,
    ];
    states.into_iter().flat_map(|state| {
        (0u32..1024).map(move |bits| {
            let bit = |at: u32| bits >> at & 1 == 1;
            Facts {
                content: ContentId([1; 32]),
                state,
                listed: bit(0),
                usable: bit(1),
                indexed: bit(2),
                complete: bit(3),
                commanded: bit(4),
                given_up: bit(5),
                pursued: bit(6),
                staging: bit(7),
                open: bit(8),
                stopped: bit(9),
            }
        })
    })
}

const POLICIES: [Policy; 3] = [
    Policy {
        automatic: true,
        origin: false,
    },
    Policy {
        automatic: false,
        origin: false,
    },
    Policy {
        automatic: false,
        origin: true,
    },
];

#[test]
fn nothing_is_staged_unless_listed_now_and_whole() {
    for policy in POLICIES {
        for facts in all_facts() {
            if plan(policy, [facts]) == [Step::Stage(facts.content)] {
                assert!(facts.listed && facts.usable && facts.indexed && facts.complete);
                assert!(!policy.origin && !facts.staging && !facts.stopped);
                assert_eq!(facts.state, ReleaseState::Fetching);
            }
        }
    }
}

/// T-26: whatever else is true of it.
#[test]
fn nothing_is_applied_unless_staged_and_approved_now() {
    for policy in POLICIES {
        for facts in all_facts() {
            if plan(policy, [facts]) == [Step::Apply(facts.content)] {
                assert!(facts.listed && facts.usable && facts.open && !facts.staging);
                assert_eq!(facts.state, ReleaseState::Staged);
                assert!(!policy.origin);
            }
        }
    }
}

#[test]
fn a_release_that_is_not_staged_says_what_it_waits_on() {
    let progress = Progress {
        held: 3,
        total: 7,
        lacks_source: false,
        no_room: false,
        installs_stopped: false,
    };
    for policy in &POLICIES[..2] {
        for facts in all_facts() {
            let waiting = waiting(*policy, &facts, &progress);
            assert_eq!(
                waiting.is_empty(),
                matches!(facts.state, ReleaseState::Staged | ReleaseState::Good),
                "{facts:?}"
            );
        }
    }
}

#[test]
fn a_given_up_release_is_fetched_by_command_only() {
    let facts = Facts {
        content: ContentId([1; 32]),
        state: ReleaseState::Known,
        listed: true,
        usable: true,
        indexed: true,
        complete: false,
        commanded: false,
        given_up: true,
        pursued: false,
        staging: false,
        open: true,
        stopped: false,
    };
    assert_eq!(plan(POLICIES[0], [facts]), []);
    let asked = Facts {
        given_up: false,
        commanded: true,
        ..facts
    };
    assert_eq!(plan(POLICIES[1], [asked]), [Step::Fetch(facts.content)]);
    assert_eq!(
        plan(
            POLICIES[1],
            [Facts {
                commanded: false,
                ..asked
            }]
        ),
        []
    );
}

/// T-27, T-29: a stop starts nothing, and ends a fetch.
#[test]
fn a_stopped_release_is_only_let_go_of() {
    for policy in POLICIES {
        for facts in all_facts().filter(|facts| facts.stopped) {
            let steps = plan(policy, [facts]);
            let ends = |step: &Step| matches!(step, Step::Forget(_) | Step::Halt(_));
            assert!(steps.iter().all(ends), "{facts:?}");
            let known = facts.listed || facts.staging;
            let goes_on = facts.pursued && known && facts.indexed && !policy.origin;
            assert_eq!(steps == [Step::Halt(facts.content)], goes_on, "{facts:?}");
        }
    }
}
