//! Tampering, with the format's own records where that makes the harder case.

use super::*;
use crate::archive::{self, Entry, Packing};
use crate::key::PackageKey;
use crate::write::{PackageHeader, PackageWriter};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use tempfile::TempDir;

type Files = Vec<(String, Vec<u8>)>;

fn key(seed: u8) -> PackageKey {
    PackageKey::from_seed(&[seed; 32])
}

fn header() -> PackageHeader {
    PackageHeader {
        made_at: "2026-03-01T12:00:00Z".to_owned(),
        made_by: layout::MadeBy {
            tool: "lastkey".to_owned(),
            version: "0.1.0".to_owned(),
        },
        previous: None,
        scope: "everything".to_owned(),
        period: layout::Period::default(),
        snapshot: layout::Snapshot::default(),
    }
}

fn make(target: &Path, header: PackageHeader, key: &PackageKey) {
    let mut package = PackageWriter::create(target, header).unwrap();
    package
        .add("journal/journal.csv", b"sync,what\n1,start\n", Some(1))
        .unwrap();
    package
        .add(
            "population/accounts.csv",
            b"system,id\ncrm,ann\ncrm,bob\n",
            Some(2),
        )
        .unwrap();
    package.add("scope.json", b"{}\n", None).unwrap();
    package.seal(key).unwrap();
}

fn package() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    make(&path, header(), &key(7));
    (folder, path)
}

