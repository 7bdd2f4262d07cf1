//! Whether two writings name one account to a server.

/// A writing that is the same for whatever a server could take for one name: letters of either case,
/// blanks, and characters of a distinguished name written as their numbers.
pub fn one_writing(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let number = (byte == b'\\')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match number {
            Some(number) => {
                bytes.push(number);
                rest = after.get(2..).unwrap_or_default();
            }
            None if byte == b'\\' || byte == b'"' => {}
            None => bytes.push(byte),
        }
    }
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::one_writing;

    #[test]
    fn what_a_server_takes_for_one_name_is_written_one_way() {
        let name = "uid=eve,ou=people,dc=example";
        for same in [
            "UID=eve,ou=people,dc=example",
            "uid=Eve, ou=people, dc=example",
            "uid = eve,ou=people,dc=example ",
            "uid=\\65ve,ou=people,dc=example",
            "uid=\"eve\",ou=people,dc=example",
        ] {
            assert_eq!(one_writing(same), one_writing(name), "{same}");
        }
        for other in [
            "uid=eva,ou=people,dc=example",
            "uid=eve,ou=staff,dc=example",
        ] {
            assert_ne!(one_writing(other), one_writing(name), "{other}");
        }
    }
}
