//! Foreign text made harmless for a terminal, a log and a signer's eyes.

/// Foreign text with control characters, line separators and bidirectional
/// overrides escaped, so that it cannot move the cursor or reorder a line.
pub fn safe(text: &str) -> String {
    let escaped = |c: char| c.is_control() || is_deceptive(c);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Format characters that change direction or hide: invisible to a signer.
fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidirectional_characters_are_shown_as_escapes() {
        let hostile = "KB-1\u{1b}[2J\r\u{202e}gpj.exe\u{200b}\u{feff}\u{e0041}";
        let shown = safe(hostile);
        assert_eq!(
            shown,
            "KB-1\\u{1b}[2J\\u{d}\\u{202e}gpj.exe\\u{200b}\\u{feff}\\u{e0041}"
        );
        assert_eq!(safe("Ünïcode ß 漢字"), "Ünïcode ß 漢字");
    }
}
