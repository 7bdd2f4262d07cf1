//! A tree planted at run time, scanned through the public door: every place, who reads it, what it
//! names, what was left out, and that no value is told.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod honest;
mod planted;

use lastkey_contract::facts::Reader;
use lastkey_contract::{
    ErrorKind, Fact, Fingerprint, Fingerprinter, Kind, NoFingerprint, PageRequest,
};
use planted::{Planted, check, credentials, locations, read};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn aws() -> (String, String) {
    let id = ["AKIA", "Q3EGRZ7NFB5LMYXW"].concat();
    let secret = ["wJ4rXUtnF3EMI+K7MDENG", "bPxRfiCYzK9lQ2mT8Yu"].concat();
    (id, secret)
}

fn home() -> Planted {
    let (id, secret) = aws();
    let github = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
    Planted::new(&[
        (
            ".aws/credentials",
            &format!("[dev]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
        ),
        ("notes.md", &format!("the old key was {id}\n")),
        (
            "app/.env",
            &format!("GITHUB_TOKEN={github}\nDB_PASSWORD=carrier-pigeon\nMODE=prod\n"),
        ),
        (
            "app/deploy.sh",
            &format!("curl -H 'Authorization: token {github}'\n# fine\n"),
        ),
        (
            ".netrc",
            "machine git.corp login ann password horse-battery\n",
        ),
        (
            ".kube/config",
            "users:\n- name: ann@prod\n  user: {token: battery-staple}\n",
        ),
        ("clean.txt", "nothing here\n"),
    ])
}

#[test]
fn places_are_told_with_rule_and_field() {
    check(
        &home(),
        &[],
        &[
            (
                "aws-secret-access-key",
                ".aws/credentials#dev.aws_secret_access_key",
            ),
            ("kubeconfig", ".kube/config#users.0.user.token"),
            ("netrc", ".netrc#git.corp.password"),
            ("github-token", "app/.env#GITHUB_TOKEN"),
            ("env-file", "app/.env#DB_PASSWORD"),
            ("github-token", "app/deploy.sh#L1"),
            ("aws-access-key-id", "notes.md#L1"),
        ],
    );
}

#[test]
fn a_credential_is_named_where_the_place_names_one() {
    let (home, (id, _)) = (home(), aws());
    let connector = home.connector(&[]);
    let named: Vec<(String, Option<String>)> = credentials(connector.as_ref())
        .into_iter()
        .map(|c| (c.id.to_string(), c.name))
        .collect();
    let user = format!("{}#ann@prod", home.shown(".kube/config"));
    assert_eq!(
        named,
        [
            (user.clone(), Some("ann@prod".to_owned())),
            (id.clone(), None)
        ]
    );
    let (places, _) = locations(connector.as_ref());
    let at = |name: &str| -> Vec<Option<String>> {
        let path = home.shown(name);
        let here = places.iter().filter(|place| place.path.as_str() == path);
        here.map(|place| place.credential_id.as_ref().map(ToString::to_string))
            .collect()
    };
    assert_eq!(at(".aws/credentials"), [Some(id.clone())]);
    assert_eq!(at(".kube/config"), [Some(user)]);
    // The id alone opens nothing.
    assert_eq!(at("notes.md"), [None]);
    let names = places
        .iter()
        .find_map(|place| place.attributes.get("names"));
    assert_eq!(names, Some(&id));
    // Where the account at AWS is a system of its own, the key is that system's.
    let joined = home.connector(&[("aws_system", "corp-aws")]);
    assert!(
        credentials(joined.as_ref())
            .iter()
            .all(|c| c.id.as_str() != id)
    );
    let (places, _) = locations(joined.as_ref());
    let place = places
        .iter()
        .find(|p| p.credential_id.as_ref().is_some_and(|c| c.as_str() == id));
    let system = place.unwrap().credential_system.as_ref().unwrap();
    assert_eq!(system.as_str(), "corp-aws");
}

#[test]
fn no_value_is_told() {
    let home = home();
    let connector = home.connector(&[]);
    let mut all = String::new();
    for capability in connector.capabilities() {
        all += &format!("{:?}", read(connector.as_ref(), capability.kind, 2));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    all += &format!("{:?}", runtime.block_on(connector.check()));
    assert!(all.contains("DB_PASSWORD"));
    let (_, secret) = aws();
    for value in [
        "carrier-pigeon",
        "horse-battery",
        "battery-staple",
        "zQWBuTSOoRi4",
        &secret,
    ] {
        assert!(!all.contains(value), "{value}");
    }
}

/// Shows what it was given, so that a test can see it.
struct Shown;
impl Fingerprinter for Shown {
    fn of(&self, value: &[u8]) -> Result<Fingerprint, NoFingerprint> {
        match value.len() < 8 {
            true => Err(NoFingerprint::TooShort),
            false => Ok(Fingerprint::new(String::from_utf8_lossy(value))),
        }
    }
}

#[test]
fn fingerprints_are_of_the_same_forms_as_elsewhere() {
    let encoded = "Y2Fycmllci1waWdlb24tMTIzNDU2Cg==";
    let home = Planted::new(&[(
        ".env",
        &format!("DB_URL=postgres://app:s3cret%2Fpass@db/x\nA_SECRET={encoded}\nB_SECRET=short1\n"),
    )]);
    let connector = home.connector(&[]);
    let (places, _) = locations(connector.as_ref());
    let mut reader = connector.value_reader(None).unwrap().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let made = runtime
        .block_on(reader.fingerprint(places.clone(), &Shown))
        .unwrap();
    let path = home.shown(".env");
    let prints: Vec<(String, Option<String>)> = made
        .locations
        .iter()
        .map(|place| {
            let field = place.attributes["field"]
                .strip_prefix(&format!("{path}#"))
                .unwrap();
            (
                field.to_owned(),
                place.fingerprint.as_ref().map(ToString::to_string),
            )
        })
        .collect();
    let of = |field: &str, value: Option<&str>| (field.to_owned(), value.map(str::to_owned));
    assert_eq!(
        prints,
        [
            of("DB_URL", Some("postgres://app:s3cret%2Fpass@db/x")),
            of("DB_URL:password", Some("s3cret/pass")),
            of("A_SECRET", Some(encoded)),
            of("A_SECRET:base64", Some("carrier-pigeon-123456")),
            of("B_SECRET", None),
        ]
    );
    assert!(
        made.locations
            .iter()
            .all(|place| place.path.as_str() == path)
    );
    assert_eq!(made.notes.len(), 1);
    // A file that changed meanwhile, and one that leads elsewhere by now.
    fs::write(home.top().join(".env"), "NOTHING=here\n").unwrap();
    let made = runtime
        .block_on(reader.fingerprint(places.clone(), &Shown))
        .unwrap();
    assert!(
        made.locations
            .iter()
            .all(|place| place.fingerprint.is_none())
    );
    assert_eq!(made.notes[0].count, 3);
    let outside = home.folder.path().join("outside.env");
    fs::write(&outside, "A_SECRET=carrier-pigeon-123456\n").unwrap();
    fs::remove_file(home.top().join(".env")).unwrap();
    symlink(&outside, home.top().join(".env")).unwrap();
    let mut row = places[1].clone();
    let made = runtime
        .block_on(reader.fingerprint(vec![row.clone()], &Shown))
        .unwrap();
    assert!(
        made.locations[0].fingerprint.is_none(),
        "a link was followed"
    );
    row.path = outside.display().to_string().into();
    let made = runtime
        .block_on(reader.fingerprint(vec![row], &Shown))
        .unwrap();
    assert!(made.locations[0].fingerprint.is_none(), "it left the tree");
}

#[test]
fn readers_are_those_whom_the_modes_let() {
    let planted = Planted::new(&[
        ("open/.env", "A_TOKEN=carrier-pigeon\n"),
        ("own/.env", "A_TOKEN=carrier-pigeon\n"),
    ]);
    fs::set_permissions(planted.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for (name, mode) in [("open/.env", 0o644), ("own/.env", 0o600)] {
        fs::set_permissions(planted.top().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let (facts, notes) = read(planted.connector(&[]).as_ref(), Kind::Reader, 2);
    assert_eq!(notes, []);
    let of = |name: &str| -> Vec<String> {
        let path = planted.shown(name);
        facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Reader(Reader {
                    path: at,
                    principal,
                    ..
                }) if at.as_str() == path => Some(principal.id.clone()),
                _ => None,
            })
            .collect()
    };
    assert!(
        of("open/.env").contains(&"everyone".to_owned()),
        "{:?}",
        of("open/.env")
    );
    assert!(!of("own/.env").contains(&"everyone".to_owned()));
    assert!(of("own/.env").contains(&"0".to_owned()));
}

#[test]
fn pages_of_any_size_are_the_same_and_another_state_loses_the_place() {
    let home = home();
    let connector = home.connector(&[]);
    let whole = read(connector.as_ref(), Kind::Location, 5_000).0;
    for limit in [1, 2, 3] {
        assert_eq!(read(connector.as_ref(), Kind::Location, limit).0, whole);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ask = |cursor| PageRequest {
            cursor,
            limit: 2,
            since: None,
        };
        let mut session = connector.connect().await.unwrap();
        let first = session.read_page(Kind::Location, ask(None)).await.unwrap();
        home.file("zz.env", b"Z_TOKEN=carrier-pigeon\n");
        // The session shows the state it began with; a later one says that it is another.
        session
            .read_page(Kind::Location, ask(first.next.clone()))
            .await
            .unwrap();
        let mut later = connector.connect().await.unwrap();
        let error = later
            .read_page(Kind::Location, ask(first.next))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorLost);
    });
}

#[test]
fn a_secret_is_found_in_any_piece_of_a_large_file() {
    let line = "a line of a log without anything in it\n";
    let github = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
    let (mut text, mut wanted) = (String::new(), Vec::new());
    for n in 0..120_000 {
        text.push_str(line);
        if n % 13_331 == 5 {
            text.push_str(&format!("token {github}\n"));
            wanted.push(text.lines().count().to_string());
        }
    }
    assert!(text.len() > 4 * 1024 * 1024);
    let planted = Planted::new(&[("large.log", &text), ("windows.txt", "")]);
    let wide: Vec<u8> = format!("\u{feff}x\r\ntoken {github}\r\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    planted.file("windows.txt", &wide);
    let (places, notes) = locations(planted.connector(&[]).as_ref());
    assert_eq!(notes, []);
    let lines: Vec<&str> = places
        .iter()
        .map(|place| place.attributes["line"].as_str())
        .collect();
    let expected: Vec<&str> = wanted.iter().map(String::as_str).chain(["2"]).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_key_that_lies_here_opens_the_accounts_whose_lists_let_it_in() {
    let made = Path::new("/usr/bin/ssh-keygen").exists();
    assert!(made, "ssh-keygen is needed");
    let planted = Planted::new(&[("x", "")]);
    fs::create_dir(planted.top().join(".ssh")).unwrap();
    for (name, kind) in [("id_ed25519", "ed25519"), ("id_rsa", "rsa")] {
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-C", "ann@laptop", "-f"])
            .arg(planted.top().join(".ssh").join(name))
            .args(if kind == "rsa" {
                &["-m", "PEM"][..]
            } else {
                &[]
            })
            .status();
        assert!(made.unwrap().success());
    }
    let public = fs::read_to_string(planted.top().join(".ssh/id_ed25519.pub")).unwrap();
    planted.file(
        ".ssh/authorized_keys",
        format!("# mine\nfrom=\"10.0.0.1\" {public}").as_bytes(),
    );
    let listed = std::process::Command::new("ssh-keygen")
        .arg("-lf")
        .arg(planted.top().join(".ssh/id_ed25519.pub"))
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let print = listed.split(' ').nth(1).unwrap();
    let connector = planted.connector(&[]);
    let credentials = credentials(connector.as_ref());
    let opens = credentials
        .iter()
        .find(|c| c.id.as_str() == format!("{print}@1000"))
        .unwrap();
    assert_eq!(opens.account_id.as_ref().unwrap().as_str(), "1000");
    assert_eq!(opens.attributes["public_key"], print);
    assert_eq!(credentials.len(), 2, "{credentials:?}");
    let (places, _) = locations(connector.as_ref());
    let here: Vec<(&str, &str)> = places
        .iter()
        .map(|p| {
            (
                p.path.as_str().rsplit('/').next().unwrap(),
                p.credential_id.as_ref().unwrap().as_str(),
            )
        })
        .collect();
    let other = credentials
        .iter()
        .find(|c| !c.id.as_str().contains('@'))
        .unwrap();
    assert_eq!(
        here,
        [
            ("id_ed25519", opens.id.as_str()),
            ("id_rsa", other.id.as_str())
        ]
    );
}

#[test]
fn a_store_of_keys_is_a_place_if_it_is_one() {
    let planted = Planted::new(&[("fake.p12", "not a store"), ("fake.jks", "nor this")]);
    planted.file("id.p12", &[0x30, 0x82, 0x0a, 0x11, 0x02, 0x01, 0x03, 0x30]);
    planted.file("server.jks", &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]);
    let stores = [("key-store", "id.p12"), ("key-store", "server.jks")];
    check(&planted, &[], &stores);
}
