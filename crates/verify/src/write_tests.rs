//! The writer: same bytes for same content, and never a half package under the final name.

use super::*;
use crate::verify::{VerifyOptions, verify_package};
use std::fs::{self, OpenOptions};

fn header(made_at: &str) -> PackageHeader {
    PackageHeader {
        made_at: made_at.to_owned(),
        made_by: MadeBy {
            tool: "lastkey".to_owned(),
            version: "0.1.0".to_owned(),
        },
        previous: None,
        scope: "everything".to_owned(),
        period: Period::default(),
        snapshot: Snapshot::default(),
    }
}

fn rows(count: u32) -> String {
    (0..count)
        .map(|row| format!("crm,account-{row},{}\n", row.wrapping_mul(2_654_435_761)))
        .collect()
}

fn make(path: &Path, made_at: &str, chunk: usize) -> Sealed {
    let mut package = PackageWriter::create(path, header(made_at)).unwrap();
    let mut file = package.file("population/accounts.csv").unwrap();
    for part in rows(20_000).as_bytes().chunks(chunk) {
        file.write_all(part).unwrap();
        file.flush().unwrap();
    }
    file.finish(Some(19_999)).unwrap();
    package.seal(&PackageKey::from_seed(&[7; 32])).unwrap()
}

#[test]
fn the_same_content_gives_the_same_bytes_however_it_was_cut_into_writes() {
    let folder = tempfile::tempdir().unwrap();
    let made: Vec<_> = [1, 977, 1 << 20]
        .map(|chunk| {
            make(
                &folder.path().join(format!("{chunk}.zip")),
                "2026-03-01T12:00:00Z",
                chunk,
            )
        })
        .into_iter()
        .collect();
    let bytes = fs::read(&made[0].path).unwrap();
    assert_eq!(crate::hex::sha256_hex(&bytes), made[0].sha256);
    assert_eq!(len(&bytes), made[0].bytes);
    for other in &made {
        assert_eq!(fs::read(&other.path).unwrap(), bytes);
    }
    let later = make(
        &folder.path().join("later.zip"),
        "2026-03-02T12:00:00Z",
        977,
    );
    assert_eq!(
        later.package_id, made[0].package_id,
        "the id does not depend on the clock"
    );
    assert_ne!(later.sha256, made[0].sha256);
    let report = verify_package(&later.path, &VerifyOptions::default()).unwrap();
    assert_eq!(report.problems, []);
}

#[test]
fn what_stood_there_stays_until_the_new_package_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    fs::write(&path, "the old file").unwrap();
    let mut package = PackageWriter::create(&path, header("2026-03-01T12:00:00Z")).unwrap();
    package.add("a.csv", b"x\n", Some(0)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"the old file");
    drop(package);
    assert_eq!(fs::read(&path).unwrap(), b"the old file");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    make(&path, "2026-03-01T12:00:00Z", 977);
    assert_ne!(fs::read(&path).unwrap(), b"the old file");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn wrong_names_order_and_unfinished_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    let mut package = PackageWriter::create(&path, header("2026-03-01T12:00:00Z")).unwrap();
    for name in ["../a", "/a", "manifest.json", "a b", ""] {
        assert!(
            matches!(package.add(name, b"", None), Err(PackageError::BadName(_))),
            "`{name}`"
        );
    }
    package.add("b", b"", None).unwrap();
    for name in ["a", "b", "HOW-TO-CHECK.md"] {
        assert!(
            matches!(
                package.add(name, b"", None),
                Err(PackageError::OutOfOrder { .. })
            ),
            "`{name}`"
        );
    }
    drop(package.file("c").unwrap());
    assert!(matches!(
        package.seal(&PackageKey::from_seed(&[7; 32])),
        Err(PackageError::Unfinished(_))
    ));
    assert!(!path.exists());
    assert!(matches!(
        PackageWriter::create(folder.path(), header("2026-03-01T12:00:00Z")),
        Err(PackageError::IsDirectory(_))
    ));
    let missing = folder.path().join("absent/p.zip");
    assert!(matches!(
        PackageWriter::create(&missing, header("2026-03-01T12:00:00Z")),
        Err(PackageError::CannotWrite { .. })
    ));
}

/// `/dev/full` answers every write as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_under_the_final_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    let mut package = PackageWriter::create(&path, header("2026-03-01T12:00:00Z")).unwrap();
    package.out = BufWriter::new(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let written = package.add("a.csv", rows(50_000).as_bytes(), None);
    assert!(
        matches!(written, Err(PackageError::CannotWrite { .. })),
        "{written:?}"
    );
    drop(package);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
