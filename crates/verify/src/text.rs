//! Text of others on its way to a person: what cannot be seen is shown as an escape.

/// The text with control characters, bidi overrides and zero-width characters written as `\u{…}`.
/// A backslash that stands before `u{` is doubled, so that the escape cannot be imitated.
pub fn visible(text: &str) -> String {
    if !text.chars().any(|c| hidden(c) || c == '\\') {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if hidden(c) {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else if c == '\\' && rest.peek() == Some(&'u') {
            shown.push_str("\\\\");
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A line of a text that a program reads again, such as a plan or a policy: what a terminal would act on
/// is written as `\u{…}`; tabs and backslashes stay as they are, or it would mean something else.
pub fn visible_source(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => shown.push(c),
            c if hidden(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// The cell of a CSV file for a text of others: what cannot be seen is written as `\u{…}`, and an
/// apostrophe stands before what a spreadsheet would take for a formula, or for such an apostrophe.
pub fn cell(text: &str) -> String {
    let shown = visible(text);
    match shown.chars().next() {
        Some('=' | '+' | '-' | '@' | '\'' | '|' | '%' | '＝' | '＋' | '－' | '＠') => {
            format!("'{shown}")
        }
        Some(_) | None => shown,
    }
}

/// Whether a terminal or a spreadsheet would act on the character instead of showing it.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{cell, visible, visible_source};

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let cases = [
            ("Zoë Müller 李", "Zoë Müller 李"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("a\\u{202e}b", "a\\\\u{202e}b"),
            ("C:\\keys", "C:\\keys"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn what_is_read_again_keeps_its_escapes() {
        let cases = [
            ("x == \"a\\u{a}b\"", "x == \"a\\u{a}b\""),
            ("\twithin = \"1h\"", "\twithin = \"1h\""),
            ("\u{1b}[2J\u{202e}", "\\u{1b}[2J\\u{202e}"),
        ];
        for (line, shown) in cases {
            assert_eq!(visible_source(line), shown);
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_every_cell_reads_back() {
        let cases = [
            ("Ann", "Ann"),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-cmd", "'-cmd"),
            ("@sum", "'@sum"),
            ("'=x", "''=x"),
            ("\t=1", "\\u{9}=1"),
            ("\r=1", "\\u{d}=1"),
            ("a=b", "a=b"),
            ("\u{202e}=1", "\\u{202e}=1"),
            ("007", "007"),
            ("", ""),
        ];
        for (text, shown) in cases {
            assert_eq!(cell(text), shown, "{text:?}");
        }
    }
}
