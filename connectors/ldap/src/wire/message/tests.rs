use super::*;

/// An element with this tag and content.
fn of(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

fn message(operation: &[u8], more: &[u8]) -> Vec<u8> {
    of(SEQUENCE, &[&of(INTEGER, &[7]), operation, more].concat())
}

fn result(tag: u8, more: &[u8]) -> Vec<u8> {
    let parts = [
        &of(ENUMERATED, &[0])[..],
        &of(TEXT, b""),
        &of(TEXT, b""),
        more,
    ]
    .concat();
    of(tag, &parts)
}

fn entry_with(attributes: &[u8]) -> Vec<u8> {
    let parts = [of(TEXT, b"o=x"), of(SEQUENCE, attributes)].concat();
    of(0x64, &parts)
}

fn control(parts: &[u8]) -> Vec<u8> {
    of(0xa0, &of(SEQUENCE, parts))
}

#[track_caller]
fn sound(mut bytes: Vec<u8>) -> Message {
    let whole = length(&bytes, usize::MAX).unwrap().unwrap();
    assert_eq!(whole, bytes.len());
    check(&mut bytes).unwrap()
}

#[track_caller]
fn unsound(mut bytes: Vec<u8>) {
    assert!(check(&mut bytes).is_err(), "{bytes:?} was taken");
}

#[test]
fn answers_as_directories_give_them_are_sound() {
    let members = of(SET, &[of(TEXT, b"a"), of(TEXT, b"\xff")].concat());
    let attribute = of(SEQUENCE, &[of(TEXT, b"member"), members].concat());
    let found = sound(message(&entry_with(&attribute), b""));
    assert_eq!((found.id, found.operation), (7, Operation::Entry));
    sound(message(&entry_with(b""), b""));
    let paged = [of(TEXT, b"1.2.3"), of(TEXT, b"\x30\x00")].concat();
    let done = sound(message(&result(0x65, b""), &control(&paged)));
    assert_eq!(
        (done.operation, done.result),
        (Operation::SearchDone, Some(0))
    );
    let flagged = [of(TEXT, b"1.2.3"), of(BOOLEAN, &[0xff]), of(TEXT, b"v")].concat();
    sound(message(&result(0x65, b""), &control(&flagged)));
    sound(message(&result(0x65, b""), &control(&of(TEXT, b"1.2.3"))));
    sound(message(
        &result(0x61, &of(0xa3, &of(TEXT, b"ldap://h"))),
        b"",
    ));
    sound(message(
        &result(0x78, &[of(0x8a, b"1.2"), of(0x8b, b"v")].concat()),
        b"",
    ));
    sound(message(&result(0x78, b""), &of(0x8a, b"1.2.3")));
    sound(message(&of(0x73, &of(TEXT, b"ldap://h")), b""));
    sound(message(
        &of(0x79, &[of(0x80, b"1.2"), of(0x81, b"v")].concat()),
        b"",
    ));
}

#[test]
fn whatever_the_client_would_stumble_over_is_unsound() {
    let code = of(ENUMERATED, &[0]);
    for parts in [
        vec![],
        code.clone(),
        [code.clone(), of(TEXT, b"")].concat(),
        [of(ENUMERATED, &[]), of(TEXT, b""), of(TEXT, b"")].concat(),
        [of(INTEGER, &[0]), of(TEXT, b""), of(TEXT, b"")].concat(),
        [code.clone(), of(SEQUENCE, b""), of(TEXT, b"")].concat(),
    ] {
        unsound(message(&of(0x65, &parts), b""));
    }
    unsound(message(&result(0x65, &of(0xa3, &of(SEQUENCE, b""))), b""));
    unsound(message(&result(0x65, &of(0xbf, b"")), b""));
    for broken in [
        of(0xa0, &of(SEQUENCE, b"")),
        of(0xa0, &of(TEXT, b"1.2.3")),
        of(0x80, b""),
        control(&[of(TEXT, b"1"), of(BOOLEAN, b"")].concat()),
        control(&[of(TEXT, b"1"), of(SEQUENCE, b"")].concat()),
        control(&[of(TEXT, b"1"), of(TEXT, b""), of(TEXT, b"")].concat()),
    ] {
        unsound(message(&result(0x65, b""), &broken));
    }
    unsound(of(SEQUENCE, b""));
    unsound(of(SEQUENCE, &of(INTEGER, &[1])));
    unsound(of(
        SEQUENCE,
        &[of(INTEGER, &[]), result(0x65, b"")].concat(),
    ));
    unsound(message(&of(0x60, b""), b""));
    unsound(message(
        &result(0x65, b""),
        &[control(b""), control(b"")].concat(),
    ));
    let value_of_values = of(SET, &of(SET, b""));
    let attribute = of(SEQUENCE, &[of(TEXT, b"a"), value_of_values].concat());
    unsound(message(&entry_with(&attribute), b""));
    // a part that claims to be longer than what holds it
    unsound(vec![SEQUENCE, 4, INTEGER, 1, 7, 0x65, 0x05]);
    // a part without a length
    unsound(vec![SEQUENCE, 6, INTEGER, 1, 7, 0x65, 0x80, 0]);
}

#[test]
fn depth_is_looked_at_before_it_is_walked_into() {
    let mut deep = Vec::new();
    for _ in 0..5 {
        deep = of(SEQUENCE, &deep);
    }
    assert!(is_shallow(&deep, 5));
    assert!(!is_shallow(&deep, 4));
    let endless = [SEQUENCE, 0x80].repeat(1_000_000);
    assert!(!is_shallow(&endless, 5));
    assert!(is_shallow(b"", 0));
    assert!(!is_shallow(&[TEXT, 2, 0], 0), "cut short");
}

#[test]
fn a_length_is_believed_only_within_bounds() {
    assert_eq!(length(&[], 9), Ok(None));
    assert_eq!(length(&[0x30], 9), Ok(None));
    assert_eq!(length(&[0x30, 0x82, 1], 9_000), Ok(None));
    assert_eq!(length(&[0x30, 7], 9), Ok(Some(9)));
    for odd in [
        &[0x30, 8][..],
        &[0x16, 3, 1],
        &[0x30, 0x80],
        &[0x30, 0xff],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ] {
        assert!(length(odd, 9).is_err(), "{odd:?}");
    }
}

#[test]
fn words_that_are_not_text_become_legible() {
    let mut bytes = message(
        &of(
            0x61,
            &[of(ENUMERATED, &[49]), of(TEXT, b""), of(TEXT, b"g\xfcltig")].concat(),
        ),
        b"",
    );
    assert_eq!(check(&mut bytes).unwrap().result, Some(49));
    assert!(bytes.ends_with(b"g?ltig"));
}