fn files(path: &Path) -> Files {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            io::copy(&mut entry, &mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// An archive in this format's own shape with any files at all.
fn pack(path: &Path, files: &Files) {
    let mut out = Vec::new();
    let mut entries = Vec::new();
    let seal_from = files.len().saturating_sub(layout::SEAL.len());
    for (place, (name, bytes)) in files.iter().enumerate() {
        let (packing, packed) = match place < seal_from {
            true => (Packing::Deflated, deflate(bytes)),
            false => (Packing::Stored, bytes.clone()),
        };
        let entry = Entry {
            name: name.clone(),
            packing,
            crc: crc32fast::hash(bytes),
            bytes: bytes.len() as u64,
            packed: packed.len() as u64,
            offset: out.len() as u64,
        };
        out.extend(archive::local_header(&entry));
        out.extend(packed);
        entries.push(entry);
    }
    let directory = archive::directory(&entries);
    let ending = archive::ending(entries.len(), out.len() as u64, directory.len() as u64);
    out.extend(directory);
    out.extend(ending);
    fs::write(path, out).unwrap();
}

fn check(path: &Path) -> VerifyReport {
    verify_package(path, &VerifyOptions::default()).unwrap()
}

/// The package is broken, and the report names `file`.
fn broken(path: &Path, file: &str, why: &str) {
    let report = check(path);
    assert_eq!(report.state, PackageState::Broken, "{why}");
    let named: Vec<_> = report
        .problems
        .iter()
        .map(|p| p.file.as_deref().unwrap_or("-"))
        .collect();
    assert!(named.contains(&file), "{why}: {:?}", report.problems);
}

#[test]
fn an_untouched_package_is_intact_and_packs_again_to_the_same_bytes() {
    let (folder, path) = package();
    let report = check(&path);
    assert_eq!(report.problems, []);
    assert_eq!(report.state, PackageState::IntactSignerUnknown);
    assert_eq!(report.signer, Some(key(7).fingerprint()));
    assert_eq!(report.made_at.as_deref(), Some("2026-03-01T12:00:00Z"));
    assert_eq!(report.files, 11);
    let again = folder.path().join("again.zip");
    pack(&again, &files(&path));
    assert_eq!(
        fs::read(&again).unwrap(),
        fs::read(&path).unwrap(),
        "`pack` tests with the format's own shape"
    );
}

#[test]
fn every_file_flipped_dropped_cut_grown_and_renamed_is_named() {
    let (_folder, path) = package();
    let whole = files(&path);
    for (place, (name, bytes)) in whole.iter().enumerate() {
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut other = whole.clone();
            other[place].1[at] ^= 1;
            pack(&path, &other);
            broken(&path, name, &format!("byte {at} of {name} flipped"));
        }
        let mut other = whole.clone();
        other.remove(place);
        pack(&path, &other);
        broken(&path, name, &format!("{name} dropped"));
        let mut other = whole.clone();
        other[place].1.pop();
        pack(&path, &other);
        broken(&path, name, &format!("{name} cut by a byte"));
        let mut other = whole.clone();
        other[place].1.push(b'\n');
        pack(&path, &other);
        broken(&path, name, &format!("{name} grown by a byte"));
        let mut other = whole.clone();
        other[place].1.clear();
        pack(&path, &other);
        broken(&path, name, &format!("{name} emptied"));
        let mut other = whole.clone();
        other[place].0 = format!("{name}.old");
        pack(&path, &other);
        broken(&path, name, &format!("{name} renamed: the old name"));
        broken(
            &path,
            &format!("{name}.old"),
            &format!("{name} renamed: the new name"),
        );
    }
}

#[test]
fn every_pair_of_files_swapped_is_named() {
    let (_folder, path) = package();
    let whole = files(&path);
    for a in 0..whole.len() {
        for b in a + 1..whole.len() {
            let mut other = whole.clone();
            (other[a].1, other[b].1) = (whole[b].1.clone(), whole[a].1.clone());
            pack(&path, &other);
            let why = format!("{} and {} swapped", whole[a].0, whole[b].0);
            broken(&path, &whole[a].0, &why);
            broken(&path, &whole[b].0, &why);
        }
    }
}

#[test]
fn added_repeated_and_hostile_names_are_named() {
    let (_folder, path) = package();
    let whole = files(&path);
    for name in [
        "added.csv",
        "../evil.csv",
        "/etc/passwd",
        "a\\b.csv",
        "population/",
        "x\u{202e}vsc.exe",
    ] {
        let mut other = whole.clone();
        other.insert(3, (name.to_owned(), b"x".to_vec()));
        pack(&path, &other);
        broken(
            &path,
            &crate::text::visible(name),
            &format!("`{name}` added"),
        );
    }
    for (name, bytes) in &whole {
        let mut other = whole.clone();
        other.insert(0, (name.clone(), bytes.clone()));
        pack(&path, &other);
        broken(&path, name, &format!("{name} twice"));
    }
}

/// EVERY byte of a package: no bit of it is free.
#[test]
fn every_flipped_byte_is_found() {
    let (_folder, path) = package();
    let bytes = fs::read(&path).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let mut put = |at: usize, byte: u8| {
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&[byte]).unwrap();
    };
    for (at, byte) in bytes.iter().enumerate() {
        put(at, byte ^ (1 << (at % 8)));
        let report = check(&path);
        assert_eq!(
            report.state,
            PackageState::Broken,
            "bit {} of byte {at}",
            at % 8
        );
        assert!(!report.problems.is_empty(), "byte {at} has a reason");
        put(at, *byte);
    }
    assert_eq!(check(&path).problems, [], "the last byte was put back");
}

/// Cut, glued, shuffled and overwritten at random: found, and never a panic.
#[test]
fn random_mutations_are_found() {
    let (_folder, path) = package();
    let bytes = fs::read(&path).unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for round in 0..3000 {
        let mut other = bytes.clone();
        let (a, b) = (random(bytes.len()), random(bytes.len()));
        let (from, to) = (a.min(b), a.max(b));
        match round % 6 {
            0 => other.truncate(a),
            1 => drop(other.drain(from..to)),
            2 => other
                .splice(a..a, bytes[from..to].iter().copied())
                .for_each(drop),
            3 => other[from..to].reverse(),
            4 => (0..=random(8)).for_each(|_| other[random(bytes.len())] = random(256) as u8),
            _ => other.insert(a, random(256) as u8),
        }
        if other == bytes {
            continue;
        }
        fs::write(&path, &other).unwrap();
        assert_eq!(
            check(&path).state,
            PackageState::Broken,
            "round {round} at {a}, {b}"
        );
    }
}

