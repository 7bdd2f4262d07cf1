//! What would hide, lose or contradict something is refused, or said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;

fn with_owners() -> Desk {
    let desk = Desk::linked();
    let owners = desk.write(
        "own/owners.csv",
        "object_type,system,object_id,owner_id,role\naccount,corp,a5,u1,technical\n",
    );
    let folder = owners.trim_end_matches("/owners.csv");
    desk.expect(0, &["import", folder, "--as", "own"]);
    desk
}

#[test]
fn a_word_that_no_owner_has_is_refused_with_those_that_there_are() {
    let desk = with_owners();
    for (list, filter, known) in [
        (&["owners"][..], "role=techncal", "technical"),
        (&["owners"], "state=here", "present"),
        (&["owners"], "object_type=acount", "account"),
        (&["owner", "list"], "standing=orphan", "no_owner"),
        (&["owner", "suggest"], "confidence=sure", "strong"),
        (&["owner", "suggest"], "rule=name", "creator"),
    ] {
        let all = [list, &["--where", filter]].concat();
        let told = desk.trouble(2, &all, "there are ");
        assert!(told.contains(known), "{told}");
    }
}

#[test]
fn a_package_is_written_over_nothing_unless_told_so() {
    let desk = Desk::linked();
    let package = desk.room.path("p.zip").display().to_string();
    let next = desk.room.path("q.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let before = std::fs::read(&package).unwrap();
    let told = desk.trouble(3, &["export", "--out", &package], "is there already");
    assert!(told.contains("--replace"), "{told}");
    let over = [
        "export",
        "--out",
        &package,
        "--extends",
        &package,
        "--replace",
    ];
    desk.trouble(3, &over, "continues");
    assert_eq!(std::fs::read(&package).unwrap(), before);
    desk.expect(0, &["export", "--out", &next, "--extends", &package]);
    desk.expect(0, &["export", "--out", &package, "--replace"]);
}

#[test]
fn rows_of_a_file_of_decisions_that_contradict_each_other_decide_nothing() {
    let desk = Desk::linked();
    let file = desk.write(
        "decided.csv",
        "account,identity,why\ncorp:a3,hr:u1,asked\ncorp:a5,,backup\ncorp:a3,hr:u2,asked\n",
    );
    let told = desk.trouble(2, &["link", "bulk", &file], "rows 2 and 4");
    assert!(
        told.contains("`corp:a3` is `hr:u1`'s and `hr:u2`'s"),
        "{told}"
    );
    assert_eq!(desk.lines(0, &["link", "list", "--decided"]).len(), 0);
    let nobodys = desk.write(
        "nobodys.csv",
        "account,identity,why\ncorp:a3,,asked\ncorp:a3,u1,asked\n",
    );
    desk.trouble(2, &["link", "bulk", &nobodys], "is nobody's and `hr:u1`'s");
    let twice = desk.write(
        "twice.csv",
        "account,identity,why\ncorp:a3,hr:u1,asked\ncorp:a3,u1,asked\n",
    );
    desk.expect(0, &["link", "bulk", &twice]);
}

#[test]
fn whoever_removes_the_only_owners_is_told_how_many_go() {
    let desk = with_owners();
    let (_, _, told) = desk.run(&["source", "remove", "own"]);
    assert!(
        told.contains("1 owner line went with own") && told.contains("no other source tells"),
        "{told}"
    );
    let (_, _, told) = desk.run(&["source", "remove", "ad"]);
    assert!(!told.contains("owner line"), "{told}");
}

#[test]
fn a_mistyped_column_is_said_by_the_read_itself() {
    let desk = Desk::new();
    let file = desk.write(
        "ad/accounts.csv",
        "system,id,idenity_id,E-Mail,department,name\ncorp,a1,u1,a@x.org,it,ann\n",
    );
    let folder = file.trim_end_matches("/accounts.csv");
    for read in [&["import", folder, "--as", "ad"][..], &["sync", "ad"]] {
        let (_, out, err) = desk.run(read);
        let said = format!("{out}{err}");
        for line in [
            "`accounts.csv` has no column `identity_id`: its column `idenity_id` is not known",
            "did you mean `email`?",
        ] {
            assert!(said.contains(line), "{said}");
        }
        assert!(!said.contains("`department`"), "{said}");
    }
}

#[test]
fn a_package_continues_only_one_of_its_own_store() {
    let (desk, other) = (Desk::linked(), Desk::linked());
    let old = desk.room.path("p.zip").display().to_string();
    let next = desk.room.path("q.zip").display().to_string();
    let theirs = other.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &old]);
    other.expect(0, &["export", "--out", &theirs]);
    let extends = ["export", "--out", &next, "--extends", &theirs];
    desk.trouble(2, &extends, "is of another store");
    assert!(!std::path::Path::new(&next).exists());
    desk.expect(0, &["export", "--out", &next, "--extends", &old]);
    let told = desk.expect(1, &["verify", &next, "--extends", &theirs]);
    assert!(told.contains("a package of another store"), "{told}");
}
