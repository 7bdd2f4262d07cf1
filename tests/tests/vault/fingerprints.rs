//! Fingerprints from consent to consent withdrawn, at the command line, and canaries nowhere.

use crate::estate::*;
use lastkey_tests::desk::Desk;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The vault as a source, and a login that may read values, made by the connector's own script.
fn desk(estate: &Estate) -> (Desk, String) {
    let desk = Desk::new();
    let secret = desk.write_secret("secret-id", &estate.secret_id);
    let settings = estate.settings(&[]);
    let pairs: Vec<String> = settings.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mut add = vec!["source", "add", "vault", "safe", "--secret-file", &secret];
    for pair in &pairs {
        add.extend(["--set", pair.as_str()]);
    }
    desk.expect(0, &add);
    let scripts = lastkey_vault::scripts(&settings);
    // The commented lines are those of stores of the first version.
    let policy = scripts[2]
        .text
        .replace("# path", "path")
        .replace("#   cap", "  cap")
        .replace("# }", "}");
    estate.lab.root(
        "PUT",
        "sys/policies/acl/lastkey-values",
        json!({ "policy": policy }),
    );
    let body = json!({ "policies": ["lastkey-values"], "no_default_policy": true, "ttl": "1h", "display_name": "values" });
    let made = estate.lab.write("auth/token/create-orphan", body);
    let token = made["auth"]["client_token"].as_str().unwrap();
    (Desk { ..desk }, token.to_owned())
}

fn rows(desk: &Desk) -> Vec<Value> {
    desk.lines(0, &["locations"])
}

fn values_read(estate: &Estate) -> usize {
    let log = estate.lab.audited(0);
    let value = |r: &&lastkey_tests::labs::Audited| {
        r.by.starts_with("token-values")
            && r.operation == "read"
            && (r.path.starts_with("secret/data/") || r.path.starts_with("team/old/"))
    };
    log.iter().filter(value).count()
}

/// The same secret in a file of a workstation is seen to be the same, and needs no second login.
fn and_in_a_file(desk: &Desk, secret: &str, prod: &str) {
    let folder = desk.room.path("laptop");
    std::fs::create_dir(&folder).unwrap();
    let env = format!(
        "DB_PASSWORD={}\nDB_URL=postgres://app:{}@elsewhere/y\n",
        CANARIES[0], CANARIES[1]
    );
    std::fs::write(folder.join(".env"), env).unwrap();
    let set = format!("folder={}", folder.display());
    let add = ["source", "add", "workstation", "laptop", "--set", &set];
    desk.expect(0, &[&add[..], &["--set", "system=ws-ann"]].concat());
    desk.expect(0, &["sync", "laptop"]);
    let here = |field: &str| {
        let of_laptop = |row: &&Value| row["system"] == "ws-ann" && row.to_string().contains(field);
        let rows = rows(desk);
        rows.iter().find(of_laptop).unwrap()["fingerprint"].clone()
    };
    assert!(here(".env#DB_PASSWORD").is_null(), "without consent");
    let on = ["source", "fingerprints", "laptop", "on"];
    let with_secret = [&on[..], &["--secret-file", secret]].concat();
    desk.trouble(2, &with_secret, "no sign-in");
    desk.expect(0, &on);
    desk.expect(0, &["sync", "laptop"]);
    assert_eq!(here(".env#DB_PASSWORD"), prod);
    let url = rows(desk)
        .iter()
        .find(|row| row.to_string().contains("secret/db/prod#url:password"))
        .unwrap()["fingerprint"]
        .clone();
    assert_eq!(
        here(".env#DB_URL:password"),
        url,
        "another address, the same password"
    );
}

