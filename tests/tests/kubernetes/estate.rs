//! A small company's cluster: two namespaces, roles of every sort, Secrets with canaries.

use lastkey_conformance::{Facts, read_to_end};
use lastkey_contract::{Connector, Note, Secret, Settings};
use lastkey_tests::labs::Kubernetes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Values of Secrets, which may stand nowhere.
pub const CANARIES: [&str; 3] = [
    "canary-of-the-database-7f3a",
    "canary-of-the-web-shop-91bd",
    "canary-in-an-annotation-c0de",
];

pub const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

pub struct Estate {
    pub lab: Kubernetes,
    /// The reader's token, with the rights of the connector's own script.
    pub token: String,
}

/// A cluster, or a word that the case did not run.
pub fn lab(case: &str) -> Option<Kubernetes> {
    Kubernetes::start_or_not_run(case)
}

fn object(kind: &str, namespace: &str, name: &str, more: Value) -> Value {
    let version = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "CronJob" | "Job" => "batch/v1",
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => {
            "rbac.authorization.k8s.io/v1"
        }
        "ExternalSecret" | "SecretStore" => "external-secrets.io/v1",
        _ => "v1",
    };
    let mut made = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name } });
    if !namespace.is_empty() {
        made["metadata"]["namespace"] = json!(namespace);
    }
    for (key, value) in more.as_object().unwrap() {
        match key.as_str() {
            "metadata" => {
                for (key, value) in value.as_object().unwrap() {
                    made["metadata"][key] = value.clone();
                }
            }
            _ => made[key] = value.clone(),
        }
    }
    made
}

/// A rule: verbs, what, names.
pub fn rule(verbs: &[&str], group: &str, what: &[&str], names: &[&str]) -> Value {
    json!({ "verbs": verbs, "apiGroups": [group], "resources": what, "resourceNames": names })
}

pub fn user(name: &str) -> Value {
    json!({ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name })
}

pub fn group(name: &str) -> Value {
    json!({ "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name })
}

pub fn service(namespace: &str, name: &str) -> Value {
    json!({ "kind": "ServiceAccount", "namespace": namespace, "name": name })
}

/// A binding, of a namespace or, where empty, of the cluster.
pub fn binding(namespace: &str, name: &str, role: (&str, &str), subjects: &[Value]) -> Value {
    let kind = match namespace {
        "" => "ClusterRoleBinding",
        _ => "RoleBinding",
    };
    let more = json!({ "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role.0, "name": role.1 },
        "subjects": subjects });
    object(kind, namespace, name, more)
}

pub fn role(namespace: &str, name: &str, rules: &[Value]) -> Value {
    let kind = match namespace {
        "" => "ClusterRole",
        _ => "Role",
    };
    object(kind, namespace, name, json!({ "rules": rules }))
}

fn pods(spec: Value) -> Value {
    let mut spec = spec;
    spec["containers"] = match spec["containers"].as_array() {
        Some(own) => json!(own),
        None => json!([{ "name": "c", "image": "i" }]),
    };
    spec
}

fn template(app: &str, spec: Value) -> Value {
    let labels = json!({ "app": app });
    json!({ "selector": { "matchLabels": labels },
        "template": { "metadata": { "labels": labels }, "spec": pods(spec) } })
}

/// Custom objects of external secrets, as the cluster serves them once it knows their sorts.
fn external_sorts(lab: &Kubernetes) {
    for (kind, scope) in [
        ("ExternalSecret", "Namespaced"),
        ("SecretStore", "Namespaced"),
        ("ClusterSecretStore", "Cluster"),
    ] {
        let plural = format!("{}s", kind.to_lowercase());
        let name = format!("{plural}.external-secrets.io");
        let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
        let body = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": name },
            "spec": { "group": "external-secrets.io", "scope": scope,
                "names": { "plural": plural, "singular": kind.to_lowercase(), "kind": kind },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }] } });
        lab.make(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &body,
        );
        let path = format!("/apis/external-secrets.io/v1/{plural}");
        lab.await_that(&path, |list| list["items"].is_array());
    }
}

