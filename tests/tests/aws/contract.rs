//! What moto leaves out, against a contract server: pages, inactive keys, refusals, faults.

use crate::estate::by;
use lastkey_conformance::read_to_end;
use lastkey_contract::{
    Connector, ConnectorError, ErrorKind, Fact, Kind, Note, NoteKind, Secret, Settings,
};
use lastkey_tests::labs::{AwsContract, AwsPlan};

const KEY: &str = "AKIAREADER0000000000";
const WRONG: &str = "canary-of-a-wrong-secret-0000";

fn connector(lab: &AwsContract, key: &str, more: &[(&str, &str)]) -> Box<dyn Connector> {
    let (endpoint, ca) = (lab.endpoint(), lab.ca_path().display().to_string());
    let own = [
        ("system", "aws-lab"),
        ("access_key_id", key),
        ("regions", "eu-west-1"),
        ("endpoint", endpoint.as_str()),
        ("ca_file", ca.as_str()),
        ("leave_out", "credential_report"),
    ];
    let mut settings = Settings::default();
    for (name, value) in own.iter().chain(more) {
        settings.0.insert((*name).to_owned(), (*value).to_owned());
    }
    lastkey_aws::configure(&settings, Some(Secret::new(WRONG.to_owned()))).unwrap()
}

pub fn read(lab: &AwsContract, kind: Kind) -> Result<(Vec<Fact>, Vec<Note>), ConnectorError> {
    let connector = connector(lab, KEY, &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pages = runtime.block_on(read_to_end(connector.as_ref(), kind, 3))?;
    let mut notes = Vec::new();
    let mut facts = Vec::new();
    for page in pages {
        facts.extend(page.records);
        notes.extend(page.notes);
    }
    Ok((facts, notes))
}

#[track_caller]
fn fails(lab: &AwsContract, kind: Kind, error: ErrorKind, says: &str) {
    match read(lab, kind) {
        Ok((facts, _)) => panic!("{} facts were read", facts.len()),
        Err(found) => {
            assert_eq!(found.kind, error, "{found}");
            assert!(found.message.contains(says), "{found}");
            assert!(found.hint.is_some() && !format!("{found:?}").contains(WRONG));
        }
    }
}

#[test]
fn users_are_read_page_after_page() {
    let lab = AwsContract::start(&AwsPlan::of(7, &[]));
    let (facts, notes) = read(&lab, Kind::Account).unwrap();
    let cut = notes.iter().filter(|note| !note.kind.keeps_completeness());
    assert_eq!(cut.count(), 0, "{notes:?}");
    let accounts = by(&facts, "name");
    assert_eq!(accounts.len(), 8, "root and seven users");
    let user = &accounts["user-6"];
    assert_eq!(user["id"], "AIDAUSER600000000000");
    assert_eq!(user["last_interactive_at"], "2026-02-03T04:05:06Z");
    assert_eq!(user["last_used_at"], "2026-03-04T05:06:07Z");
    assert_eq!(user["mfa"], false);
    assert_eq!(accounts["root"]["mfa"], true);

    let (facts, _) = read(&lab, Kind::Location).unwrap();
    assert_eq!(facts.len(), 5);
}

#[test]
fn inactive_keys_are_told_and_refused() {
    let lab = AwsContract::start(&AwsPlan::of(2, &[]));
    let (facts, _) = read(&lab, Kind::Credential).unwrap();
    let keys = by(&facts, "id");
    assert_eq!(keys["AKIAON00000000000000"]["enabled"], true);
    let off = &keys["AKIAOFF0000000000000"];
    assert_eq!(off["enabled"], false);
    assert_eq!(off["attributes"]["last_used_for"], "s3");
    assert!(
        keys.contains_key("111122223333/access_key_1"),
        "root has a key"
    );

    let inactive = connector(&lab, "AKIAINACTIVE00000000", &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(inactive.check()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AuthRejected);
    assert!(error.message.contains("inactive"), "{error}");
}

#[test]
fn each_refusal_makes_its_kinds_incomplete_with_the_reason() {
    let lab = AwsContract::start(&AwsPlan::of(3, &[]));
    for (action, name, kind) in [
        (
            "GetAccountAuthorizationDetails",
            "iam:GetAccountAuthorizationDetails",
            Kind::Account,
        ),
        ("ListUsers", "iam:ListUsers", Kind::Account),
        ("ListAccessKeys", "iam:ListAccessKeys", Kind::Credential),
        (
            "GetAccessKeyLastUsed",
            "iam:GetAccessKeyLastUsed",
            Kind::Credential,
        ),
        ("GetLoginProfile", "iam:GetLoginProfile", Kind::Account),
        ("ListMFADevices", "iam:ListMFADevices", Kind::Account),
        (
            "ListSSHPublicKeys",
            "iam:ListSSHPublicKeys",
            Kind::Credential,
        ),
        (
            "ListSAMLProviders",
            "iam:ListSAMLProviders",
            Kind::Entitlement,
        ),
        ("ListSecrets", "secretsmanager:ListSecrets", Kind::Location),
        ("DescribeParameters", "ssm:DescribeParameters", Kind::Reader),
        (
            "GetResourcePolicy",
            "secretsmanager:GetResourcePolicy",
            Kind::Reader,
        ),
        (
            "ListSecretVersionIds",
            "secretsmanager:ListSecretVersionIds",
            Kind::Location,
        ),
        ("ListInstances", "sso:ListInstances", Kind::Grant),
    ] {
        lab.now(&AwsPlan::of(3, &[(action, "denied")]));
        let (_, notes) = read(&lab, kind).unwrap();
        let noted = notes
            .iter()
            .any(|note| note.kind == NoteKind::Clipped && note.reason.contains(name));
        assert!(noted, "{action}: {notes:?}");
    }
    lab.now(&AwsPlan::of(3, &[("DescribeOrganization", "denied")]));
    let (_, notes) = read(&lab, Kind::Reader).unwrap();
    let said = notes
        .iter()
        .filter(|note| note.reason.contains("unless one of them denies"));
    assert_eq!(said.count(), 1, "{notes:?}");
    assert!(notes.iter().all(|note| note.kind.keeps_completeness()));
}

#[test]
fn faults_are_told_and_never_pass_for_an_end() {
    let lab = AwsContract::start(&AwsPlan::of(5, &[]));
    let details = "GetAccountAuthorizationDetails";
    for (what, kind, says) in [
        ("throttled", ErrorKind::RateLimited, "slow down"),
        ("down", ErrorKind::Unavailable, "not available"),
        ("garbled", ErrorKind::Protocol, "neither whole XML"),
        ("cut", ErrorKind::Unavailable, "broke off"),
        ("loop", ErrorKind::Protocol, "named before"),
        ("lost", ErrorKind::Protocol, "or none"),
        ("skewed", ErrorKind::AuthRejected, "clock"),
        ("expired", ErrorKind::AuthRejected, "ended"),
    ] {
        lab.now(&AwsPlan::of(5, &[(details, what)]));
        fails(&lab, Kind::Account, kind, says);
    }
    lab.now(&AwsPlan::of(5, &[("ListSecrets", "loop")]));
    fails(&lab, Kind::Location, ErrorKind::Protocol, "named before");
    lab.now(&AwsPlan::of(5, &[("GetCallerIdentity", "skewed")]));
    fails(&lab, Kind::Account, ErrorKind::AuthRejected, "clock");
}

#[test]
fn who_is_gone_between_pages_is_noted_and_nobody_else_is_lost() {
    let lab = AwsContract::start(&AwsPlan::of(3, &[("ListAccessKeys", "gone")]));
    let (facts, notes) = read(&lab, Kind::Account).unwrap();
    // The list is of one moment, and they stood on it; what they signed in with is not known any more.
    let accounts = by(&facts, "name");
    assert_eq!(accounts.len(), 4, "root and those of the list");
    let user = &accounts["user-1"];
    assert!(user["enabled"].is_null() && user["local_sign_in"].is_null() && user["mfa"].is_null());
    let gone = notes
        .iter()
        .filter(|note| note.reason.contains("removed while"));
    assert_eq!(gone.map(|note| note.count).sum::<u64>(), 3, "{notes:?}");
    let (facts, notes) = read(&lab, Kind::Credential).unwrap();
    assert_eq!(facts.len(), 1, "root's key alone");
    assert!(
        notes
            .iter()
            .any(|note| note.reason.contains("removed while"))
    );
}
