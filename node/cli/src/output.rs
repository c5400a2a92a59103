//! The two streams: data on stdout, everything said to people on stderr.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::args::global::{Color, Global};
use crate::failure::Failure;
use crate::lines::read_line;

/// How and where to write.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch")]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
    color: bool,
    input: bool,
}

/// The meaning of a coloured word; colour never carries it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something added, or in order.
    Good,
    /// Something removed, or refused.
    Bad,
}

impl Output {
    /// As the options and the environment ask.
    pub(crate) fn new(global: &Global) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = match global.color {
            Color::Always => true,
            Color::Auto => io::stderr().is_terminal() && !dumb && !set("NO_COLOR"),
            Color::Never => false,
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            color,
            input: !global.no_input,
        }
    }

    /// For what must be said before the options are known.
    pub(crate) fn plain_json() -> Self {
        Self {
            json: true,
            quiet: true,
            verbose: false,
            color: false,
            input: false,
        }
    }

    /// Whether data is written as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether people may be asked.
    pub(crate) fn may_ask(&self) -> bool {
        self.input
    }

    /// Whether progress may be drawn over itself.
    pub(crate) fn has_bars(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.json && !self.quiet && !dumb && io::stderr().is_terminal()
    }

    /// One document: a JSON line that begins with its schema, or `text`.
    pub(crate) fn document<T: Serialize>(
        &self,
        schema: &str,
        body: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Document<'a, T> {
            schema: &'a str,
            #[serde(flatten)]
            body: &'a T,
        }
        let out = if self.json {
            let mut line = serde_json::to_string(&Document { schema, body })?;
            line.push('\n');
            line
        } else {
            text()
        };
        Self::raw(out.as_bytes())
    }

    /// One JSON value that names its schema itself, or `text`.
    pub(crate) fn line<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let out = if self.json {
            let mut line = serde_json::to_string(value)?;
            line.push('\n');
            line
        } else {
            text()
        };
        Self::raw(out.as_bytes())
    }

    /// Bytes to stdout as they are.
    pub(crate) fn raw(bytes: &[u8]) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()?;
        Ok(())
    }

    /// Says something to people, unless they asked for quiet.
    pub(crate) fn say(&self, text: impl Display) {
        if !self.quiet && !self.json {
            Self::tell(text);
        }
    }

    /// Says what only helps to find a fault.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.verbose {
            Self::tell(text);
        }
    }

    /// Says something that must be seen: a question, what is about to be signed.
    pub(crate) fn tell(text: impl Display) {
        // There is nowhere left to report that stderr is gone.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Asks on stderr; the answer is one line of stdin.
    pub(crate) fn ask(&self, question: &str) -> anyhow::Result<String> {
        if !self.input {
            return Err(Failure::usage("failed to ask: --no-input is set").into());
        }
        drop(write!(io::stderr().lock(), "{question}"));
        read_line(&mut io::stdin().lock()).map(|line| line.trim().to_owned())
    }

    /// A word in the colour of its meaning.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The end: one sentence for people, or the `exit_error` line.
    pub(crate) fn end(&self, failure: &Failure) {
        if self.json {
            Self::tell(failure.to_json());
            return;
        }
        let label = self.paint(Tone::Bad, "error");
        Self::tell(format!("{label}: {} [{}]", failure.message, failure.id));
        if !failure.hint.is_empty() {
            Self::tell(format!("hint: {}", failure.hint));
        }
    }
}
