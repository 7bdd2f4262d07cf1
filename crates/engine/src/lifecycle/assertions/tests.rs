//! What a text may say, and what a wrong one is told; and how findings are judged.

use super::*;

#[track_caller]
fn wrong(text: &str, place: (u32, u32), message: &str) {
    let error = Assertion::parse_all(text).unwrap_err();
    assert_eq!((error.line, error.column), place, "{error:?}");
    assert!(error.message.contains(message), "{error:?}");
    assert!(error.hint.is_some(), "what was meant: {error:?}");
}

#[test]
fn a_text_that_cannot_be_used_is_told_where_and_what_was_meant() {
    let of = |line: &str| format!("[[assertion]]\nname = \"n\"\n{line}\n");
    wrong("", (1, 1), "nothing is asserted");
    wrong(
        "[[asertion]]\nname = \"n\"\n",
        (1, 3),
        "unknown table `asertion`",
    );
    wrong(
        "[[assertion]]\nverdict = \"pass\"\n",
        (1, 1),
        "has no `name`",
    );
    wrong(&of(""), (1, 1), "does not say what must hold");
    wrong(&of("nothing_beyond = \"1 hour\""), (3, 18), "is not a time");
    wrong(
        &of("verdict = \"failed\""),
        (3, 11),
        "unknown word `failed`",
    );
    wrong(
        &of("verdict = \"indeterminate\""),
        (3, 11),
        "too little is known",
    );
    wrong(&of("systm = \"vault\""), (3, 1), "unknown key `systm`");
    wrong(
        &of("item_kind = \"role\"\nnothing_beyond = \"1h\""),
        (3, 13),
        "`role`",
    );
    wrong(&of("no_worse = true"), (3, 12), "needs `saved`");
    wrong(
        &of("saved = \"s\"\nno_worse = false"),
        (4, 12),
        "asserts nothing",
    );
    wrong(
        &of("saved = \"s\"\nno_worse = true\nsystem = \"a\""),
        (5, 10),
        "`saved`",
    );
    wrong(
        &of("verdict = \"pass\"\nsystem = \"a\""),
        (4, 10),
        "`verdict`",
    );
    wrong(
        &of("verdict = \"pass\"\nnothing_beyond = \"1h\""),
        (3, 11),
        "in one assertion",
    );
    let twice = of("verdict = \"pass\"").repeat(2);
    wrong(&twice, (5, 8), "in line 1 already");
}

#[test]
fn what_an_admin_writes_is_understood() {
    let text = "
[[assertion]]
name = \"third parties are out of the vault within an hour\"
third_party = true
system = \"vault\"
nothing_beyond = \"1h\"

[[assertion]]
name = \"no worse\"
saved = \"march\"
no_worse = true
";
    let all = Assertion::parse_all(text).unwrap();
    let who = Who {
        third_party: Some(true),
        ..Who::default()
    };
    let which = Which {
        system: Some("vault".to_owned()),
        ..Which::default()
    };
    let holds = Holds::NothingBeyond(TimeDelta::hours(1), which);
    assert_eq!(all[0].of, AssertedOf::Leavers { who, holds });
    assert_eq!((all[0].line, all[1].line), (2, 8));
}

#[track_caller]
fn judged(allow_empty: bool, findings: Findings, expected: Verdict) {
    let assertion = Assertion {
        name: "n".to_owned(),
        line: 1,
        of: AssertedOf::Leavers {
            who: Who::default(),
            holds: Holds::Verdict(Expected::Pass),
        },
        allow_empty,
    };
    let result = findings.clone().result(&assertion);
    assert_eq!(result.verdict, expected, "{findings:?}");
}

#[test]
fn unknown_is_no_pass_and_neither_is_nobody() {
    use Verdict::{Fail, Indeterminate, Pass};
    let of = |identities, maybe, surely, perhaps| Findings {
        identities,
        maybe,
        surely,
        perhaps,
        ..Findings::default()
    };
    judged(false, of(1, 0, 0, 0), Pass);
    judged(false, of(1, 0, 1, 5), Fail);
    judged(false, of(1, 0, 0, 1), Indeterminate);
    judged(false, of(0, 0, 0, 0), Indeterminate);
    judged(true, of(0, 0, 0, 0), Pass);
    judged(false, of(0, 3, 0, 0), Indeterminate);
    judged(true, of(0, 3, 0, 1), Indeterminate);
    let mut unread = of(1, 0, 0, 0);
    unread.miss(&["no source reads owners".to_owned()]);
    judged(false, unread.clone(), Indeterminate);
    let nobody = Findings {
        identities: 0,
        ..unread.clone()
    };
    judged(true, nobody, Indeterminate);
    // However much is missing, the first of it is named, and that there is more.
    let many: Vec<String> = (0..100).rev().map(|one| format!("fact {one:03}")).collect();
    unread.miss(&many);
    assert_eq!(unread.missing.len(), SHOWN);
    assert_eq!(unread.missing.first().unwrap(), "fact 000");
    assert!(unread.missing_more);
}