#[test]
fn bytes_before_between_and_after_and_a_comment_are_found() {
    let (folder, path) = package();
    let bytes = fs::read(&path).unwrap();
    let other = folder.path().join("other.zip");
    let mut cases = vec![("before", [b"#!/bin/sh\n".as_slice(), &bytes].concat())];
    cases.push(("after", [bytes.as_slice(), b"x"].concat()));
    let mut comment = bytes.clone();
    let len = comment.len();
    comment[len - 2] = 2;
    comment.extend(b"hi");
    cases.push(("comment", comment));
    cases.push(("twice", [bytes.as_slice(), &bytes].concat()));
    for (why, bytes) in cases {
        fs::write(&other, bytes).unwrap();
        assert_eq!(check(&other).state, PackageState::Broken, "{why}");
    }
    for (bytes, message) in [
        (&b""[..], "the file is empty"),
        (b"hello, this is a text", "this is not a zip archive"),
        (
            &bytes[..bytes.len() - 30],
            "the end of the archive is missing: the file is cut off or damaged",
        ),
    ] {
        fs::write(&other, bytes).unwrap();
        assert_eq!(check(&other).problems, [whole(message)]);
    }
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("absent.zip"), folder.path().to_owned()] {
        assert!(
            verify_package(&path, &VerifyOptions::default()).is_err(),
            "{path:?}"
        );
    }
}

#[test]
fn another_program_s_archive_of_the_same_files_is_not_the_package() {
    let (_folder, path) = package();
    let whole = files(&path);
    let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
    for (name, bytes) in &whole {
        writer
            .start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    let report = check(&path);
    assert_eq!(report.state, PackageState::Broken);
    assert_eq!(
        report.signer,
        Some(key(7).fingerprint()),
        "the signature over the content still holds"
    );
}

#[test]
fn bombs_links_and_encryption_are_refused() {
    let (_folder, path) = package();
    let mut whole = files(&path);
    whole.insert(1, ("bomb.csv".to_owned(), vec![b'a'; 1 << 20]));
    pack(&path, &whole);
    let bounds = Bounds {
        ratio: 100,
        ratio_from: 1 << 16,
        ..Bounds::default()
    };
    let named = |bounds| {
        let problems = examine(&path, bounds).unwrap().problems;
        problems
            .iter()
            .any(|p| p.message.contains("attack") || p.message.contains("than a package may hold"))
    };
    assert!(named(bounds), "ratio");
    assert!(
        named(Bounds {
            total_bytes: 1 << 20,
            ..Bounds::default()
        }),
        "size"
    );
    assert!(
        !named(Bounds::default()),
        "within bounds it is only an added file"
    );
    let (_folder, path) = package();
    let bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(4)
        .position(|w| w == archive::CENTRAL)
        .unwrap();
    for (offset, byte, word) in [
        (8, 1, "encrypted"),
        (41, 0xa1, "link"),
        (10, 99, "compressed in a way"),
    ] {
        let mut other = bytes.clone();
        other[at + offset] = byte;
        fs::write(&path, &other).unwrap();
        let report = check(&path);
        assert!(
            report.problems.iter().any(|p| p.message.contains(word)),
            "{word}: {:?}",
            report.problems
        );
    }
}

#[test]
fn files_that_share_their_data_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("overlap.zip");
    let packed = deflate(&vec![b'a'; 1 << 20]);
    let entry = |name: String| Entry {
        name,
        packing: Packing::Deflated,
        crc: crc32fast::hash(&vec![b'a'; 1 << 20]),
        bytes: 1 << 20,
        packed: packed.len() as u64,
        offset: 0,
    };
    let entries: Vec<Entry> = (0..200).map(|n| entry(format!("f{n:03}"))).collect();
    let mut out = [archive::local_header(&entries[0]), packed.clone()].concat();
    let (directory, at) = (archive::directory(&entries), out.len());
    out.extend(&directory);
    out.extend(archive::ending(
        entries.len(),
        at as u64,
        directory.len() as u64,
    ));
    fs::write(&path, out).unwrap();
    let report = check(&path);
    assert!(
        report
            .problems
            .contains(&whole("files of the archive overlap")),
        "{:?}",
        report.problems
    );
}