#[test]
fn values_become_fingerprints_on_consent_alone_and_are_kept_nowhere() {
    let Some(lab) = lab("fingerprints of values") else {
        return;
    };
    let estate = Estate::found(lab);
    let (desk, token) = desk(&estate);
    let secret = desk.write_secret("values-token", &token);

    desk.expect(0, &["sync", "safe"]);
    assert_eq!(
        values_read(&estate),
        0,
        "without consent no value is asked for"
    );
    assert!(rows(&desk).iter().all(|row| row["fingerprint"].is_null()));

    desk.trouble(
        2,
        &["source", "fingerprints", "safe", "on"],
        "a login of their own",
    );
    desk.expect(
        0,
        &[
            "source",
            "fingerprints",
            "safe",
            "on",
            "--secret-file",
            &secret,
        ],
    );
    desk.expect(0, &["sync", "safe"]);
    assert!(values_read(&estate) >= 6, "the second login reads them");
    let rows_on = rows(&desk);
    let of = |field: &str| -> String {
        let row = rows_on.iter().find(|row| row.to_string().contains(field));
        row.unwrap_or_else(|| panic!("{field}: {rows_on:#?}"))["fingerprint"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let prod = of("secret/db/prod#password");
    assert_eq!(prod.len(), 16 + 1 + 64, "{prod}");
    assert_ne!(prod, of("secret/db/prod#url:password"));
    assert_eq!(of("secret/web#short"), "", "under 8 bytes");
    let encoded = of("secret/web#key:base64");
    assert!(!encoded.is_empty() && encoded != of("secret/web#key\""));
    let ids: BTreeSet<&str> = prod
        .split(':')
        .take(1)
        .chain(encoded.split(':').take(1))
        .collect();
    assert_eq!(ids.len(), 1, "one key, one id");
    let readers = desk.lines(0, &["readers"]);
    assert!(
        readers.iter().any(|r| r["path"] == "secret/db/prod"),
        "readers still name the place"
    );

    // Two copies of one secret are seen to be one.
    estate.lab.write(
        "secret/data/copy",
        json!({ "data": { "again": CANARIES[0] } }),
    );
    desk.expect(0, &["sync", "safe"]);
    let copies = rows(&desk)
        .iter()
        .filter(|row| row["fingerprint"] == prod.as_str())
        .count();
    assert_eq!(copies, 2);
    and_in_a_file(&desk, &secret, &prod);

    // Nothing that was said or kept holds a value, nor either login's secret.
    let mut traces: Vec<(String, Vec<u8>)> = Vec::new();
    let package = desk.room.path("p.zip").display().to_string();
    for arguments in [
        vec!["-vv", "sync", "safe"],
        vec!["-vv", "source", "check", "safe"],
        vec!["-vv", "sync", "laptop"],
        vec!["locations", "--json"],
        vec!["credentials", "--json"],
        vec!["readers", "--json"],
        vec!["secrets", "--json"],
        vec!["secrets", "--by-place", "--json"],
        vec![
            "secrets",
            "show",
            "corp-vault:secret/db/prod#password",
            "--json",
        ],
        vec!["journal", "--json"],
        vec!["events", "--json"],
        vec!["source", "list", "--json"],
        vec!["export", "--out", &package],
    ] {
        let (_, out, err) = desk.run(&arguments);
        traces.push((
            format!("{arguments:?}"),
            [out.into_bytes(), err.into_bytes()].concat(),
        ));
    }
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&package).unwrap()).unwrap();
    for index in 0..zip.len() {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut zip.by_index(index).unwrap(), &mut bytes).unwrap();
        traces.push((format!("package {index}"), bytes));
    }
    for entry in std::fs::read_dir(desk.room.path("")).unwrap().flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file() && !["key", "secret-id", "values-token"].contains(&name.as_str()) {
            traces.push((name, std::fs::read(&path).unwrap()));
        }
    }
    let encoded_canary = "Y2FuYXJ5LWJhc2U2NC1hODFiMGM=";
    let secrets = [
        encoded_canary,
        "pw-of-people-canary",
        estate.secret_id.as_str(),
        token.as_str(),
    ];
    for canary in CANARIES.iter().chain(&secrets) {
        let hex: String = canary.bytes().map(|b| format!("{b:02x}")).collect();
        for (place, bytes) in &traces {
            for form in [canary.as_bytes(), hex.as_bytes()] {
                assert!(
                    !bytes.windows(form.len()).any(|part| part == form),
                    "`{canary}` stands in {place}"
                );
            }
        }
    }
    assert!(
        traces
            .iter()
            .any(|(_, b)| b.windows(14).any(|part| part == b"secret/db/prod")),
        "the search finds what is there"
    );

    // A login that may no longer read leaves places without a fingerprint, and says so.
    estate
        .lab
        .write("auth/token/revoke-orphan", json!({ "token": token }));
    let told = desk.trouble(3, &["sync", "safe"], "");
    assert!(!told.contains(&token), "{told}");

    for source in ["laptop", "safe"] {
        desk.expect(0, &["source", "fingerprints", source, "off"]);
    }
    let before = values_read(&estate);
    desk.expect(0, &["sync", "safe", "laptop"]);
    assert_eq!(values_read(&estate), before);
    assert!(
        rows(&desk).iter().all(|row| row["fingerprint"].is_null()),
        "those that were made are gone"
    );
    assert_eq!(rows(&desk).len(), 8 + 2, "of the vault, and of the file");
}

#[test]
fn consent_is_not_a_setting() {
    let desk = Desk::new();
    let secret = desk.write_secret("s", "x");
    let add = |extra: &str, status: i32, says: &str| {
        desk.trouble(
            status,
            &[
                "source",
                "add",
                "vault",
                "safe",
                "--secret-file",
                &secret,
                "--set",
                "address=https://127.0.0.1:1",
                "--set",
                "system=v",
                "--set",
                "role_id=r",
                "--set",
                extra,
            ],
            says,
        )
    };
    add("fingerprints=on", 2, "not a setting");
}
