//! Distinguished names compared as directories compare them: without case and extra spaces,
//! with escapes undone and the parts of a multi-valued RDN in any order (RFC 4514).

/// The comparable form of a DN. Text that is no DN compares as itself in lower case.
pub fn normal(dn: &str) -> String {
    split(dn, &[',', ';'])
        .into_iter()
        .map(|rdn| {
            let mut parts: Vec<String> = split(&rdn, &['+']).iter().map(|p| part(p)).collect();
            parts.sort();
            parts.join("\u{1e}")
        })
        .collect::<Vec<_>>()
        .join("\u{1f}")
}

/// A uniqueMember value without its optional `#'…'B` at the end.
pub fn without_uid(value: &str) -> &str {
    match value.rsplit_once('#') {
        Some((dn, uid)) if uid.starts_with('\'') && uid.ends_with("'B") => dn,
        Some(_) | None => value,
    }
}

/// Splits at separators that are neither escaped nor quoted; escapes stay in place.
fn split(text: &str, separators: &[char]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        if !quoted && separators.contains(&c) {
            parts.push(String::new());
            continue;
        }
        if c == '"' {
            quoted = !quoted;
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
            if c == '\\' {
                last.extend(chars.next());
            }
        }
    }
    parts
}

/// One `type=value` in comparable form.
fn part(text: &str) -> String {
    let Some((name, value)) = text.split_once('=') else {
        return text.trim().to_lowercase();
    };
    format!(
        "{}={}",
        name.trim().to_lowercase(),
        folded(&unescaped(value))
    )
}

/// Undoes escapes and quotes; spaces at the ends go unless they are escaped.
fn unescaped(value: &str) -> String {
    let mut bytes: Vec<u8> = Vec::with_capacity(value.len());
    let mut rest = value.trim_start();
    let inner = rest
        .trim_end()
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'));
    rest = inner.unwrap_or(rest);
    let mut kept = 0;
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        let mut utf8 = [0u8; 4];
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            if c != ' ' || inner.is_some() {
                kept = bytes.len();
            }
            continue;
        }
        let Some(first) = chars.next() else { break };
        match (
            first.to_digit(16),
            chars.peek().and_then(|c| c.to_digit(16)),
        ) {
            (Some(high), Some(low)) => {
                chars.next();
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            }
            _ => bytes.extend_from_slice(first.encode_utf8(&mut utf8).as_bytes()),
        }
        kept = bytes.len();
    }
    bytes.truncate(kept);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Without case, and runs of spaces as one.
fn folded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars().flat_map(char::to_lowercase) {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(a: &str, b: &str) {
        assert_eq!(normal(a), normal(b), "`{a}` and `{b}` are one entry");
    }

    #[track_caller]
    fn differ(a: &str, b: &str) {
        assert_ne!(normal(a), normal(b), "`{a}` and `{b}` are two entries");
    }

    #[test]
    fn names_are_compared_as_directories_do() {
        same("uid=ann,dc=x", "UID=Ann, DC=X");
        same("cn=Lee\\, Ann,dc=x", "cn=Lee\\2c Ann,dc=x");
        same("cn=Lee\\, Ann,dc=x", "cn=\"Lee, Ann\",dc=x");
        same("cn=a+uid=b,dc=x", "uid=B + cn=A,dc=x");
        same("cn=Zo\\C3\\AB,dc=x", "cn=Zo\u{eb},dc=x");
        same("cn=two  spaces,dc=x", "cn=two spaces ,dc=x");
        differ("cn=a\\,b,dc=x", "cn=a,b=dc,dc=x");
        differ("uid=ann,dc=x", "uid=ann,dc=y");
        differ("cn=a\\+uid=b,dc=x", "cn=a+uid=b,dc=x");
        assert_eq!(normal(""), "");
        assert_eq!(without_uid("cn=a,dc=x#'0101'B"), "cn=a,dc=x");
        assert_eq!(without_uid("cn=a#b,dc=x"), "cn=a#b,dc=x");
    }
}
