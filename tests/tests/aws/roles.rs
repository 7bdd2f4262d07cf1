//! Roles taken on: with an external id, and by what `aws sso login` left behind.

use lastkey_contract::{Connector, ConnectorError, ErrorKind, Secret, Settings};
use lastkey_tests::labs::{AwsContract, AwsPlan};
use std::fs;

const ROLE: &str = "arn:aws:iam::111122223333:role/reader";

fn connector(lab: &AwsContract, own: &[(&str, &str)], secret: Option<&str>) -> Box<dyn Connector> {
    let (endpoint, ca) = (lab.endpoint(), lab.ca_path().display().to_string());
    let all = [
        ("system", "aws-lab"),
        ("regions", "eu-west-1"),
        ("endpoint", endpoint.as_str()),
        ("ca_file", ca.as_str()),
    ];
    let mut settings = Settings::default();
    for (name, value) in all.iter().chain(own) {
        settings.0.insert((*name).to_owned(), (*value).to_owned());
    }
    let secret = secret.map(|secret| Secret::new(secret.to_owned()));
    lastkey_aws::configure(&settings, secret).unwrap()
}

/// Who one is signed in as.
fn signed_in(connector: Box<dyn Connector>) -> Result<String, ConnectorError> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(connector.check());
    report.map(|report| report.signed_in_as.unwrap())
}

#[test]
fn a_role_is_taken_on_with_its_external_id() {
    let lab = AwsContract::start(&AwsPlan::of(2, &[]));
    let with = |id: &'static str| {
        let own = [
            ("access_key_id", "AKIAREADER0000000000"),
            ("role_arn", ROLE),
            ("external_id", id),
        ];
        connector(&lab, &own, Some("canary-of-a-secret"))
    };
    let arn = signed_in(with("x-17")).unwrap();
    assert!(arn.ends_with(":assumed-role/reader/lastkey"), "{arn}");

    let error = signed_in(with("x-18")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error}");
    assert!(error.message.contains(ROLE), "{error}");
    assert!(error.hint.as_ref().unwrap().contains("external id"));
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn what_sso_left_behind_signs_in_until_it_ends() {
    let lab = AwsContract::start(&AwsPlan::of(2, &[]));
    let room = tempfile::tempdir().unwrap();
    let cache = room.path().join("sso/cache");
    fs::create_dir_all(&cache).unwrap();
    let config = "[sso-session corp]\nsso_start_url = https://corp.example.org/start\nsso_region = eu-west-1\n\
        [profile reader]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\n\
        [profile owner]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Owner\n";
    fs::write(room.path().join("config"), config).unwrap();
    let folder = room.path().display().to_string();
    let token = |token: &str| {
        let text = format!(
            r#"{{"startUrl":"https://corp.example.org/start","accessToken":"{token}","expiresAt":"2026-02-01T00:00:00Z"}}"#
        );
        fs::write(cache.join("a.json"), text).unwrap();
    };
    let by = |profile: &str| {
        let own = [
            ("sign_in", "profile"),
            ("profile", profile),
            ("aws_folder", folder.as_str()),
        ];
        signed_in(connector(&lab, &own, None))
    };
    token("signed-in");
    let arn = by("reader").unwrap();
    assert!(arn.ends_with(":assumed-role/reader/lastkey"), "{arn}");
    let error = by("owner").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error}");
    assert!(error.message.contains("Owner in 111122223333"), "{error}");

    token("canary-of-an-ended-session");
    let error = by("reader").unwrap_err();
    assert_eq!(error.kind, ErrorKind::AuthRejected, "{error}");
    assert!(
        error.hint.is_some() && !format!("{error:?}").contains("canary"),
        "{error:?}"
    );
}