fn company() -> Value {
    let read = |names: &[&str]| rule(&["get"], "", &["secrets"], names);
    let apps = "apps";
    json!({ "items": [
        object("Namespace", "", "shop", json!({})),
        object("Namespace", "", "site", json!({})),
        object("ServiceAccount", "shop", "web", json!({
            "metadata": { "annotations": { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/web" } },
            "imagePullSecrets": [{ "name": "pull" }] })),
        object("ServiceAccount", "shop", "old-ci", json!({})),
        object("ServiceAccount", "site", "build", json!({})),
        object("Secret", "shop", "db", json!({ "stringData": { "password": CANARIES[0], "user": "app" } })),
        object("Secret", "shop", "web", json!({ "stringData": { "key": CANARIES[1] },
            "metadata": { "annotations": { "kubectl.kubernetes.io/last-applied-configuration":
                format!("{{\"stringData\":{{\"key\":\"{}\"}}}}", CANARIES[2]) } } })),
        object("Secret", "shop", "pull", json!({ "type": "kubernetes.io/dockerconfigjson",
            "stringData": { ".dockerconfigjson": "{\"auths\":{}}" } })),
        object("Secret", "shop", "old-ci-token", json!({ "type": "kubernetes.io/service-account-token",
            "metadata": { "annotations": { "kubernetes.io/service-account.name": "old-ci" } } })),
        object("Secret", "site", "from-vault", json!({ "stringData": { "password": CANARIES[0] } })),
        object("Deployment", "shop", "web", json!({ "spec": template("web", json!({
            "serviceAccountName": "web",
            "containers": [{ "name": "c", "image": "i", "env": [
                { "name": "DB_PASSWORD", "valueFrom": { "secretKeyRef": { "name": "db", "key": "password" } } },
                { "name": "PLAIN", "value": "nothing" }] }] })) })),
        object("CronJob", "shop", "dump", json!({ "spec": { "schedule": "0 0 * * *", "jobTemplate": { "spec": {
            "template": { "spec": pods(json!({ "restartPolicy": "Never",
                "volumes": [{ "name": "v", "secret": { "secretName": "db" } }] })) } } } } })),
        object("Pod", "site", "lost", json!({ "spec": pods(json!({
            "volumes": [{ "name": "v", "secret": { "secretName": "is-not-there" } }] })) })),
        role("", "read-secrets", &[read(&[])]),
        role("", "part", &[rule(&["list"], "", &["secrets"], &[])]),
        object("ClusterRole", "", "whole", json!({ "rules": [], "aggregationRule": {
            "clusterRoleSelectors": [{ "matchLabels": { "gather": "whole" } }] } })),
        role("shop", "read-db", &[read(&["db"])]),
        role("shop", "deploy", &[rule(&["create", "update"], apps, &["deployments"], &[])]),
        role("site", "issue", &[rule(&["create"], "", &["serviceaccounts/token"], &["build"])]),
        binding("", "everywhere", ("ClusterRole", "read-secrets"), &[user("ann"), service("site", "build")]),
        binding("shop", "here", ("ClusterRole", "read-secrets"), &[group("shop-team")]),
        binding("shop", "db", ("Role", "read-db"), &[user("bob"), service("shop", "web")]),
        binding("shop", "deploy", ("Role", "deploy"), &[user("carol")]),
        binding("site", "issue", ("Role", "issue"), &[user("dave")]),
        binding("site", "all", ("ClusterRole", "whole"), &[group("system:serviceaccounts:site"), user("erin")]),
        binding("site", "gone", ("Role", "is-not-there"), &[service("site", "is-not-there")]),
        object("SecretStore", "site", "vault", json!({ "spec": { "provider": { "vault": {
            "server": "https://vault.example.org", "path": "kv" } } } })),
        object("ExternalSecret", "site", "from-vault", json!({ "spec": {
            "secretStoreRef": { "name": "vault", "kind": "SecretStore" },
            "data": [{ "secretKey": "password", "remoteRef": { "key": "prod/db", "property": "password" } }] } })),
    ]})
}

/// Runs openssl in a folder.
pub fn openssl(folder: &std::path::Path, words: &[&str]) {
    let done = std::process::Command::new("openssl")
        .current_dir(folder)
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}

/// A certificate for a client, signed as a controller would.
fn certificate(lab: &Kubernetes) {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| openssl(folder.path(), words);
    let subject = "/O=shop-team/O=night-shift/CN=frank";
    run(&[
        "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "r.pem", "-subj", subject,
    ]);
    let ca = lab.ca_path().display().to_string();
    let key = lab.ca_path().with_extension("key").display().to_string();
    run(&[
        "x509", "-req", "-in", "r.pem", "-CA", &ca, "-CAkey", &key, "-days", "30", "-out", "c.pem",
    ]);
    let base64 = |name: &str| {
        use base64::Engine as _;
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let list = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let made = lab.make(
        list,
        &json!({ "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": { "name": "frank" }, "spec": { "request": base64("r.pem"),
            "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"] } }),
    );
    let mut approved = made.clone();
    approved["status"] =
        json!({ "conditions": [{ "type": "Approved", "status": "True", "reason": "lab" }] });
    lab.root("PUT", &format!("{list}/frank/approval"), &approved);
    let signed = json!({ "status": { "certificate": base64("c.pem") } });
    lab.root("PATCH", &format!("{list}/frank/status"), &signed);
}

impl Estate {
    /// The company in a cluster, and a reader made by the connector's own script.
    pub fn found(lab: Kubernetes) -> Estate {
        external_sorts(&lab);
        lab.apply(&company());
        let label = json!({ "metadata": { "labels": { "gather": "whole" } } });
        lab.root("PATCH", &format!("{RBAC}/clusterroles/part"), &label);
        lab.await_that(&format!("{RBAC}/clusterroles/whole"), |role| {
            role["rules"]
                .as_array()
                .is_some_and(|rules| !rules.is_empty())
        });
        lab.await_that("/api/v1/namespaces/shop/secrets/old-ci-token", |secret| {
            secret["data"]["token"].is_string()
        });
        certificate(&lab);
        let token = reader(&lab, &[]);
        Estate { lab, token }
    }

    pub fn settings(&self, extra: &[(&str, &str)]) -> Settings {
        settings(&self.lab, extra)
    }

    pub fn connector(&self, extra: &[(&str, &str)]) -> Box<dyn Connector> {
        self.by(&self.token, extra)
    }

    pub fn by(&self, token: &str, extra: &[(&str, &str)]) -> Box<dyn Connector> {
        let secret = Secret::new(token.to_owned());
        lastkey_kubernetes::configure(&self.settings(extra), Some(secret)).unwrap()
    }
}

pub fn settings(lab: &Kubernetes, extra: &[(&str, &str)]) -> Settings {
    let ca = lab.ca_path().display().to_string();
    let url = lab.url();
    let own = [
        ("address", url.as_str()),
        ("system", "prod-cluster"),
        ("ca_file", ca.as_str()),
    ];
    let mut settings = Settings::default();
    for (key, value) in own.iter().chain(extra) {
        settings.0.insert((*key).to_owned(), (*value).to_owned());
    }
    settings
}

/// A token of the reader that the connector's own script makes.
pub fn reader(lab: &Kubernetes, extra: &[(&str, &str)]) -> String {
    script(lab, extra, 0);
    lab.token("lastkey", "reader")
}

/// Does what a script of the connector says.
pub fn script(lab: &Kubernetes, extra: &[(&str, &str)], which: usize) {
    let scripts = lastkey_kubernetes::scripts(&settings(lab, extra));
    lab.apply(&serde_json::from_str(&scripts[which].text).unwrap());
}

/// Everything, in whole pages, with its notes, in a thread whose runtime is its own.
pub fn read_all(connector: Box<dyn Connector>) -> (Facts, Vec<Note>) {
    let reading = move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut facts = Facts::new();
            let mut notes = Vec::new();
            for capability in connector.capabilities() {
                let pages = read_to_end(connector.as_ref(), capability.kind, 500).await;
                let pages = pages.unwrap();
                notes.extend(pages.iter().flat_map(|page| page.notes.clone()));
                let records = pages.into_iter().flat_map(|page| page.records);
                facts.insert(capability.kind, records.collect());
            }
            (facts, notes)
        })
    };
    std::thread::spawn(reading).join().unwrap()
}

/// The server's own answer: whether a user in these groups may.
pub fn server_says(lab: &Kubernetes, user: &str, groups: &[&str], attributes: &Value) -> bool {
    let body = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": { "user": user, "groups": groups, "resourceAttributes": attributes } });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    lab.make(path, &body)["status"]["allowed"]
        .as_bool()
        .unwrap()
}

/// Facts as JSON, by their ids.
pub fn by_id(facts: &[lastkey_contract::Fact], key: &str) -> BTreeMap<String, Value> {
    facts
        .iter()
        .map(|fact| {
            let value = serde_json::to_value(fact).unwrap();
            (value[key].as_str().unwrap().to_owned(), value)
        })
        .collect()
}
