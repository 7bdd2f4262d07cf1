//! Extracts that say the usual in unusual words: what a recipe understands counts, what it does not
//! makes the row fail, and nothing is dropped without a word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_conformance::read_to_end;
use lastkey_contract::{Fact, Kind, NoteKind, Page, Settings};

/// All that a recipe reads of a kind from one file, which several of its rules may speak of.
fn page(recipe: &str, content: &str, kind: Kind) -> Page {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.csv"), content).unwrap();
    let mut settings = Settings::default();
    let path = dir.path().to_string_lossy().into_owned();
    settings.0.insert("path".into(), path);
    settings.0.insert("recipe".into(), recipe.into());
    let connector = lastkey_flat_files::configure(&settings, None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let read = read_to_end(connector.as_ref(), kind, 100);
    let mut all = Page::default();
    for page in runtime.block_on(read).unwrap() {
        all.records.extend(page.records);
        all.notes.extend(page.notes);
    }
    all
}

/// What became of the rows: how many facts, and what the rows that are none say.
#[track_caller]
fn check(recipe: &str, content: &str, kind: Kind, facts: usize, says: Option<&str>) {
    let page = page(recipe, content, kind);
    let failed: Vec<_> = page
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::Failed)
        .collect();
    assert_eq!(page.records.len(), facts, "{content}: {failed:?}");
    match says {
        None => assert!(failed.is_empty(), "{content}: {failed:?}"),
        Some(says) => {
            assert_eq!(failed.len(), 1, "{content}: {failed:?}");
            assert_eq!(failed[0].examples[0], says, "{content}");
        }
    }
}

fn member(of_type: &str, until: &str, expired: &str, retrieve: &str, uses: &str) -> String {
    format!(
        "safeName,memberName,memberType,membershipExpirationDate,isExpiredMembershipEnable,\
         permissions.retrieveAccounts,permissions.useAccounts\n\
         S1,ann,{of_type},{until},{expired},{retrieve},{uses}\n"
    )
}

#[test]
fn a_right_is_told_in_each_way_to_write_yes_and_no() {
    for yes in [
        "true", "TRUE", "Yes", "Y", "1", "t", "WAHR", "VRAI", " true ",
    ] {
        for kind in [Kind::Grant, Kind::Reader, Kind::Entitlement] {
            let facts = member("User", "", "false", "no", yes);
            check("cyberark", &facts, kind, 1, None);
        }
    }
    for no in ["false", "No", "n", "0", "FALSCH"] {
        let facts = member("User", "", "false", no, no);
        check("cyberark", &facts, Kind::Grant, 0, None);
    }
    let right = "x.csv:2:permissions.retrieveAccounts";
    for (word, says) in [
        (
            "x",
            format!("{right}: `x` is not a word that the recipe knows"),
        ),
        (
            "2",
            format!("{right}: `2` is not a word that the recipe knows"),
        ),
        ("", format!("{right}: is empty")),
    ] {
        for kind in [Kind::Grant, Kind::Reader, Kind::Entitlement] {
            let facts = member("User", "", "false", word, "no");
            check("cyberark", &facts, kind, 0, Some(&says));
        }
        // One that holds is enough.
        let facts = member("User", "", "false", word, "yes");
        check("cyberark", &facts, Kind::Grant, 1, None);
    }
}

#[test]
fn a_member_of_a_type_that_nobody_knows_is_not_dropped() {
    for (word, accounts) in [("user", 1), ("USER", 1), ("Role", 0), ("group", 0)] {
        let facts = member(word, "", "false", "true", "true");
        check("cyberark", &facts, Kind::Account, accounts, None);
        check("cyberark", &facts, Kind::Grant, 1, None);
    }
    for word in ["Application", "0"] {
        let facts = member(word, "", "false", "true", "true");
        let says = format!("x.csv:2:memberType: `{word}` is not a word that the recipe knows");
        check("cyberark", &facts, Kind::Account, 0, Some(&says));
    }
}

/// Until when the membership of a row counts.
#[track_caller]
fn until(date: &str, expired: &str) -> Option<String> {
    let facts = member("User", date, expired, "true", "true");
    let page = page("cyberark", &facts, Kind::Grant);
    let [Fact::Grant(grant)] = page.records.as_slice() else {
        panic!("{date} {expired}: {:?}", page.notes);
    };
    grant.expires_at.map(|when| when.to_text())
}

