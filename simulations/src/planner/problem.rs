//! What is wrong with a scenario: where, what, and what to do about it.

use std::fmt;
use std::sync::Arc;

/// One error in a scenario, or in a file that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File, or `command line`.
    pub file: String,
    /// Line, from 1; 0 where there is none.
    pub line: usize,
    /// Key path or column, such as `site_class.wan.down`; may be empty.
    pub place: String,
    /// What is wrong.
    pub says: String,
    /// What to do.
    pub hint: String,
}

impl Problem {
    /// An error without a line.
    pub fn new(file: &str, says: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            place: String::new(),
            says: says.into(),
            hint: hint.into(),
        }
    }
}

/// Where something is said: file, and line from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// File.
    pub file: Arc<str>,
    /// Line.
    pub line: usize,
}

impl Said {
    /// An error there.
    pub fn problem(&self, says: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem {
            line: self.line,
            ..Problem::new(&self.file, says, hint)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.place.is_empty() {
            write!(f, ": {}", self.place)?;
        }
        write!(f, ": {}", self.says)?;
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// The known word that is nearest to a wrong one, if one is near enough to be
/// a slip.
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let best = known
        .iter()
        .map(|word| (distance(wrong, word), *word))
        .min();
    best.filter(|(far, word)| *far <= 1 + word.len() / 3)
        .map(|(_, word)| word)
}

/// Edit distance with swaps of neighbours counted as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_word_and_nonsense_finds_none() {
        let known = ["down", "loss", "price", "quota", "rtt", "up"];
        assert_eq!(nearest("dwon", &known), Some("down"));
        assert_eq!(nearest("prise", &known), Some("price"));
        assert_eq!(nearest("bandwidth", &known), None);
    }
}
