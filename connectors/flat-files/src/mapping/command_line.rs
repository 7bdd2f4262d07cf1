//! `--map id=user_id,display_name=employee_name` as settings.

use crate::error::config;
use lastkey_contract::{ConnectorError, Kind};

/// The settings that a `--map` text stands for, in its order.
///
/// Parts are separated by commas; a part in double quotes may hold commas (`""` is a quote).
/// `COLUMN=header` renames, `COLUMN==value` fixes, `COLUMN.FROM=TO` replaces a value; a file's
/// name first (`accounts.id=login`) says which file of a folder is meant.
pub fn parse_cli(text: &str) -> Result<Vec<(String, String)>, ConnectorError> {
    let mut out = Vec::new();
    for part in split(text)? {
        let Some((key, value)) = part.split_once('=') else {
            return Err(config(
                format!("`{part}` in --map has no `=`"),
                "write --map id=user_id,display_name=employee_name",
            ));
        };
        let key = key.trim();
        if key.is_empty() || value.is_empty() {
            return Err(config(
                format!("`{part}` in --map names no column or no header"),
                "write --map id=user_id,display_name=employee_name",
            ));
        }
        let column = match key.split_once('.') {
            Some((file, rest)) if Kind::ALL.iter().any(|k| k.plural() == file) => rest,
            Some(_) | None => key,
        };
        let family = if column.contains('.') { "value" } else { "map" };
        out.push((format!("{family}.{key}"), value.to_owned()));
    }
    Ok(out)
}

fn split(text: &str) -> Result<Vec<String>, ConnectorError> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted, parts.last_mut()) {
            ('"', true, Some(part)) if chars.peek() == Some(&'"') => {
                chars.next();
                part.push('"');
            }
            ('"', _, _) => quoted = !quoted,
            (',', false, _) => parts.push(String::new()),
            (c, _, Some(part)) => part.push(c),
            (_, _, None) => {}
        }
    }
    if quoted {
        return Err(config(
            "a quote in --map is opened and not closed".to_owned(),
            "write --map 'display_name=\"Name, full\"'",
        ));
    }
    Ok(parts.into_iter().filter(|p| !p.trim().is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let got = parse_cli(text).unwrap();
        let got: Vec<_> = got.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(got, expected, "`{text}`");
    }

    #[test]
    fn a_map_text_becomes_settings() {
        check("", &[]);
        check(
            "id=user_id,display_name=employee_name",
            &[("map.id", "user_id"), ("map.display_name", "employee_name")],
        );
        check("kind==vendor", &[("map.kind", "=vendor")]);
        check(
            "status.On leave=on_leave",
            &[("value.status.On leave", "on_leave")],
        );
        check("accounts.id=login", &[("map.accounts.id", "login")]);
        check(
            "display_name=\"Name, full\"",
            &[("map.display_name", "Name, full")],
        );
    }

    #[test]
    fn a_map_text_that_says_nothing_is_refused() {
        for text in ["id", "=user", "id=", "id=\"x"] {
            let error = parse_cli(text).unwrap_err();
            assert!(error.hint.is_some(), "`{text}`: {error}");
        }
    }
}
