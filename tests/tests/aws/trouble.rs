//! What is refused: wrong secrets, deleted keys, too few and too many rights, fingerprints by another
//! login alone.

use crate::estate::*;
use lastkey_contract::facts::Location;
use lastkey_contract::{ErrorKind, Fact, Fingerprint, Fingerprinter, Kind, NoFingerprint, Secret};
use lastkey_tests::labs::MotoKey;
use serde_json::json;

fn wait<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(what)
}

#[test]
fn keys_and_rights_are_checked() {
    let Some(estate) = Estate::or_not_run("keys and rights of an AWS login are checked") else {
        return;
    };
    let report = wait(estate.connector(&[]).check()).unwrap();
    assert!(
        report
            .signed_in_as
            .unwrap()
            .ends_with(":user/lastkey-reader")
    );
    assert!(
        report.missing_rights.is_empty(),
        "{:?}",
        report.missing_rights
    );
    assert!(
        report.excess_rights.is_empty(),
        "{:?}",
        report.excess_rights
    );
    assert!(report.rights_known);

    let report = wait(estate.by(&estate.admin, &[]).check()).unwrap();
    let excess: Vec<&str> = report
        .excess_rights
        .iter()
        .map(|right| right.name.as_str())
        .collect();
    for action in [
        "secretsmanager:GetSecretValue",
        "iam:PassRole",
        "iam:CreateAccessKey",
    ] {
        assert!(excess.contains(&action), "{excess:?}");
    }

    // Whom moto refuses is told in a shape of its own, so that too few rights are in `contract.rs`.
    let wrong = MotoKey {
        secret: "canary-of-a-wrong-secret".to_owned(),
        ..estate.reader.clone()
    };
    let error = wait(estate.by(&wrong, &[]).check()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AuthRejected, "{error}");
    assert!(!format!("{error:?}").contains("canary"));

    let deleted = json!({ "UserName": "nobody", "AccessKeyId": estate.nobody.id });
    estate.lab.ask(
        Some(&estate.admin),
        &[call("iam", "delete_access_key", deleted)],
    );
    let error = wait(estate.by(&estate.nobody, &[]).check()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AuthRejected, "{error}");
}

/// Shows what it was given, so that a test can see it.
struct Shown;
impl Fingerprinter for Shown {
    fn of(&self, value: &[u8]) -> Result<Fingerprint, NoFingerprint> {
        Ok(Fingerprint::new(String::from_utf8_lossy(value)))
    }
}

#[test]
fn fingerprints_take_a_login_of_their_own() {
    let Some(estate) = Estate::or_not_run("fingerprints of AWS") else {
        return;
    };
    let (facts, _) = read_all(estate.connector(&[]));
    let locations: Vec<Location> = facts[&Kind::Location]
        .iter()
        .filter_map(|fact| match fact {
            Fact::Location(location) => Some(location.clone()),
            _ => None,
        })
        .collect();
    assert!(
        estate.connector(&[]).value_reader(None).unwrap().is_err(),
        "none is named"
    );
    let named = [("values_access_key_id", estate.admin.id.as_str())];
    let secret = Secret::new(estate.admin.secret.clone());
    let mut reader = estate
        .connector(&named)
        .value_reader(Some(secret))
        .unwrap()
        .unwrap();
    let made = wait(reader.fingerprint(locations.clone(), &Shown)).unwrap();
    let shown: Vec<&str> = made
        .locations
        .iter()
        .filter_map(|location| Some(location.fingerprint.as_ref()?.as_str()))
        .collect();
    assert!(
        shown.contains(&CANARIES[0]) && shown.contains(&CANARIES[1]),
        "{shown:?}"
    );

    // The login that reads may not.
    let named = [("values_access_key_id", estate.reader.id.as_str())];
    let secret = Secret::new(estate.reader.secret.clone());
    let mut reader = estate
        .connector(&named)
        .value_reader(Some(secret))
        .unwrap()
        .unwrap();
    let made = wait(reader.fingerprint(locations, &Shown)).unwrap();
    assert!(
        made.locations
            .iter()
            .all(|location| location.fingerprint.is_none())
    );
    assert!(
        made.notes
            .iter()
            .any(|note| note.reason.contains("may not read it"))
    );
}