#[test]
fn a_membership_ends_when_its_date_says_and_never_where_there_is_none() {
    for none in ["", "0", "0.0", "null", "NULL", "None", "-62135596800"] {
        for expired in ["false", "true", ""] {
            assert_eq!(until(none, expired), None, "{none} {expired}");
        }
    }
    // A date to come counts whatever the other column says, in seconds and in thousandths.
    let later = Some("2096-10-02T07:06:40Z".to_owned());
    for date in ["4000000000", "4000000000000", "4000000000.0"] {
        for expired in ["False", "true", ""] {
            assert_eq!(until(date, expired), later, "{date} {expired}");
        }
    }
    // One that has passed ends the membership unless the list says that it has not ended.
    let passed = Some("2023-11-14T22:13:20Z".to_owned());
    for date in ["1700000000", "1700000000000", "1700000000.0"] {
        for (expired, ends) in [
            ("False", None),
            ("no", None),
            ("TRUE", Some(())),
            ("", Some(())),
        ] {
            let expected = ends.and(passed.clone());
            assert_eq!(until(date, expired), expected, "{date} {expired}");
        }
    }
    for date in ["12/01/2026", "17", "99999999999999999", "never"] {
        let facts = member("User", date, "false", "true", "true");
        let says = format!("x.csv:2:expires_at: `{date}` is neither a date nor an RFC 3339 time");
        check("cyberark", &facts, Kind::Grant, 0, Some(&says));
    }
    let facts = member("User", "1700000000", "perhaps", "true", "true");
    let says = "x.csv:2:isExpiredMembershipEnable: `perhaps` is not a boolean";
    check("cyberark", &facts, Kind::Grant, 0, Some(says));
}

#[test]
fn a_row_with_a_cell_too_many_or_too_few_is_not_passed_over() {
    let header =
        "safeName,memberName,memberType,permissions.retrieveAccounts,permissions.useAccounts";
    for (row, cells) in [("S1,Lee, Ann,User,true,true", 6), ("S1,ann,User,false", 4)] {
        let says = format!("x.csv:2: {cells} cells, the header has 5");
        for kind in [Kind::Account, Kind::Grant, Kind::Reader] {
            check(
                "cyberark",
                &format!("{header}\n{row}\n"),
                kind,
                0,
                Some(&says),
            );
        }
    }
}

#[test]
fn what_a_column_would_tell_that_is_not_there_is_not_known() {
    let page = page(
        "cyberark",
        "safeName,memberName,memberType,permissions.retrieveAccounts\nS1,ann,User,false\n",
        Kind::Grant,
    );
    let clipped: Vec<_> = page
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::Clipped)
        .collect();
    assert_eq!(
        clipped[0].reason,
        "`x.csv` has no column `permissions.useAccounts`, so what it would tell of grants is not known"
    );
}

fn user_of_racf(special: &str, revoked: &str, no_password: &str) -> String {
    format!(
        "USBD_NAME,USBD_REVOKE,USBD_SPECIAL,USBD_DEFGRP_ID,USBD_OPER,USBD_AUDITOR,USBD_NOPWD\n         ANN,{revoked},{special},SYS1,NO,NO,{no_password}\n"
    )
}

/// Whether the account of a row is enabled; or what is wrong with the row.
fn enabled(recipe: &str, content: &str) -> Result<Option<bool>, String> {
    let page = page(recipe, content, Kind::Account);
    match page.records.as_slice() {
        [Fact::Account(account)] => Ok(account.enabled),
        _ => Err(page.notes[0].examples[0].clone()),
    }
}

#[test]
fn users_of_racf_say_yes_and_no_in_other_words_too() {
    for yes in ["YES", "Yes", "Y", "TRUE", "1"] {
        check("racf", &user_of_racf(yes, "NO", "NO"), Kind::Grant, 1, None);
        let revoked = user_of_racf("NO", yes, "NO");
        assert_eq!(enabled("racf", &revoked), Ok(Some(false)), "{yes}");
    }
    for no in ["NO", "n", "FALSE", "0"] {
        check("racf", &user_of_racf(no, "NO", "NO"), Kind::Grant, 0, None);
        let revoked = user_of_racf("NO", no, "NO");
        assert_eq!(enabled("racf", &revoked), Ok(Some(true)), "{no}");
        let connected = format!("USCON_NAME,USCON_GRP_ID,USCON_REVOKE\nANN,SYS1,{no}\n");
        check("racf", &connected, Kind::Grant, 1, None);
    }
    let says = "x.csv:2:USBD_SPECIAL: `x` is not a word that the recipe knows";
    check(
        "racf",
        &user_of_racf("x", "NO", "NO"),
        Kind::Grant,
        0,
        Some(says),
    );
    let says = "x.csv:2:enabled: `REVOKED` is not a word that the recipe knows";
    let revoked = user_of_racf("NO", "REVOKED", "NO");
    assert_eq!(enabled("racf", &revoked), Err(says.to_owned()));
    let says = "x.csv:2:USCON_REVOKE: `perhaps` is not a word that the recipe knows";
    let connected = "USCON_NAME,USCON_GRP_ID,USCON_REVOKE\nANN,SYS1,perhaps\n";
    check("racf", connected, Kind::Grant, 0, Some(says));
    for (word, passwords) in [
        ("NO", 1),
        ("phr", 1),
        ("", 1),
        ("PRO", 0),
        ("YES", 0),
        ("y", 0),
    ] {
        let facts = user_of_racf("NO", "NO", word);
        check("racf", &facts, Kind::Credential, passwords, None);
    }
    let says = "x.csv:2:USBD_NOPWD: `?` is not a word that the recipe knows";
    check(
        "racf",
        &user_of_racf("NO", "NO", "?"),
        Kind::Credential,
        0,
        Some(says),
    );
}

