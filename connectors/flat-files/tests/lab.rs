//! The connector on real files: folders, zips and single files as people have them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_conformance::read_to_end;
use lastkey_contract::{
    Connector, ConnectorError, ErrorKind, Fact, Kind, Note, NoteKind, Page, PageRequest, Settings,
};
use std::io::Write;
use std::path::Path;

fn connector(path: &Path, extra: &[(&str, &str)]) -> Result<Box<dyn Connector>, ConnectorError> {
    let mut settings = Settings::default();
    settings
        .0
        .insert("path".into(), path.to_string_lossy().into_owned());
    for (key, value) in extra {
        settings.0.insert((*key).into(), (*value).into());
    }
    lastkey_flat_files::configure(&settings, None)
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn read(
    path: &Path,
    extra: &[(&str, &str)],
    kind: Kind,
    limit: u32,
) -> Result<Vec<Page>, ConnectorError> {
    run(read_to_end(connector(path, extra)?.as_ref(), kind, limit))
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

fn one(name: &str, content: &[u8], kind: Kind) -> Result<Page, ConnectorError> {
    let dir = folder(&[(name, content)]);
    Ok(read(dir.path(), &[], kind, 1000)?.remove(0))
}

fn json(page: &Page) -> String {
    page.records
        .iter()
        .map(|f| serde_json::to_string(f).unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

fn notes(page: &Page, kind: NoteKind) -> Vec<&Note> {
    page.notes.iter().filter(|n| n.kind == kind).collect()
}

const ACCOUNTS: &str = "\u{feff}colour,id,system,enabled,expires_at,signs_in_through_id\r\n\
    red,007,ad,YES,2026-03-31,root\r\n\
    ,\"a,\"\"b\"\"\",ad,0,2026-03-31T10:00:00+02:00,\r\n";

#[test]
fn columns_in_any_order_become_facts_and_unknown_ones_attributes() {
    let dir = folder(&[("accounts.csv", ACCOUNTS.as_bytes())]);
    let pages = read(
        dir.path(),
        &[("timezone", "Europe/Zurich")],
        Kind::Account,
        100,
    )
    .unwrap();
    let [Fact::Account(a), Fact::Account(b)] = pages[0].records.as_slice() else {
        panic!("{pages:?}");
    };
    assert_eq!(
        (a.id.as_str(), a.enabled),
        ("007", Some(true)),
        "zeros stay"
    );
    assert_eq!(
        a.expires_at.unwrap().to_text(),
        "2026-03-30T22:00:00Z/2026-03-31T22:00:00Z",
        "a bare date is a day in the source's zone"
    );
    assert_eq!(a.signs_in_through_system.as_ref().unwrap().as_str(), "ad");
    assert_eq!(a.attributes["colour"], "red");
    assert_eq!((b.id.as_str(), b.enabled), ("a,\"b\"", Some(false)));
    assert_eq!(b.expires_at.unwrap().to_text(), "2026-03-31T08:00:00Z");
    assert!(b.attributes.is_empty() && b.signs_in_through_system.is_none());
    let drift = notes(&pages[0], NoteKind::Drift);
    assert_eq!(drift.len(), 1);
    assert!(drift[0].reason.contains("`colour`"));
    assert_eq!(pages[0].expected_total, Some(2));
}

#[test]
fn every_kind_is_read_back_whole() {
    let files: &[(&str, Kind, &str, &str)] = &[
        (
            "identities.csv",
            Kind::Identity,
            "id,kind,status,manager_id,leaver_kind\np1,person,on_leave,p2,voluntary\n",
            r#""leaver_kind":"voluntary""#,
        ),
        (
            "entitlements.csv",
            Kind::Entitlement,
            "system,id,kind,privileged\nad,ops,group,true\n",
            r#""kind":"group","privileged":true"#,
        ),
        (
            "grants.csv",
            Kind::Grant,
            "system,principal_type,principal_id,entitlement_id,assignment\nad,account,ann,ops,eligible\n",
            r#""principal":{"kind":"account","system":"ad","id":"ann"},"assignment":"eligible""#,
        ),
        (
            "credentials.csv",
            Kind::Credential,
            "system,id,kind,fingerprint\npg,pw,password,k1:ab\n",
            r#""fingerprint":"k1:ab""#,
        ),
        (
            "locations.csv",
            Kind::Location,
            "system,path,credential_id,kind\nvault,/db,pw,vault\n",
            r#""credential_system":null,"credential_id":"pw","kind":"vault""#,
        ),
        (
            "readers.csv",
            Kind::Reader,
            "system,path,principal_type,principal_id,principal_system\nvault,/db,entitlement,ops,ad\n",
            r#""principal":{"kind":"entitlement","system":"ad","id":"ops"}"#,
        ),
        (
            "controls.csv",
            Kind::Control,
            "system,account_id,principal_type,principal_id,means\nad,root,account,ann,reset_password\n",
            r#""means":"reset_password""#,
        ),
        (
            "owners.csv",
            Kind::Owner,
            "object_type,system,object_id,owner_id,role\nidentity,,w1,p1,technical\n",
            r#""system":null,"object_id":"w1""#,
        ),
        (
            "sessions.csv",
            Kind::Session,
            "system,account_id,id,started_at\nad,ann,s1,2026-01-01T00:00:00Z\n",
            r#""started_at":"2026-01-01T00:00:00Z""#,
        ),
        (
            "tasks.csv",
            Kind::Task,
            "id,system,event,status,retries,override\nt1,ad,leaver,done,3,boss\n",
            r#""retries":3"#,
        ),
    ];
    let written: Vec<(&str, &[u8])> = files.iter().map(|f| (f.0, f.2.as_bytes())).collect();
    let dir = folder(&written);
    for (name, kind, _, part) in files {
        let page = read(dir.path(), &[], *kind, 10).unwrap().remove(0);
        assert!(page.notes.is_empty(), "{name}: {:?}", page.notes);
        assert!(json(&page).contains(part), "{name}: {}", json(&page));
    }
    let can: Vec<Kind> = connector(dir.path(), &[])
        .unwrap()
        .capabilities()
        .iter()
        .map(|c| c.kind)
        .collect();
    assert!(
        !can.contains(&Kind::Account),
        "an absent file is a kind that is not read"
    );
    assert_eq!(can.len(), 10);
    let absent = read(dir.path(), &[], Kind::Account, 10).unwrap_err();
    assert_eq!(absent.kind, ErrorKind::Unsupported);
}

#[test]
fn a_row_that_cannot_be_parsed_is_named_and_the_rest_is_read() {
    let header = "system,id,kind,enabled,created_at";
    for (row, says) in [
        (
            &b"ad,x,human,maybe,"[..],
            "accounts.csv:3:enabled: `maybe` is not a boolean",
        ),
        (
            b"ad,x,robot,,",
            "accounts.csv:3:kind: `robot` is not one of the known words",
        ),
        (
            b"ad,x,,,31.3.2026",
            "accounts.csv:3:created_at: `31.3.2026` is neither a date nor an RFC 3339 time",
        ),
        (
            b"ad,x,,,2026-02-30",
            "accounts.csv:3:created_at: `2026-02-30` is neither",
        ),
        (
            b"AD Corp,x,,,",
            "accounts.csv:3:system: `AD Corp` is not a system name",
        ),
        (b"ad,,,,", "accounts.csv:3:id: is empty"),
        (b",x,,,", "accounts.csv:3:system: is empty"),
        (b"ad,x,,", "accounts.csv:3: 4 cells, the header has 5"),
        (b"ad,x,,,,", "accounts.csv:3: 6 cells, the header has 5"),
        (b"ad,\xff,,,", "accounts.csv:3: the row is not UTF-8"),
        (b"ad,x\0,,,", "accounts.csv:3: the row has a NUL character"),
        (
            b"ad,\"x,,,",
            "accounts.csv:3: the row opens a quote that is never closed",
        ),
        (
            b"ad,x\"y,,,",
            "accounts.csv:3: the row has a quote inside a cell that is not quoted",
        ),
        (
            b"ad,\"x\"y,,,",
            "accounts.csv:3: the row has text after the closing quote",
        ),
    ] {
        let content = [header.as_bytes(), b"\nad,a,,,\n", row, b"\nad,b,,,\n"].concat();
        let page = one("accounts.csv", &content, Kind::Account).unwrap();
        let failed = notes(&page, NoteKind::Failed);
        assert_eq!(
            (failed.len(), failed[0].count),
            (1, 1),
            "{says}: {:?}",
            page.notes
        );
        assert!(
            failed[0].examples[0].starts_with(says),
            "{:?}",
            failed[0].examples
        );
        let ids: Vec<_> = page.records.iter().map(Fact::key).collect();
        assert_eq!(ids, ["ad\u{1f}a", "ad\u{1f}b"], "{says}");
        assert_eq!(page.received, 3, "received = records + failed");
    }
}

#[test]
fn a_file_that_fails_as_a_whole_says_why() {
    for (name, content, says) in [
        (
            "accounts.csv",
            &b"id,name\n1,x\n"[..],
            "`accounts.csv` has no column `system`",
        ),
        (
            "accounts.csv",
            b"system;id\nad;1\n",
            "`accounts.csv` has no column `system`",
        ),
        (
            "accounts.csv",
            b"",
            "`accounts.csv` is empty: it has not even a header",
        ),
        (
            "accounts.csv",
            b"\xef\xbb\xbf",
            "`accounts.csv` is empty: it has not even a header",
        ),
        (
            "accounts.csv",
            b"system,id,id\n",
            "`accounts.csv` has two columns `id`",
        ),
        (
            "accounts.csv",
            b"system,id,\n",
            "column 3 of `accounts.csv` has no name",
        ),
        ("accounts.csv", b"\xff\xfes\0", "`accounts.csv` is UTF-16"),
        (
            "accounts.csv",
            b"system,i\xffd\n",
            "the header of `accounts.csv` is not UTF-8",
        ),
    ] {
        let error = one(name, content, Kind::Account).unwrap_err();
        assert_eq!(error.message, says);
        assert_eq!(error.kind, ErrorKind::NotUnderstood);
        assert!(error.hint.is_some(), "{says}");
    }
    let semicolons = one("accounts.csv", b"system;id\n", Kind::Account).unwrap_err();
    assert!(semicolons.hint.unwrap().contains("semicolons"));
    let page = one("accounts.csv", b"system,id\n", Kind::Account).unwrap();
    assert!(page.next.is_none() && page.content_sha256.is_some());
    assert!(page.notes[0].reason.contains("has a header and no rows"));
    // Without a line end the last row may be cut off inside its last cell: that is said.
    let cut = one("accounts.csv", b"system,id\nad,ann\nad,bo", Kind::Account).unwrap();
    assert_eq!(cut.records.len(), 2);
    assert!(
        cut.notes[0].reason.contains("has no line end"),
        "{:?}",
        cut.notes
    );
    let whole = one(
        "accounts.csv",
        b"system,id\nad,ann\nad,bob\n",
        Kind::Account,
    )
    .unwrap();
    assert!(whole.notes.is_empty(), "{:?}", whole.notes);
    assert_eq!(notes(&cut, NoteKind::OpenEnd).len(), 1);
    // Of an export that never writes one it is no sign of a cut.
    let dir = folder(&[("accounts.csv", b"system,id\nad,bo")]);
    let never = [("last_line_end", "optional")];
    let pages = read(dir.path(), &never, Kind::Account, 10).unwrap();
    assert_eq!(notes(&pages[0], NoteKind::OpenEnd).len(), 0);
    assert_eq!(notes(&pages[0], NoteKind::Remark).len(), 1);
}

#[test]
fn a_path_that_is_not_there_is_one_clear_sentence() {
    let missing = read(Path::new("/nowhere/roster.csv"), &[], Kind::Identity, 1).unwrap_err();
    assert_eq!(missing.message, "`/nowhere/roster.csv` does not exist");
    assert_eq!(missing.kind, ErrorKind::ConfigInvalid);
    let empty = folder(&[("notes.txt", b"x")]);
    let error = read(empty.path(), &[], Kind::Identity, 1).unwrap_err();
    assert!(error.message.contains("holds none of the files"), "{error}");
}

fn many(rows: usize) -> Vec<u8> {
    let mut text = b"system,id,name\n".to_vec();
    for i in 0..rows {
        let name = if i % 7 == 0 {
            "\"two\nlines, and \"\"quotes\"\"\""
        } else {
            "Zo\u{eb} \u{1f511}"
        };
        writeln!(text, "ad,u{i},{name}").unwrap();
    }
    text
}

#[test]
fn the_last_page_has_the_hash_of_the_file_in_a_folder_and_in_a_zip() {
    let content = many(500);
    let dir = folder(&[("accounts.csv", &content)]);
    let zip = zipped(&[("export/accounts.csv", &content)]);
    let whole = read(dir.path(), &[], Kind::Account, 10_000).unwrap();
    assert_eq!(whole.len(), 1);
    assert_eq!(
        (whole[0].records.len(), whole[0].expected_total),
        (500, Some(500))
    );
    for path in [dir.path(), zip.path()] {
        for limit in [7, 250, 500, 501] {
            let pages = read(path, &[], Kind::Account, limit).unwrap();
            assert_eq!(
                pages.len(),
                500usize.div_ceil(limit as usize),
                "no empty last page"
            );
            let last = pages.last().unwrap();
            assert_eq!(
                last.content_sha256, whole[0].content_sha256,
                "the hash is the CSV's"
            );
            assert!(
                pages[..pages.len() - 1]
                    .iter()
                    .all(|p| p.content_sha256.is_none())
            );
        }
    }
}

#[test]
fn a_cursor_is_lost_when_the_file_changed() {
    let dir = folder(&[("accounts.csv", &many(20))]);
    let request = |cursor| PageRequest {
        cursor,
        limit: 8,
        since: None,
    };
    run(async {
        let connector = connector(dir.path(), &[]).unwrap();
        let mut first = connector.connect().await.unwrap();
        let mut later = connector.connect().await.unwrap();
        let one = first.read_page(Kind::Account, request(None)).await.unwrap();
        std::fs::write(dir.path().join("accounts.csv"), many(21)).unwrap();
        for session in [&mut first, &mut later] {
            let error = session
                .read_page(Kind::Account, request(one.next.clone()))
                .await
                .unwrap_err();
            assert_eq!(error.kind, ErrorKind::CursorLost);
            assert_eq!(
                error.message,
                "`accounts.csv` changed while it was being read"
            );
        }
    });
}

#[test]
fn a_roster_with_other_column_names_is_mapped() {
    let dir = folder(&[(
        "roster.csv",
        b"id,user_id,employee_name,state\n1,ABC0174,Ann Lee,On leave\n2,XYZ0001,Bob,\n",
    )]);
    let mut extra: Vec<(String, String)> = lastkey_flat_files::mapping::parse_cli(
        "id=user_id,display_name=employee_name,status=state,status.On leave=on_leave",
    )
    .unwrap();
    extra.push(("fixed.department".into(), "Sales".into()));
    let extra: Vec<(&str, &str)> = extra
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let page = read(&dir.path().join("roster.csv"), &extra, Kind::Identity, 10)
        .unwrap()
        .remove(0);
    let Fact::Identity(ann) = &page.records[0] else {
        panic!()
    };
    assert_eq!(ann.id.as_str(), "ABC0174");
    assert_eq!(
        ann.kind.word(),
        "person",
        "a roster without kinds is of persons"
    );
    assert_eq!(ann.status.unwrap().word(), "on_leave");
    assert_eq!(ann.department.as_deref(), Some("Sales"));
    assert_eq!(
        ann.attributes["id"], "1",
        "a column that lost its name to a mapping is kept"
    );

    let missing = read(
        &dir.path().join("roster.csv"),
        &[("map.id", "nobody")],
        Kind::Identity,
        10,
    )
    .unwrap_err();
    assert_eq!(missing.kind, ErrorKind::ConfigInvalid);
    assert_eq!(
        missing.message,
        "`roster.csv` has no column `nobody`, which is mapped to `id`"
    );
}

#[test]
fn a_mapping_can_be_per_file_and_make_another_kind() {
    let dir = folder(&[
        ("accounts.csv", b"login,active\nann,A\n"),
        ("identities.csv", b"id,kind\np1,person\n"),
    ]);
    let extra = [
        ("map.accounts.id", "login"),
        ("map.accounts.enabled", "active"),
        ("value.accounts.enabled.A", "true"),
        ("map.accounts.system", "=core-bank"),
    ];
    let page = read(dir.path(), &extra, Kind::Account, 10)
        .unwrap()
        .remove(0);
    let Fact::Account(ann) = &page.records[0] else {
        panic!()
    };
    assert_eq!(
        (ann.system.as_str(), ann.id.as_str(), ann.enabled),
        ("core-bank", "ann", Some(true))
    );
    let path = dir.path().join("accounts.csv");
    let single = read(
        &path,
        &[
            ("file", "accounts"),
            ("map.id", "login"),
            ("fixed.system", "x"),
        ],
        Kind::Account,
        10,
    )
    .unwrap();
    assert_eq!(single[0].records.len(), 1);
}

#[test]
fn settings_that_cannot_count_are_refused_with_a_hint() {
    for (key, value, says) in [
        (
            "timezone",
            "Mars/Olympus",
            "`Mars/Olympus` is not a time zone",
        ),
        ("file", "people", "`people` is not allowed for `file`"),
        (
            "map.nonsense",
            "x",
            "`nonsense` is not a column of identities.csv",
        ),
        (
            "value.status",
            "x",
            "`value.status` does not say which value it replaces",
        ),
        ("colour", "x", "`colour` is not a setting of flat-files"),
    ] {
        let error = connector(Path::new("/x"), &[(key, value)]).err().unwrap();
        assert_eq!(error.kind, ErrorKind::ConfigInvalid);
        assert_eq!(error.message, says);
        assert!(error.hint.is_some());
    }
}

#[test]
fn check_says_what_will_be_read_and_what_is_left_alone() {
    let dir = folder(&[("accounts.csv", ACCOUNTS.as_bytes()), ("notes.txt", b"x")]);
    let report = run(async { connector(dir.path(), &[]).unwrap().check().await }).unwrap();
    assert_eq!(
        report.remarks,
        [
            "`accounts.csv` will be read as accounts: 2 rows; kept as attributes: `colour`",
            "`notes.txt` is not a file that lastkey knows and is left alone",
        ]
    );
    assert!(report.rights_known && report.signed_in_as.is_none());
}

// ------------------------------------------------------------------ zips

fn zipped(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    file
}

/// Replaces bytes in a zip made well, so that it lies.
fn spoiled(
    zip: &tempfile::NamedTempFile,
    change: impl Fn(&mut Vec<u8>),
) -> tempfile::NamedTempFile {
    let mut bytes = std::fs::read(zip.path()).unwrap();
    change(&mut bytes);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

fn swap(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut found = 0;
    for at in 0..bytes.len() - from.len() + 1 {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + from.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0, "the test must change something");
}

#[track_caller]
fn refused(zip: &tempfile::NamedTempFile, says: &str) {
    let error = read(zip.path(), &[], Kind::Account, 10).unwrap_err();
    assert!(error.message.contains(says), "{}", error.message);
    assert!(error.hint.is_some());
}

#[test]
fn zips_that_lie_are_refused() {
    let good: &[u8] = b"system,id\nad,1\n";
    for name in [
        "../accounts.csv",
        "/accounts.csv",
        "a\\accounts.csv",
        "x/../accounts.csv",
        "c:accounts.csv",
    ] {
        refused(&zipped(&[(name, good)]), "whose name leaves the archive");
    }
    let twice = zipped(&[("accounts.csv", good), ("accountz.csv", good)]);
    refused(
        &spoiled(&twice, |b| swap(b, b"accountz.csv", b"accounts.csv")),
        "lists one name twice",
    );
    refused(
        &zipped(&[("a/accounts.csv", good), ("b/accounts.csv", good)]),
        "more than one `accounts.csv`",
    );
    let bomb = vec![b'x'; 8 * 1024 * 1024];
    refused(
        &zipped(&[("accounts.csv", &bomb)]),
        "more than is believable",
    );
    // the local header names another file than the listing
    let honest = zipped(&[("accounts.csv", good)]);
    refused(
        &spoiled(&honest, |b| b[30..42].copy_from_slice(b"grantsss.csv")),
        "is not a zip that can be trusted",
    );
    let link = {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
        zip.add_symlink(
            "accounts.csv",
            "/etc/passwd",
            zip::write::SimpleFileOptions::default(),
        )
        .unwrap();
        zip.finish().unwrap();
        file
    };
    refused(&link, "has a link `accounts.csv`");
    // the encryption flag, in both headers
    refused(
        &spoiled(&honest, |b| {
            b[6] |= 1;
            let listing = b.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
            b[listing + 8] |= 1;
        }),
        "encrypted",
    );
    refused(
        &spoiled(&honest, |b| b.truncate(40)),
        "is not a zip that can be trusted",
    );
}
