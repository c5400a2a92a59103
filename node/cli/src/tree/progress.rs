//! Progress in bytes: a bar on a terminal, else a line each 10 seconds.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Output;
use crate::text::bytes;

/// Time between two lines where bars cannot be drawn.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// One count that goes up.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    output: &'a Output,
    what: String,
    bar: Option<ProgressBar>,
    done: u64,
    total: u64,
    said: Instant,
}

impl<'a> Progress<'a> {
    /// Begins at 0 of `total` bytes.
    pub(crate) fn begin(output: &'a Output, what: &str, total: u64) -> Self {
        let bar = output.has_bars().then(|| {
            let template = "{msg} [{bar:30}] {bytes} of {total_bytes}, {eta} left";
            let style = ProgressStyle::with_template(template)
                .expect("a fixed template is tested by each run on a terminal");
            let bar = ProgressBar::new(total).with_style(style);
            bar.set_message(what.to_owned());
            bar
        });
        Self {
            output,
            what: what.to_owned(),
            bar,
            done: 0,
            total,
            said: Instant::now(),
        }
    }

    /// Goes up.
    pub(crate) fn add(&mut self, more: u64) {
        self.set(self.done.saturating_add(more), self.total);
    }

    /// Stands at a count of a total that may have become known later.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        self.done = done;
        self.total = total;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        } else if self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            let line = format!("{}: {} of {}", self.what, bytes(done), bytes(total));
            self.output.say(line);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