#[test]
fn users_of_sap_are_locked_or_not_in_words_that_are_known() {
    let user = |flag: &str| format!("BNAME,UFLAG,USTYP\nANN,{flag},A\n");
    for (flag, expected) in [("0", true), (" 0 ", true), ("64", false), ("192", false)] {
        assert_eq!(enabled("sap", &user(flag)), Ok(Some(expected)), "{flag}");
    }
    for flag in ["1", "X", "true", "64.0"] {
        let says = format!("x.csv:2:enabled: `{flag}` is not a word that the recipe knows");
        assert_eq!(enabled("sap", &user(flag)), Err(says));
    }
    let listed = |locked: &str| {
        format!("User name,Complete name,User group,User Locked\nANN,Ann Lee,PAY,{locked}\n")
    };
    for (word, expected) in [
        ("", true),
        ("No", true),
        ("FALSE", true),
        ("not locked", true),
        ("x", false),
        ("Yes", false),
        ("WAHR", false),
        ("LOCKED", false),
    ] {
        assert_eq!(enabled("sap", &listed(word)), Ok(Some(expected)), "{word}");
    }
    assert!(enabled("sap", &listed("by an administrator")).is_err());
    let held = |word: &str| {
        format!("AGR_NAME,UNAME,FROM_DAT,TO_DAT,EXCLUDE\nZ,ANN,20200101,99991231,{word}\n")
    };
    for (word, grants) in [("", 1), (" ", 1), ("no", 1), ("X", 0), ("x", 0), ("1", 0)] {
        check("sap", &held(word), Kind::Grant, grants, None);
    }
    let says = "x.csv:2:EXCLUDE: `?` is not a word that the recipe knows";
    check("sap", &held("?"), Kind::Grant, 0, Some(says));
}

#[test]
fn workers_and_secrets_are_understood_however_their_words_are_written() {
    let worker =
        |status: &str| format!("Employee ID,Worker Status,Hire Date\n7,{status},2020-01-01\n");
    for (word, expected) in [
        ("ACTIVE", "active"),
        ("terminated ", "inactive"),
        ("on leave", "on_leave"),
    ] {
        let page = page("workday", &worker(word), Kind::Identity);
        let [Fact::Identity(one)] = page.records.as_slice() else {
            panic!("{word}: {:?}", page.notes);
        };
        assert_eq!(one.status.unwrap().word(), expected, "{word}");
    }
    let says = "x.csv:2:status: `Gone` is not one of the known words";
    check("workday", &worker("Gone"), Kind::Identity, 0, Some(says));
    let secret =
        |enabled: &str| format!("id,contentType,attributes.enabled\nhttps://v/s,,{enabled}\n");
    for word in ["True", "FALSE", "", "n", "WAHR"] {
        check("azure-key-vault", &secret(word), Kind::Credential, 1, None);
    }
    let says = "x.csv:2:enabled: `on` is not a boolean";
    check(
        "azure-key-vault",
        &secret("on"),
        Kind::Credential,
        0,
        Some(says),
    );
}

#[test]
fn secrets_and_logins_of_an_extract_are_not_kept() {
    let page = page(
        "azure-key-vault",
        "id,contentType,attributes.enabled,value,tags.owner-password,tags.dsn-of,tags.backend\n\
         https://v/s,text,true,hunter1,hunter2,app:hunter3@db,postgres://app:hunter4@db/x\n",
        Kind::Credential,
    );
    let [Fact::Credential(one)] = page.records.as_slice() else {
        panic!("{:?}", page.notes);
    };
    let kept = serde_json::to_string(one).unwrap();
    assert!(!kept.contains("hunter"), "{kept}");
    assert_eq!(one.attributes["tags.backend"], "postgres://(hidden)@db/x");
    let said: Vec<&str> = page.notes.iter().map(|note| note.reason.as_str()).collect();
    for wanted in [
        "the column `value` seems to hold secret values and is not read",
        "the column `tags.owner-password` seems to hold secret values and is not read",
        "the column `tags.backend` has logins in its values, which are hidden",
    ] {
        assert!(said.contains(&wanted), "{said:?}");
    }
}
