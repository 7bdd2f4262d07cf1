//! A Secret's value is the same secret as in a file of a workstation: by fingerprints, with consent.

use crate::estate::*;
use lastkey_tests::desk::Desk;
use serde_json::Value;

fn rows(desk: &Desk) -> Vec<Value> {
    desk.lines(0, &["locations"])
}

fn fingerprint(desk: &Desk, field: &str) -> Value {
    let rows = rows(desk);
    let row = rows.iter().find(|row| row.to_string().contains(field));
    row.unwrap_or_else(|| panic!("no row of {field}"))["fingerprint"].clone()
}

fn values_read(estate: &Estate) -> usize {
    let log = estate.lab.audited();
    let own = |by: &str| by.starts_with("system:serviceaccount:lastkey:");
    log.iter()
        .filter(|request| {
            own(&request.by) && request.verb == "get" && request.path.contains("/secrets/")
        })
        .count()
}

#[test]
fn values_become_fingerprints_on_consent_alone_and_are_kept_nowhere() {
    let Some(lab) = lab("fingerprints of Secrets") else {
        return;
    };
    let estate = Estate::found(lab);
    let desk = Desk::new();
    let secret = desk.write_secret("token", &estate.token);
    let settings = estate.settings(&[]);
    let pairs: Vec<String> = settings.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mut add = vec![
        "source",
        "add",
        "kubernetes",
        "cluster",
        "--secret-file",
        &secret,
    ];
    for pair in &pairs {
        add.extend(["--set", pair.as_str()]);
    }
    desk.expect(0, &add);
    let mut said = desk.expect(0, &["sync", "cluster"]);
    assert!(rows(&desk).iter().all(|row| row["fingerprint"].is_null()));
    assert_eq!(
        values_read(&estate),
        0,
        "without consent no value is asked for"
    );

    script(&estate.lab, &[], 1);
    let token = estate.lab.token("lastkey", "values");
    let values = desk.write_secret("values-token", &token);
    desk.expect(
        0,
        &[
            "source",
            "fingerprints",
            "cluster",
            "on",
            "--secret-file",
            &values,
        ],
    );
    said.push_str(&desk.expect(0, &["sync", "cluster"]));
    assert!(values_read(&estate) > 0);
    let db = fingerprint(&desk, "shop/db#password");
    assert!(db.is_string());
    assert_eq!(
        db,
        fingerprint(&desk, "site/from-vault#password"),
        "the same secret twice"
    );
    assert_ne!(db, fingerprint(&desk, "shop/web#key"));

    let folder = desk.room.path("laptop");
    std::fs::create_dir(&folder).unwrap();
    let env = format!("DB_PASSWORD={}\n", CANARIES[0]);
    std::fs::write(folder.join(".env"), env).unwrap();
    let set = format!("folder={}", folder.display());
    let add = ["source", "add", "workstation", "laptop", "--set", &set];
    desk.expect(0, &[&add[..], &["--set", "system=ws-ann"]].concat());
    desk.expect(0, &["source", "fingerprints", "laptop", "on"]);
    desk.expect(0, &["sync", "laptop"]);
    assert_eq!(
        fingerprint(&desk, ".env#DB_PASSWORD"),
        db,
        "and a third time in a file"
    );

    for canary in CANARIES {
        let told = format!("{said} {:?}", rows(&desk));
        assert!(!told.contains(canary), "{canary} is told");
        assert!(!estate.lab.log().contains(canary));
    }
}