/// Integrity, signature and signer: each combination has one answer.
#[test]
fn truth_table() {
    let (_folder, path) = package();
    let whole = files(&path);
    let resealed = |seed: u8| {
        let mut other = whole.clone();
        let statement = other.iter().find(|f| f.0 == STATEMENT).unwrap().1.clone();
        let key = key(seed);
        let signature = key.sign(&layout::pae(&statement));
        for (name, bytes) in &mut other {
            match name.as_str() {
                layout::ENVELOPE => {
                    *bytes = layout::envelope(&statement, &key.fingerprint(), &signature).unwrap()
                }
                layout::SIGNATURE => *bytes = signature.to_vec(),
                layout::PUBLIC_KEY => *bytes = key.public_key_pem().into_bytes(),
                _ => {}
            }
        }
        other
    };
    let content_altered = |mut files: Files| {
        files[2].1[3] ^= 1;
        files
    };
    let signature_wrong = |mut files: Files| {
        files
            .iter_mut()
            .find(|f| f.0 == layout::SIGNATURE)
            .unwrap()
            .1[10] ^= 1;
        files
    };
    let (ours, theirs) = (Some(key(7).fingerprint()), Some(key(8).fingerprint()));
    use PackageState::{Broken, Intact, IntactSignerUnknown};
    let cases = [
        (
            "ours, nobody asked for",
            resealed(7),
            None,
            IntactSignerUnknown,
            &ours,
        ),
        (
            "ours, ours asked for",
            resealed(7),
            ours.clone(),
            Intact,
            &ours,
        ),
        (
            "ours, theirs asked for",
            resealed(7),
            theirs.clone(),
            IntactSignerUnknown,
            &ours,
        ),
        (
            "signed again by them, nobody asked for",
            resealed(8),
            None,
            IntactSignerUnknown,
            &theirs,
        ),
        (
            "signed again by them, ours asked for",
            resealed(8),
            ours.clone(),
            IntactSignerUnknown,
            &theirs,
        ),
        (
            "signed again by them, theirs asked for",
            resealed(8),
            theirs.clone(),
            Intact,
            &theirs,
        ),
        (
            "altered, nobody asked for",
            content_altered(resealed(7)),
            None,
            Broken,
            &ours,
        ),
        (
            "altered, ours asked for",
            content_altered(resealed(7)),
            ours.clone(),
            Broken,
            &ours,
        ),
        (
            "altered, theirs asked for",
            content_altered(resealed(7)),
            theirs.clone(),
            Broken,
            &ours,
        ),
        (
            "bad signature, nobody asked for",
            signature_wrong(resealed(7)),
            None,
            Broken,
            &ours,
        ),
        (
            "bad signature, ours asked for",
            signature_wrong(resealed(7)),
            ours.clone(),
            Broken,
            &ours,
        ),
        (
            "altered and bad signature",
            content_altered(signature_wrong(resealed(7))),
            ours.clone(),
            Broken,
            &ours,
        ),
    ];
    for (why, files, asked, state, signer) in cases {
        pack(&path, &files);
        let report = verify_package(
            &path,
            &VerifyOptions {
                signer: asked.clone(),
                extends: None,
            },
        )
        .unwrap();
        assert_eq!(
            (report.state, &report.signer),
            (state, signer),
            "{why}: {:?}",
            report.problems
        );
        let differs = asked.is_some() && asked != *signer;
        assert_eq!(
            report.problems.is_empty(),
            state != Broken && !differs,
            "{why}: {:?}",
            report.problems
        );
    }
}

