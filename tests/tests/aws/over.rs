//! What stands over and beside an account: Identity Center, policies of the organisation, keys of one's own.

use crate::contract::read;
use crate::estate::by;
use lastkey_contract::Kind;
use lastkey_tests::labs::{AwsContract, AwsPlan};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SET: &str = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k-1";
const FIRST: &str = "AIDAUSER000000000000";
const SECOND: &str = "AIDAUSER100000000000";

fn statement(effect: &str, action: &str, on: &str) -> Value {
    json!({ "Effect": effect, "Action": action, "Resource": on })
}

fn policy(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Users of whom the first may read every secret.
fn plan() -> AwsPlan {
    let own = policy(&[statement("Allow", "secretsmanager:GetSecretValue", "*")]);
    AwsPlan::of(2, &[]).with("policy", own)
}

/// Who reads which secret, but root: `(user, db/0)`.
fn readers(lab: &AwsContract) -> BTreeSet<(String, String)> {
    let (facts, _) = read(lab, Kind::Reader).unwrap();
    let lines = facts.iter().map(|fact| serde_json::to_value(fact).unwrap());
    let pairs = lines.map(|line| {
        let path = line["path"].as_str().unwrap();
        let name = path.strip_prefix("secretsmanager/eu-west-1/").unwrap();
        let who = line["principal"]["id"].as_str().unwrap();
        (who.to_owned(), name.to_owned())
    });
    pairs.collect()
}

fn reads(found: &BTreeSet<(String, String)>, who: &str, name: &str) -> bool {
    found.contains(&(who.to_owned(), name.to_owned()))
}

#[test]
fn identity_center_is_read_with_who_holds_what_where() {
    let answers = json!({
        "ListGroups": { "Groups": [{ "GroupId": "g-1", "DisplayName": "Operators" }] },
        "ListGroupMemberships": { "GroupMemberships": [
            { "MemberId": { "UserId": "00000001" } }, { "MemberId": { "UserId": "00000002" } }] },
        "ListPermissionSets": { "PermissionSets": [SET] },
        "DescribePermissionSet": { "PermissionSet": { "Name": "Deploy", "SessionDuration": "PT8H", "CreatedDate": 1_767_225_600.5 } },
        "ListAccountsForProvisionedPermissionSet": { "AccountIds": ["111122223333", "444455556666"] },
        "ListAccountAssignments": [
            ["\"111122223333\"", { "AccountAssignments": [
                { "PrincipalType": "GROUP", "PrincipalId": "g-1" }, { "PrincipalType": "USER", "PrincipalId": "00000000" }] }],
            ["\"444455556666\"", { "AccountAssignments": [{ "PrincipalType": "USER", "PrincipalId": "00000002" }] }],
        ],
    });
    let plan = AwsPlan::of(1, &[])
        .with("people", json!(103))
        .with("answers", answers);
    let lab = AwsContract::start(&plan);
    let (facts, notes) = read(&lab, Kind::Account).unwrap();
    assert!(
        notes.iter().all(|note| note.kind.keeps_completeness()),
        "{notes:?}"
    );
    let accounts = by(&facts, "id");
    assert_eq!(accounts.len(), 105, "a user, root and two pages of people");
    assert_eq!(accounts["00000102"]["name"], "person-102");
    assert_eq!(accounts["00000102"]["enabled"], true);

    let (facts, _) = read(&lab, Kind::Entitlement).unwrap();
    let entitlements = by(&facts, "id");
    assert_eq!(entitlements["g-1"]["name"], "Operators");
    let set = &entitlements["ssoins-1/ps-1/444455556666"];
    assert_eq!(set["name"], "Deploy in 444455556666");
    assert_eq!(set["attributes"]["session_duration"], "PT8H");

    let (facts, _) = read(&lab, Kind::Grant).unwrap();
    let held: BTreeSet<(String, String)> = facts
        .iter()
        .map(|fact| {
            let grant = serde_json::to_value(fact).unwrap();
            let id = |value: &Value| value.as_str().unwrap().to_owned();
            (id(&grant["principal"]["id"]), id(&grant["entitlement_id"]))
        })
        .collect();
    for (who, what) in [
        ("00000001", "g-1"),
        ("g-1", "ssoins-1/ps-1/111122223333"),
        ("00000000", "ssoins-1/ps-1/111122223333"),
        ("00000002", "ssoins-1/ps-1/444455556666"),
    ] {
        assert!(
            held.contains(&(who.to_owned(), what.to_owned())),
            "{who} {what}: {held:?}"
        );
    }
    assert!(!held.contains(&(
        "00000000".to_owned(),
        "ssoins-1/ps-1/444455556666".to_owned()
    )));
}

/// An organisation that denies db/1 by an SCP of a unit, and db/2 by an RCP.
fn organisation(master: &str) -> Value {
    let all = json!({ "Policies": [{ "Id": "p-all", "Name": "FullAccess" }] });
    let and = |id: &str| json!({ "Policies": [{ "Id": "p-all", "Name": "FullAccess" }, { "Id": id, "Name": id }] });
    let content =
        |statements: &[Value]| json!({ "Policy": { "Content": policy(statements).to_string() } });
    let secret = |name: &str| format!("arn:aws:secretsmanager:*:*:secret:{name}-*");
    let mut by_all = statement("Deny", "secretsmanager:GetSecretValue", &secret("db/2"));
    by_all["Principal"] = json!("*");
    let mut everybody = statement("Allow", "*", "*");
    everybody["Principal"] = json!("*");
    json!({
        "DescribeOrganization": { "Organization": { "Id": "o-1", "MasterAccountId": master } },
        "ListAccounts": { "Accounts": [{ "Id": "111122223333", "Name": "Shop", "Status": "ACTIVE" }] },
        "ListParents": [
            ["\"111122223333\"", { "Parents": [{ "Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT" }] }],
            ["\"ou-1\"", { "Parents": [{ "Id": "r-1", "Type": "ROOT" }] }],
        ],
        "ListPoliciesForTarget": [
            ["SERVICE_CONTROL_POLICY\", \"TargetId\": \"ou-1\"", and("p-scp")],
            ["RESOURCE_CONTROL_POLICY\", \"TargetId\": \"ou-1\"", { "Policies": [{ "Id": "p-every", "Name": "RCPFullAWSAccess" }, { "Id": "p-rcp", "Name": "rcp" }] }],
            ["RESOURCE_CONTROL_POLICY", { "Policies": [{ "Id": "p-every", "Name": "RCPFullAWSAccess" }] }],
            ["SERVICE_CONTROL_POLICY", all],
        ],
        "DescribePolicy": [
            ["\"p-scp\"", content(&[statement("Deny", "secretsmanager:*", &secret("db/1"))])],
            ["\"p-rcp\"", content(&[by_all])],
            ["\"p-every\"", content(&[everybody])],
            ["\"p-all\"", content(&[statement("Allow", "*", "*")])],
        ],
    })
}

#[test]
fn policies_of_the_organisation_deny_but_in_the_account_that_manages_it() {
    let lab = AwsContract::start(&plan().with("answers", organisation("999988887777")));
    let found = readers(&lab);
    assert!(reads(&found, FIRST, "db/0"), "{found:?}");
    for (name, by) in [("db/1", "an SCP"), ("db/2", "an RCP")] {
        let who: Vec<_> = found.iter().filter(|(_, place)| place == name).collect();
        assert!(who.is_empty(), "{by} denies it, to root too: {who:?}");
    }
    let (facts, notes) = read(&lab, Kind::Reader).unwrap();
    assert!(
        facts
            .iter()
            .all(|fact| !format!("{fact:?}").contains("unless")),
        "they were read"
    );
    assert!(
        notes
            .iter()
            .all(|note| !note.reason.contains("unless one of them denies")),
        "{notes:?}"
    );

    lab.now(&plan().with("answers", organisation("111122223333")));
    let found = readers(&lab);
    for name in ["db/0", "db/1", "db/2"] {
        assert!(reads(&found, FIRST, name), "{name}: {found:?}");
    }

    // What is not shown denies nothing for certain, and is said on each line.
    let mut refused = plan().with("answers", organisation("999988887777"));
    refused.0["rules"] = json!({ "ListPoliciesForTarget": "denied" });
    lab.now(&refused);
    let (facts, notes) = read(&lab, Kind::Reader).unwrap();
    assert!(
        facts
            .iter()
            .all(|fact| format!("{fact:?}").contains("unless"))
    );
    assert!(
        notes
            .iter()
            .any(|note| note.reason.contains("unless one of them denies")),
        "{notes:?}"
    );
}

/// A secret under a key of one's own, whose policy leaves it to IAM or names one user.
fn under(key_policy: &Value, grants: &Value) -> Value {
    json!({
        "ListSecrets": { "SecretList": [{ "Name": "db/0", "KmsKeyId": KEY,
            "ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/0-a1b2c3" }] },
        "DescribeKey": { "KeyMetadata": { "Arn": KEY, "KeyManager": "CUSTOMER" } },
        "GetKeyPolicy": { "Policy": key_policy.to_string() },
        "ListGrants": { "Grants": grants, "Truncated": false },
    })
}

#[test]
fn a_secret_under_a_key_is_read_by_whom_the_key_lets_decrypt() {
    let to = |who: &str| {
        let mut one = statement("Allow", "kms:*", "*");
        one["Principal"] = json!({ "AWS": format!("arn:aws:iam::111122223333:{who}") });
        policy(&[one])
    };
    let none = json!([]);
    let lab = AwsContract::start(&plan().with("answers", under(&to("root"), &none)));
    let found = readers(&lab);
    assert!(
        !reads(&found, FIRST, "db/0"),
        "nothing lets them decrypt: {found:?}"
    );

    let both = policy(&[
        statement("Allow", "secretsmanager:GetSecretValue", "*"),
        statement("Allow", "kms:Decrypt", KEY),
    ]);
    lab.now(
        &plan()
            .with("policy", both.clone())
            .with("answers", under(&to("root"), &none)),
    );
    assert!(
        reads(&readers(&lab), FIRST, "db/0"),
        "IAM lets them, and the key leaves it to IAM"
    );

    lab.now(
        &plan()
            .with("policy", both)
            .with("answers", under(&to("user/user-1"), &none)),
    );
    let found = readers(&lab);
    assert!(!reads(&found, FIRST, "db/0"), "the key does not: {found:?}");
    assert!(
        !reads(&found, SECOND, "db/0"),
        "may decrypt, and not read: {found:?}"
    );

    lab.now(&plan().with("answers", under(&to("user/user-0"), &none)));
    assert!(
        reads(&readers(&lab), FIRST, "db/0"),
        "named by the key itself"
    );

    let grant = json!([{ "GrantId": "grant-1", "Operations": ["Decrypt"],
        "GranteePrincipal": "arn:aws:iam::111122223333:user/user-0" }]);
    lab.now(&plan().with("answers", under(&to("root"), &grant)));
    assert!(reads(&readers(&lab), FIRST, "db/0"), "by a grant");

    // What is not shown is open, and not denied.
    let mut refused = plan().with("answers", under(&to("root"), &none));
    refused.0["rules"] = json!({ "GetKeyPolicy": "denied" });
    lab.now(&refused);
    let (facts, notes) = read(&lab, Kind::Reader).unwrap();
    let lines = facts.iter().map(|fact| serde_json::to_value(fact).unwrap());
    let of: Vec<Value> = lines
        .filter(|line| line["principal"]["id"] == FIRST)
        .collect();
    assert_eq!(of.len(), 1, "{facts:?}");
    assert_eq!(of[0]["attributes"]["evidence"], "weaker");
    assert!(
        notes
            .iter()
            .any(|note| note.reason.contains("kms:GetKeyPolicy")),
        "{notes:?}"
    );
}
