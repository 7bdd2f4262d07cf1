//! Decisions as a spreadsheet gives them back.

use super::*;

#[test]
fn a_file_decides_what_is_marked_and_nothing_else() {
    let text = "\u{feff}decision,object_type,system,object_id,owner_id,role,why,basis\n\
        confirm,credential,corp,'=k1,p1,technical,asked,created by p1\n\
        ,credential,corp,k2,p1,technical,,\n\
        Reject,identity,,hr:wl-1,p2,business,,\n";
    let lines = decisions_from_csv(text).unwrap();
    let said: Vec<String> = lines
        .iter()
        .map(|l| {
            let verdict = l.rest.verdict.word();
            format!(
                "{verdict} {} {} {}",
                l.object.argument(),
                l.rest.owner,
                l.why
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "confirmed credential:corp:=k1 p1 asked",
            "rejected identity:hr:wl-1 p2 "
        ]
    );
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_its_line() {
    let head = "decision,object_type,system,object_id,owner_id,role\n";
    for (rows, wanted) in [
        (
            "yes,account,a,b,p1,technical\n",
            "line 2: `yes` is no decision",
        ),
        (
            "confirm,grant,a,b,p1,technical\n",
            "line 2: `grant` is no object type",
        ),
        ("confirm,account,a,b,p1,boss\n", "line 2: `boss` is no role"),
        (
            "confirm,account,a,b,,technical\n",
            "line 2: it names no owner",
        ),
        ("confirm,account\n", "the file is no CSV"),
    ] {
        let Err(failure) = decisions_from_csv(&format!("{head}{rows}")) else {
            panic!("{rows} was taken")
        };
        assert!(failure.message.starts_with(wanted), "{}", failure.message);
    }
    let Err(failure) = decisions_from_csv("object_type\naccount\n") else {
        panic!("it was taken")
    };
    assert_eq!(failure.message, "the file has no column `decision`");
}
