//! Distinguished names compared as directories compare them: without case and extra spaces,
//! with escapes undone and the parts of a multi-valued RDN in any order (RFC 4514).

use unicode_normalization::UnicodeNormalization as _;

/// The comparable form of a DN. Text that is no DN compares as itself in lower case.
pub fn normal(dn: &str) -> String {
    let mut out = String::with_capacity(dn.len());
    normal_into(dn, &mut out);
    out
}

/// [`normal`], into a text that is used again and again.
pub fn normal_into(dn: &str, out: &mut String) {
    out.clear();
    if is_plain(dn) {
        out.push_str(dn);
        out.make_ascii_lowercase();
        return;
    }
    for (place, rdn) in split(dn, &[',', ';']).into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let mut parts: Vec<String> = split(&rdn, &['+']).iter().map(|p| part(p)).collect();
        parts.sort();
        out.push_str(&parts.join("+"));
    }
}

/// Whether a DN compares as its lower case: no escape, no quote, no second part in an RDN, no
/// space that could be left out, nothing outside ASCII. Nearly every DN is like that.
fn is_plain(dn: &str) -> bool {
    let mut before = b',';
    for byte in dn.bytes() {
        let odd = match byte {
            b'\\' | b'"' | b'+' | b';' | b'#' | b'<' | b'>' => true,
            b' ' => matches!(before, b' ' | b',' | b'='),
            b',' | b'=' => before == b' ',
            other => !other.is_ascii_graphic(),
        };
        if odd {
            return false;
        }
        before = byte;
    }
    before != b' '
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
    let value = match value.trim().strip_prefix('#').map(from_ber) {
        Some(Some(decoded)) => folded(&decoded),
        Some(None) | None => folded(&unescaped(value)),
    };
    let mut out = format!("{}=", name.trim().to_lowercase());
    for c in value.chars() {
        // what would be taken for structure; everything else stands for itself
        if matches!(c, ',' | '+' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text in `#04024869`: a short string in BER, as hexadecimal digits.
fn from_ber(hex: &str) -> Option<String> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |sum, d| sum << 4 | d))
        .collect();
    let (tag, length, content) = match bytes.as_slice() {
        [tag, length, content @ ..] => (*tag, usize::from(*length), content),
        _ => return None,
    };
    // octet, UTF-8, printable, teletex and IA5 strings
    let text = matches!(tag, 0x04 | 0x0c | 0x13 | 0x14 | 0x16);
    if !text || length != content.len() || digits.len() % 2 != 0 {
        return None;
    }
    String::from_utf8(content.to_vec()).ok()
}

/// Undoes escapes and quotes.
fn unescaped(value: &str) -> String {
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let mut bytes: Vec<u8> = Vec::with_capacity(value.len());
    let mut chars = inner.unwrap_or(value).chars().peekable();
    while let Some(c) = chars.next() {
        let mut utf8 = [0u8; 4];
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
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
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As directories prepare a value for comparing: one form for each character, without case,
/// runs of spaces as one, none at the ends (RFC 4518).
fn folded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.nfkc().flat_map(char::to_lowercase) {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out.trim_matches(' ').to_owned()
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
        same("cn=\\20ends\\20,dc=x", "cn=ends,dc=x");
        same("cn=#04024869,dc=x", "CN=hi,dc=x");
        same("cn=\\#04024869,dc=x", "cn=\\2304024869,dc=x");
        same("cn=Zoe\u{308},dc=x", "cn=zo\u{eb},dc=x");
        same("cn=a=b,dc=x", "cn=a\\3db, dc=x");
        same("cn=\"a,b\",dc=x", "cn=a\\,b;dc=x");
        let long = "x".repeat(5_000);
        same(&format!("cn={long},dc=x"), &format!("cn={long} , DC=x"));
        differ("cn=#04024869,dc=x", "cn=\\#04024869,dc=x");
        differ("cn=a\\,b,dc=x", "cn=a,b=dc,dc=x");
        differ("uid=ann,dc=x", "uid=ann,dc=y");
        differ("cn=a\\+uid=b,dc=x", "cn=a+uid=b,dc=x");
        assert_eq!(normal(""), "");
        assert_eq!(without_uid("cn=a,dc=x#'0101'B"), "cn=a,dc=x");
        assert_eq!(without_uid("cn=a#b,dc=x"), "cn=a#b,dc=x");
    }
}