#[test]
fn no_signature_at_all_has_no_signer() {
    let (_folder, path) = package();
    let mut whole = files(&path);
    let other = key(9);
    whole
        .iter_mut()
        .find(|f| f.0 == layout::PUBLIC_KEY)
        .unwrap()
        .1 = other.public_key_pem().into_bytes();
    pack(&path, &whole);
    let report = check(&path);
    assert_eq!((report.state, report.signer), (PackageState::Broken, None));
    assert_eq!(
        report.package_id, None,
        "what nobody signed is not repeated"
    );
    assert!(
        report
            .problems
            .iter()
            .any(|p| p.file.as_deref() == Some(layout::PUBLIC_KEY))
    );
}

/// The signer is free to sign nonsense; the verifier still says that it is no package.
#[test]
fn a_signed_contradiction_is_broken() {
    let (_folder, path) = package();
    let whole = files(&path);
    type Change = fn(&mut Manifest);
    let cases: [(&str, Change, &str); 4] = [
        (
            "rows",
            |m| m.files[2].rows = Some(7),
            "population/accounts.csv",
        ),
        (
            "packed digest",
            |m| m.files[2].packed_sha256 = "0".repeat(64),
            "population/accounts.csv",
        ),
        (
            "id",
            |m| m.package_id = "00000000-0000-8000-a000-000000000000".to_owned(),
            MANIFEST,
        ),
        ("newer", |m| m.version = 2, MANIFEST),
    ];
    for (why, change, file) in cases {
        let bytes = whole.iter().find(|f| f.0 == MANIFEST).unwrap().1.clone();
        let mut manifest: Manifest = serde_json::from_slice(&bytes).unwrap();
        change(&mut manifest);
        if why != "id" {
            manifest.package_id = layout::package_id(&manifest).unwrap();
        }
        let bytes = layout::json(&manifest).unwrap();
        let sums = layout::sums(&manifest, &bytes);
        let statement = layout::statement(&manifest, &bytes, &sums).unwrap();
        let signature = key(7).sign(&layout::pae(&statement));
        let seal = [
            bytes,
            sums,
            statement.clone(),
            layout::pae(&statement),
            layout::envelope(&statement, &key(7).fingerprint(), &signature).unwrap(),
            signature.to_vec(),
            key(7).public_key_pem().into_bytes(),
        ];
        let mut other: Files = whole[..4].to_vec();
        other.extend(layout::SEAL.into_iter().map(str::to_owned).zip(seal));
        pack(&path, &other);
        broken(&path, file, why);
        if why == "newer" {
            let report = check(&path);
            assert_eq!(report.problems.len(), 1);
            assert!(report.problems[0].message.contains("newer version"));
        }
    }
}

#[test]
fn a_package_continues_the_one_that_it_names() {
    let (folder, old) = package();
    let new = folder.path().join("new.zip");
    let (previous, signer) = previous_of(&old).unwrap().unwrap();
    assert_eq!(signer, key(7).fingerprint());
    let named = previous.clone();
    make(
        &new,
        PackageHeader {
            previous: Some(previous),
            ..header()
        },
        &key(7),
    );
    let against = |new: &Path, old: &Path| {
        let options = VerifyOptions {
            signer: None,
            extends: Some(old.to_owned()),
        };
        verify_package(new, &options).unwrap()
    };
    assert_eq!(against(&new, &old).problems, []);
    assert_eq!(
        against(&old, &new).state,
        PackageState::Broken,
        "the other way round"
    );
    assert_eq!(against(&new, &new).state, PackageState::Broken, "itself");
    let of_another = folder.path().join("another.zip");
    make(
        &of_another,
        PackageHeader {
            previous: Some(named),
            ..header()
        },
        &key(9),
    );
    let report = against(&of_another, &old);
    assert_eq!(report.state, PackageState::Broken, "of another store");
    let [problem] = report.problems.as_slice() else {
        panic!("one problem: {:?}", report.problems);
    };
    assert!(problem.message.contains("another store"), "{problem:?}");
    make(
        &old,
        PackageHeader {
            made_at: "2026-03-02T00:00:00Z".to_owned(),
            ..header()
        },
        &key(7),
    );
    assert_eq!(
        against(&new, &old).state,
        PackageState::Broken,
        "the same content made again is another file"
    );
}
