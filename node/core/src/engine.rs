//! The one door of the core: translates inputs into events of the machines and
//! their actions into outputs. See the crate's contract.

use std::collections::VecDeque;

use patchmesh_trust::refusal::Refusal;
use patchmesh_trust::state::Verifier;

use crate::config::Config;
use crate::input::Input;
use crate::output::Output;
use crate::record::Restored;
use crate::rng::Seed;
use crate::time::Now;
use crate::view::View;

/// Why an engine did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The anchor is not a root document that verifies by its own keys.
    #[error("failed to adopt the anchor root: {0}")]
    Anchor(Refusal),
}

/// One node's decisions.
#[derive(Debug)]
pub struct Engine {
    verifier: Verifier,
    outputs: VecDeque<Output>,
    drained: bool,
    now: Now,
}

impl Engine {
    /// A node with its settings, the root document that it trusts first, and
    /// what its store kept. Drain the outputs before the first `handle`.
    pub fn new(
        config: Config,
        anchor: &[u8],
        restored: Restored,
        seed: Seed,
        now: Now,
    ) -> Result<Self, StartError> {
        let verifier = Verifier::new(anchor, &config.lines).map_err(StartError::Anchor)?;
        drop((restored, seed));
        Ok(Self {
            verifier,
            outputs: VecDeque::new(),
            drained: false,
            now,
        })
    }

    /// Takes one event. Panics if the outputs of the one before were not
    /// drained, or if the monotonic clock went back: bugs of the driver.
    pub fn handle(&mut self, input: Input, now: Now) {
        assert!(self.drained, "poll until Wait before the next handle");
        assert!(now.mono >= self.now.mono, "the monotonic clock went back");
        self.drained = false;
        self.now = now;
        drop(input);
    }

    /// The next order; `Output::Wait` ends a drain, and comes again if asked again.
    pub fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        self.drained = true;
        Output::Wait(None)
    }

    /// The state for people, at this moment.
    pub fn view(&self, now: Now) -> View {
        View {
            head: self.verifier.head(),
            trust: self.verifier.state(now.utc),
            peers: Vec::new(),
            releases: Vec::new(),
        }
    }
}
