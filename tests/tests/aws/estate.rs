//! A small company's account in moto: people, services, third parties, secrets with canaries.

use lastkey_conformance::{Facts, read_to_end};
use lastkey_contract::{Connector, Note, Secret, Settings};
use lastkey_tests::labs::{Moto, MotoKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// moto's own account.
pub const ACCOUNT: &str = "123456789012";

/// Values of secrets, which may stand nowhere.
pub const CANARIES: [&str; 3] = [
    "canary-of-the-database-4be1",
    "canary-of-the-parameter-77aa",
    "canary-of-the-console-09Cd!",
];

pub struct Estate {
    pub lab: Moto,
    pub admin: MotoKey,
    /// With the rights of the connector's own policy.
    pub reader: MotoKey,
    /// Of nobody with any right.
    pub nobody: MotoKey,
}

/// `[service, operation, parameters]`
pub fn call(service: &str, operation: &str, parameters: Value) -> Value {
    json!([service, operation, parameters])
}

fn iam(operation: &str, parameters: Value) -> Value {
    call("iam", operation, parameters)
}

fn policy(statements: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

pub fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

fn trust(principal: Value, action: &str) -> String {
    policy(json!([{ "Effect": "Allow", "Principal": principal, "Action": action }]))
}

/// A user with a key; its policy stands in it.
pub fn with_key(lab: &Moto, name: &str, document: Option<&str>) -> MotoKey {
    let mut asked = vec![iam("create_user", json!({ "UserName": name }))];
    if let Some(document) = document {
        asked.push(iam(
            "put_user_policy",
            json!({ "UserName": name, "PolicyName": "own", "PolicyDocument": document }),
        ));
    }
    asked.push(iam("create_access_key", json!({ "UserName": name })));
    let answers = lab.ask(None, &asked);
    let key = &answers.last().unwrap()["AccessKey"];
    MotoKey {
        id: key["AccessKeyId"].as_str().expect("a key").to_owned(),
        secret: key["SecretAccessKey"].as_str().unwrap().to_owned(),
    }
}

/// The policy of the connector's own script.
pub fn least_rights(more: &[&str]) -> String {
    let script = lastkey_aws::scripts(&Settings::default()).remove(0);
    let mut document: Value = serde_json::from_str(&script.text).unwrap();
    let actions = document["Statement"][0]["Action"].as_array_mut().unwrap();
    actions.extend(more.iter().map(|action| json!(action)));
    document.to_string()
}

/// Those whom every account of these tests has; keys count from then on.
pub fn manned(lab: Moto) -> Estate {
    let all = policy(json!([allow(&["*"], "*")]));
    let admin = with_key(&lab, "lab-admin", Some(&all));
    let reader = with_key(&lab, "lastkey-reader", Some(&least_rights(&[])));
    let nobody = with_key(&lab, "nobody", None);
    lab.check_keys();
    Estate {
        lab,
        admin,
        reader,
        nobody,
    }
}

/// The company.
pub fn seed(lab: &Moto) {
    let reads_db = policy(json!([allow(
        &["secretsmanager:GetSecretValue"],
        "arn:aws:secretsmanager:*:*:secret:db/*"
    )]));
    let from_office = policy(
        json!([{ "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*",
        "Condition": { "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } } }]),
    );
    let role_arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let assumes = policy(json!([allow(&["sts:AssumeRole"], &role_arn("deploy"))]));
    let account = |number: &str| json!({ "AWS": format!("arn:aws:iam::{number}:root") });
    let vendor = policy(
        json!([{ "Effect": "Allow", "Principal": account("444455556666"),
        "Action": "sts:AssumeRole", "Condition": { "StringEquals": { "sts:ExternalId": "x-17" } } }]),
    );
    let github = "token.actions.githubusercontent.com";
    let pipeline = policy(json!([{ "Effect": "Allow",
        "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{github}") },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringLike": { format!("{github}:sub"): "repo:example/shop:*" } } }]));
    let asked = [
        iam("create_group", json!({ "GroupName": "operators" })),
        iam(
            "put_group_policy",
            json!({ "GroupName": "operators", "PolicyName": "db", "PolicyDocument": reads_db }),
        ),
        iam(
            "create_user",
            json!({ "UserName": "ann", "Path": "/people/", "Tags": [{ "Key": "team", "Value": "ops" }] }),
        ),
        iam(
            "create_login_profile",
            json!({ "UserName": "ann", "Password": CANARIES[2] }),
        ),
        iam(
            "add_user_to_group",
            json!({ "UserName": "ann", "GroupName": "operators" }),
        ),
        iam("create_access_key", json!({ "UserName": "ann" })),
        iam("create_user", json!({ "UserName": "bob" })),
        iam("create_access_key", json!({ "UserName": "bob" })),
        iam(
            "put_user_policy",
            json!({ "UserName": "bob", "PolicyName": "deploys", "PolicyDocument": assumes }),
        ),
        iam(
            "put_user_policy",
            json!({ "UserName": "bob", "PolicyName": "office", "PolicyDocument": from_office }),
        ),
        iam(
            "upload_ssh_public_key",
            json!({ "UserName": "bob", "SSHPublicKeyBody": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB lab" }),
        ),
        iam("create_user", json!({ "UserName": "idle" })),
        iam(
            "create_role",
            json!({ "RoleName": "deploy", "AssumeRolePolicyDocument": trust(account(ACCOUNT), "sts:AssumeRole") }),
        ),
        iam(
            "put_role_policy",
            json!({ "RoleName": "deploy", "PolicyName": "db", "PolicyDocument": reads_db }),
        ),
        iam(
            "create_role",
            json!({ "RoleName": "vendor-support", "AssumeRolePolicyDocument": vendor }),
        ),
        iam(
            "create_role",
            json!({ "RoleName": "machine", "AssumeRolePolicyDocument": trust(json!({ "Service": "ec2.amazonaws.com" }), "sts:AssumeRole") }),
        ),
        iam(
            "create_instance_profile",
            json!({ "InstanceProfileName": "machine" }),
        ),
        iam(
            "add_role_to_instance_profile",
            json!({ "InstanceProfileName": "machine", "RoleName": "machine" }),
        ),
        iam(
            "create_open_id_connect_provider",
            json!({ "Url": format!("https://{github}"), "ClientIDList": ["sts.amazonaws.com"],
            "ThumbprintList": ["6938fd4d98bab03faadb97b34396831e3780aea1"] }),
        ),
        iam(
            "create_role",
            json!({ "RoleName": "pipeline", "AssumeRolePolicyDocument": pipeline }),
        ),
        iam(
            "create_policy",
            json!({ "PolicyName": "keys-for-all", "PolicyDocument": policy(json!([allow(&["iam:CreateAccessKey"], "*")])) }),
        ),
        iam(
            "attach_role_policy",
            json!({ "RoleName": "pipeline", "PolicyArn": format!("arn:aws:iam::{ACCOUNT}:policy/keys-for-all") }),
        ),
        call(
            "secretsmanager",
            "create_secret",
            json!({ "Name": "db/prod", "SecretString": CANARIES[0], "Tags": [{ "Key": "app", "Value": "shop" }] }),
        ),
        call(
            "secretsmanager",
            "create_secret",
            json!({ "Name": "web/session", "SecretString": "canary-of-the-session-5150" }),
        ),
        call(
            "secretsmanager",
            "create_secret",
            json!({ "Name": "db/shared", "SecretString": "canary-of-the-shared-1414" }),
        ),
        call(
            "secretsmanager",
            "put_resource_policy",
            json!({ "SecretId": "db/shared", "ResourcePolicy": policy(json!([
            { "Effect": "Deny", "Principal": { "AWS": role_arn("deploy") }, "Action": "secretsmanager:GetSecretValue", "Resource": "*" }])) }),
        ),
        call(
            "ssm",
            "put_parameter",
            json!({ "Name": "/app/key", "Value": CANARIES[1], "Type": "SecureString" }),
        ),
        call(
            "ssm",
            "put_parameter",
            json!({ "Name": "/app/colour", "Value": "blue", "Type": "String" }),
        ),
    ];
    for (asked, answer) in asked.iter().zip(lab.ask(None, &asked)) {
        assert!(answer["error"].is_null(), "{asked}: {answer}");
    }
}

impl Estate {
    /// None where the machine has no moto, and it is said.
    pub fn or_not_run(case: &str) -> Option<Estate> {
        let lab = Moto::or_not_run(case)?;
        seed(&lab);
        Some(manned(lab))
    }

    /// A source that signs in so.
    pub fn by(&self, key: &MotoKey, more: &[(&str, &str)]) -> Box<dyn Connector> {
        let secret = Some(Secret::new(key.secret.clone()));
        lastkey_aws::configure(&settings(&self.lab, key, more), secret).unwrap()
    }

    /// A source that signs in as the reader.
    pub fn connector(&self, more: &[(&str, &str)]) -> Box<dyn Connector> {
        self.by(&self.reader, more)
    }
}

pub fn settings(lab: &Moto, key: &MotoKey, more: &[(&str, &str)]) -> Settings {
    let endpoint = lab.endpoint();
    let ca = lab.ca_path().display().to_string();
    let own = [
        ("system", "aws-lab"),
        ("access_key_id", key.id.as_str()),
        ("regions", "eu-west-1"),
        ("endpoint", endpoint.as_str()),
        ("ca_file", ca.as_str()),
        ("timeout", "60"),
    ];
    let mut settings = Settings::default();
    for (name, value) in own.iter().chain(more) {
        settings.0.insert((*name).to_owned(), (*value).to_owned());
    }
    settings
}

/// Everything that a source tells.
pub fn read_all(connector: Box<dyn Connector>) -> (Facts, Vec<Note>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut facts = Facts::new();
        let mut notes = Vec::new();
        for capability in connector.capabilities() {
            let pages = read_to_end(connector.as_ref(), capability.kind, 7)
                .await
                .unwrap();
            let records = facts.entry(capability.kind).or_default();
            for page in pages {
                records.extend(page.records);
                notes.extend(page.notes);
            }
        }
        (facts, notes)
    })
}

/// Facts as JSON by one of their fields.
pub fn by(facts: &[lastkey_contract::Fact], field: &str) -> BTreeMap<String, Value> {
    let value = |fact| serde_json::to_value(fact).unwrap();
    facts
        .iter()
        .map(value)
        .map(|fact| (fact[field].as_str().unwrap_or_default().to_owned(), fact))
        .collect()
}
