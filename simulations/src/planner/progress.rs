//! How far a run is, for people: a bar that is drawn again in its place on a terminal,
//! else a line for each quarter.

use std::io::{self, Write};

/// How every bar begins.
const BEGINS: &str = "engine: [";
/// Cells of a bar.
const CELLS: usize = 40;

/// A bar, if so many being done of all adds a cell to it.
pub fn bar(done: usize, all: usize) -> Option<String> {
    let cells = |done: usize| done * CELLS / all.max(1);
    let now = cells(done);
    (done > 0 && now > cells(done - 1) || done == all).then(|| {
        let (full, empty) = ("#".repeat(now), ".".repeat(CELLS - now));
        format!("{BEGINS}{full}{empty}] {done} of {all} sites")
    })
}

/// Shows a message, or draws a bar.
///
/// # Errors
/// Where `out` cannot be written.
pub fn show(line: &str, terminal: bool, out: &mut dyn Write) -> io::Result<()> {
    let Some(cells) = line.strip_prefix(BEGINS) else {
        return writeln!(out, "{line}");
    };
    let full = cells.bytes().take_while(|byte| *byte == b'#').count();
    if terminal {
        let end = if full == CELLS { "\n" } else { "" };
        write!(out, "\r\u{1b}[K{line}{end}")
    } else if full > 0 && full.is_multiple_of(CELLS / 4) {
        writeln!(out, "{line}")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_one_line_and_a_file_four() {
        let bars: Vec<String> = (0..=1000).filter_map(|done| bar(done, 1000)).collect();
        assert_eq!(bars.len(), CELLS);
        assert!(bars[39].ends_with("#] 1000 of 1000 sites"), "{}", bars[39]);
        assert_eq!(bar(1, 1).map(|bar| bar.matches('#').count()), Some(CELLS));
        let shown = |terminal| {
            let mut out = Vec::new();
            for line in bars.iter().map(String::as_str).chain(["done"]) {
                show(line, terminal, &mut out).unwrap();
            }
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(true).lines().count(), 2);
        assert_eq!(shown(true).matches('\r').count(), CELLS);
        assert_eq!(shown(false).lines().count(), 5);
    }
}
